// The outcome of sending the customer to connect an account. The redirect only says which link it was: the outcome that it names
// is not trusted.
import { keyOf } from "./accounts.js"
import { getLink } from "./client.js"
import { element, icon } from "./dom.js"
import { forgetPending } from "./pending.js"
import { call } from "./session.js"
import { trouble } from "./trouble.js"
import { explained } from "./words.js"

const WAITS_MS = [1000, 2000, 4000, 8000]

/** The id of the link with which the customer returned, if there is one; the address bar is tidied. */
export function takeReturn() {
  const linkId = new URLSearchParams(location.search).get("linkId")
  if (location.search) history.replaceState(null, "", location.pathname + location.hash)
  return linkId
}

/**
 * Show in `place` the outcome of a link, and return the link if it is confirmed, else null. The link is read again, with longer
 * waits, while imin can't say. With `isQuiet`, nothing is said of a link under which nothing is connected.
 */
export async function showOutcome(place, linkId, announce, isQuiet = false) {
  let isDismissed = false
  const dismiss = () => {
    isDismissed = true
    const heading = place.parentElement?.querySelector("h1")
    place.replaceChildren()
    heading?.focus()
  }
  const dismissal = () => element("button", { class: "quiet", click: dismiss }, "Dismiss")
  const show = (look, symbol, ...words) => {
    const actions = element("div", { class: "actions" }, dismissal())
    place.replaceChildren(element("div", { class: `banner outcome ${look}` }, icon(symbol), element("p", {}, ...words), actions))
    announce(place.querySelector("p").textContent)
  }
  try {
    for (const wait of [...WAITS_MS, 0]) {
      const { body: link } = await call(getLink, { linkId })
      if (link.status === "confirmed") {
        forgetPending()
        show("good", "good", "Connected: ", ...names(link.sellers))
        return link
      }
      if (isDismissed) return null
      if (link.status === "not_confirmed" || link.status === "issued") {
        if (!isQuiet) show("plain", "warning", "Nothing was connected. You can try again at any time.")
        return null
      }
      show("plain", "refresh", "You are back. We are checking what was connected…")
      if (wait) await new Promise((resume) => setTimeout(resume, wait))
    }
    if (!isDismissed) show("plain", "warning", "We don't know yet what was connected. Your list will show it.")
  } catch (error) {
    if (!error.kind) throw error
    const isOver = error.code === "link_not_found"
    if (isOver) forgetPending()
    if (isQuiet || isDismissed) return null
    if (isOver) show("plain", "warning", explained(error).join(". "))
    else {
      const card = trouble(error, () => showOutcome(place, linkId, announce))
      card.append(dismissal())
      place.replaceChildren(card)
      announce(explained(error).join(". "))
    }
  }
  return null
}

/** Add to the outcome of a confirmed link the way to what it connected, as far as `accounts` has that. */
export function leadOn(place, { sellers }, accounts) {
  const actions = place.querySelector(".actions")
  const ids = new Set(sellers.map(({ id }) => id))
  const ways = accounts
    .map((account, index) => ({ account, key: keyOf(account, index) }))
    .filter(({ account }) => account.status === "connected" && ids.has(account.seller.id))
  for (const { account, key } of ways.reverse()) {
    const what = account.accessPasses.length ? "Show your pass" : "Show your account"
    const whose = ways.length > 1 && [": ", element("bdi", {}, account.seller.name ?? account.seller.id)]
    actions?.prepend(element("a", { class: "button", href: `#seller/${encodeURIComponent(key)}` }, what, ...(whose || [])))
  }
}

/** Names with commas between, each in a direction of its own. */
const names = (sellers) => sellers.flatMap(({ id, name }, at) => [at ? ", " : "", element("bdi", {}, name ?? id)])
