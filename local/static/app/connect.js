// Where the customer can connect an account. URLs are asked for when she opens the seller, and are nowhere but in the links here.
import { getAccounts } from "./client.js"
import { element, icon, linkOut } from "./dom.js"
import { remember } from "./pending.js"
import { nameOf } from "./seller-parts.js"
import { call } from "./session.js"
import { trouble } from "./trouble.js"
import { explained } from "./words.js"

const KNOWN = " knows your e-mail address, so you can probably log in."
const NEW = " does not know your e-mail address. You can still connect an account that has another one."

/** A part of the page that asks for the URLs and becomes the links, or says why there are none. */
export function connectPart(account, announce) {
  const part = element("section", { class: "connect" })
  const say = (words) => part.isConnected && announce(words) // she may have gone on to something else
  const ask = async () => {
    part.setAttribute("aria-busy", "true")
    part.replaceChildren(element("p", { class: "card soft" }, "Asking where you can connect…"))
    try {
      const { current, link } = await offer(account)
      part.replaceChildren(...choices(current))
      for (const way of part.querySelectorAll("a")) way.addEventListener("click", () => remember(link))
      say("You can connect your account or create one.")
    } catch (error) {
      if (!error.kind) throw error
      part.replaceChildren(trouble(error, ask))
      say(explained(error).join(". "))
    }
    part.removeAttribute("aria-busy")
  }
  void ask()
  return part
}

/** The account as it is now, with URLs, and their link. A seller without an id has to be found by what it is called. */
async function offer({ seller }) {
  const { body } = await call(getAccounts, { redirectUri: `${location.origin}/`, sellerId: seller.id })
  const current = body.accounts.find((account) => account.seller.id === seller.id && account.seller.name === seller.name)
  return { current, link: body.link }
}

function choices(account) {
  const { connect, seller } = account ?? {}
  if (!connect) return [element("p", { class: "card soft" }, "This seller can't be connected at present. Try again later.")]
  const existing = ["Connect your account", connect.existingAccountUrl]
  const created = ["Create an account", connect.newAccountUrl]
  const isKnown = connect.suggested === "existing"
  const buttons = (isKnown ? [existing, created] : [created, existing]).filter(([, url]) => url)
  return [
    element("h2", {}, isKnown ? "You seem to have an account" : "You seem to be new here"),
    element("p", {}, element("bdi", {}, nameOf(seller)), isKnown ? KNOWN : NEW),
    buttons.map(([words, url], at) => linkOut(at ? "button other" : "button", url, words, at === 0 && icon("on"))).filter(Boolean),
    element("p", { class: "soft small" }, "You go on in the browser, and come back here when you are done."),
  ].flat()
}
