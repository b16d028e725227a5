// Connecting an account. A connect URL is requested at the tap, opened immediately, and stored nowhere.
import { getAccounts } from "./client.js"
import { element, icon, webAddress } from "./dom.js"
import { remember } from "./pending.js"
import { nameOf } from "./seller-parts.js"
import { call } from "./session.js"
import { trouble } from "./trouble.js"
import { explained } from "./words.js"

const KNOWN = " knows your e-mail address, so you can probably log in."
const NEW = " does not know your e-mail address. You can still connect an account that has another one."
const EXISTING = { field: "existingAccountUrl", words: "Connect your account" }
const CREATED = { field: "newAccountUrl", words: "Create an account" }

/** The part of a seller's page that leads to imin. `refresh` asks for the accounts again. */
export function connectPart(account, { announce, refresh }) {
  const { emailMatches, seller } = account
  const part = element("section", { class: "connect" })
  const say = (words) => part.isConnected && announce(words) // the customer may have gone on to something else
  const open = async (way) => {
    part.setAttribute("aria-busy", "true")
    for (const button of part.querySelectorAll("button")) button.disabled = true
    say("Opening the seller's page…")
    try {
      const { current, link } = await offer(account)
      if (!part.isConnected) return undefined
      if (current?.status === "connected") return refresh()
      const ways = [EXISTING, CREATED].filter(({ field }) => webAddress(current?.connect?.[field]))
      if (ways.includes(way)) {
        remember(link, seller.id)
        return location.assign(current.connect[way.field])
      }
      const words = ways.length ? "This way is not open. Take the other one." : CLOSED
      part.replaceChildren(element("p", { class: "card soft" }, words), ...buttons(ways))
      say(part.querySelector("p").textContent)
    } catch (error) {
      if (!error.kind) throw error
      part.replaceChildren(trouble(error, () => open(way)))
      say(explained(error).join(". "))
    }
    return part.removeAttribute("aria-busy")
  }
  const buttons = (ways) =>
    ways.map((way, at) =>
      element("button", { class: at ? "button other" : "button", click: () => open(way) }, way.words, at === 0 && icon("on")),
    )
  part.append(
    element("h2", {}, emailMatches ? "You seem to have an account" : "You seem to be new here"),
    element("p", {}, element("bdi", {}, nameOf(seller)), emailMatches ? KNOWN : NEW),
    ...buttons(emailMatches ? [EXISTING, CREATED] : [CREATED, EXISTING]),
    element("p", { class: "soft small" }, "You go on in the browser, and come back here when you are done."),
  )
  return part
}

const CLOSED = "This seller can't be connected at present. Try again later."

/** The account as it is now, with URLs, and their link. A seller without an id has to be found by its name. */
async function offer({ seller }) {
  const { body } = await call(getAccounts, { redirectUri: `${location.origin}/`, sellerId: seller.id })
  const current = body.accounts.find((account) => account.seller.id === seller.id && account.seller.name === seller.name)
  return { current, link: body.link }
}
