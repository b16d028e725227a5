// What came of sending the customer to connect an account. The address that she comes back to only says which link it was: what it
// says of the outcome is not believed.
import { getLink } from "./client.js"
import { element, icon } from "./dom.js"
import { call } from "./session.js"
import { forgetPending } from "./pending.js"
import { trouble } from "./trouble.js"
import { explained } from "./words.js"

const WAITS_MS = [1000, 2000, 4000, 8000]

/** The id of the link with which she came back, if she did; the address bar is tidied. */
export function takeReturn() {
  const linkId = new URLSearchParams(location.search).get("linkId")
  if (location.search) history.replaceState(null, "", location.pathname + location.hash)
  return linkId
}

/**
 * Show in `place` the outcome of a link, and return whether it is confirmed. The link is read again, with longer waits, while imin
 * can't say. With `isQuiet`, nothing is said of a link under which nothing is connected.
 */
export async function showOutcome(place, linkId, announce, isQuiet = false) {
  const show = (look, symbol, words, ...more) => {
    const close = () => place.replaceChildren()
    const dismiss = element("button", { class: "quiet", click: close }, "Dismiss")
    place.replaceChildren(element("div", { class: `banner ${look}` }, icon(symbol), element("p", {}, words, ...more), dismiss))
    announce(place.querySelector("p").textContent)
  }
  try {
    for (const wait of [...WAITS_MS, 0]) {
      const { body: link } = await call(getLink, { linkId })
      if (link.status === "confirmed") {
        forgetPending()
        show("good", "good", "Connected: ", ...names(link.sellers))
        return true
      }
      if (link.status === "not_confirmed" || link.status === "issued") {
        if (!isQuiet) show("plain", "warning", "Nothing was connected. You can try again at any time.")
        return false
      }
      show("plain", "refresh", "You are back. We are checking what was connected…")
      if (wait) await new Promise((resume) => setTimeout(resume, wait))
    }
    show("plain", "warning", "We can't tell yet what was connected. Your list shows it as soon as we can.")
  } catch (error) {
    if (!error.kind) throw error
    if (error.code === "link_not_found") forgetPending()
    if (isQuiet) return false
    place.replaceChildren(trouble(error, () => showOutcome(place, linkId, announce)))
    announce(explained(error).join(". "))
  }
  return false
}

/** Names with commas between, each in a direction of its own. */
const names = (sellers) =>
  sellers.flatMap(({ id, name }, at) => [at ? ", " : "", element("bdi", {}, name ?? id)])
