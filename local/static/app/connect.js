// Connecting an account. A connect URL is requested on tap, opened immediately, and never stored.
import { getAccounts } from "./client.js"
import { element, icon, webAddress } from "./dom.js"
import { storePendingLink } from "./pending.js"
import { displayName } from "./seller-parts.js"
import { call } from "./session.js"
import { errorCard } from "./error-card.js"
import { errorTexts } from "./texts.js"

const KNOWN = " knows your e-mail address, so you can probably log in."
const NEW = " does not know your e-mail address. You can still connect an account with another address."
const EXISTING = { field: "existingAccountUrl", label: "Connect your account" }
const CREATED = { field: "newAccountUrl", label: "Create an account" }

/** Return the part of a seller's page that leads to imin. `refresh` reloads the accounts. */
export function connectPart(account, { announce, refresh }) {
  const { emailMatches, seller } = account
  const part = element("section", { class: "connect" })
  const say = (text) => part.isConnected && announce(text) // the customer may have left the page
  const open = async (option) => {
    part.setAttribute("aria-busy", "true")
    for (const button of part.querySelectorAll("button")) button.disabled = true
    say("Opening the seller's page…")
    try {
      const { current, link } = await requestConnectUrls(account)
      if (!part.isConnected) return undefined
      if (current?.status === "connected") return refresh()
      const options = [EXISTING, CREATED].filter(({ field }) => webAddress(current?.connect?.[field]))
      if (options.includes(option)) {
        storePendingLink(link, seller.id)
        return location.assign(current.connect[option.field])
      }
      const text = options.length ? "This option is not available. Use the other one." : CLOSED
      part.replaceChildren(element("p", { class: "card soft" }, text), ...buttons(options))
      say(part.querySelector("p").textContent)
    } catch (error) {
      if (!error.kind) throw error
      part.replaceChildren(errorCard(error, () => open(option)))
      say(errorTexts(error).join(". "))
    }
    return part.removeAttribute("aria-busy")
  }
  const buttons = (options) =>
    options.map((option, at) =>
      element("button", { class: at ? "button other" : "button", click: () => open(option) }, option.label, at === 0 && icon("on")),
    )
  part.append(
    element("h2", {}, emailMatches ? "You seem to have an account" : "You seem to be new here"),
    element("p", {}, element("bdi", {}, displayName(seller)), emailMatches ? KNOWN : NEW),
    ...buttons(emailMatches ? [EXISTING, CREATED] : [CREATED, EXISTING]),
    element("p", { class: "soft small" }, "You continue in the browser, and return here when you are done."),
  )
  return part
}

const CLOSED = "This seller can't be connected at present. Try again later."

/** Fetch the current account with connect URLs, and their link. A seller without an id is found by its name. */
async function requestConnectUrls({ seller }) {
  const { body } = await call(getAccounts, { redirectUri: `${location.origin}/`, sellerId: seller.id })
  const current = body.accounts.find((account) => account.seller.id === seller.id && account.seller.name === seller.name)
  return { current, link: body.link }
}
