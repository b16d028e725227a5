// The outcome of connecting an account. The redirect only identifies the link: its `status` is not trusted.
import { accountKey } from "./accounts.js"
import { getLink } from "./client.js"
import { element, icon } from "./dom.js"
import { deletePendingLink } from "./pending.js"
import { call } from "./session.js"
import { errorCard } from "./error-card.js"
import { errorTexts } from "./texts.js"

const WAITS_MS = [1000, 2000, 4000, 8000]

/** Return the link id from the redirect, if any, and remove the query from the address bar. */
export function takeReturn() {
  const linkId = new URLSearchParams(location.search).get("linkId")
  if (location.search) history.replaceState(null, "", location.pathname + location.hash)
  return linkId
}

/**
 * Show the outcome of a link in `place`, and return the link if it is confirmed, else null. The link is read again, with
 * increasing waits, while its outcome is unknown. With `isQuiet`, nothing is shown if nothing was connected.
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
  const show = (look, symbol, ...text) => {
    const actions = element("div", { class: "actions" }, dismissal())
    place.replaceChildren(element("div", { class: `banner outcome ${look}` }, icon(symbol), element("p", {}, ...text), actions))
    announce(place.querySelector("p").textContent)
  }
  try {
    for (const wait of [...WAITS_MS, 0]) {
      const { body: link } = await call(getLink, { linkId })
      if (link.status === "confirmed") {
        deletePendingLink()
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
    if (!isDismissed) show("plain", "warning", "We don't know yet what was connected. Your list will show it as soon as we do.")
  } catch (error) {
    if (!error.kind) throw error
    const isExpired = error.code === "link_not_found"
    if (isExpired) deletePendingLink()
    if (isQuiet || isDismissed) return null
    if (isExpired) show("plain", "warning", errorTexts(error).join(". "))
    else {
      const card = errorCard(error, () => showOutcome(place, linkId, announce))
      card.append(dismissal())
      place.replaceChildren(card)
      announce(errorTexts(error).join(". "))
    }
  }
  return null
}

/** Add links to the connected accounts to the outcome of a confirmed link. */
export function addAccountLinks(place, { sellers }, accounts) {
  const actions = place.querySelector(".actions")
  const ids = new Set(sellers.map(({ id }) => id))
  const connected = accounts
    .map((account, index) => ({ account, key: accountKey(account, index) }))
    .filter(({ account }) => account.status === "connected" && ids.has(account.seller.id))
  for (const { account, key } of connected.reverse()) {
    const label = account.accessPasses.length ? "Show your pass" : "Show your account"
    const sellerName = connected.length > 1 && [": ", element("bdi", {}, account.seller.name ?? account.seller.id)]
    actions?.prepend(element("a", { class: "button", href: `#seller/${encodeURIComponent(key)}` }, label, ...(sellerName || [])))
  }
}

/** Join names with commas; each name keeps its own text direction. */
const names = (sellers) => sellers.flatMap(({ id, name }, at) => [at ? ", " : "", element("bdi", {}, name ?? id)])
