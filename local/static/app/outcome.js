// What came of sending the customer to connect an account. The address that she comes back to only says which link it was: what it
// says of the outcome is not believed.
import { getLink } from "./client.js"
import { element, icon } from "./dom.js"
import { call } from "./session.js"
import { trouble } from "./trouble.js"
import { explained } from "./words.js"

const WAITS_MS = [1000, 2000, 4000, 8000]

/** The id of the link with which she came back, if she did; the address bar is tidied. */
export function takeReturn() {
  const linkId = new URLSearchParams(location.search).get("linkId")
  if (location.search) history.replaceState(null, "", location.pathname + location.hash)
  return linkId
}

/** Shows in `place` what came of a link. It is asked for again, with longer waits, while that is not known. */
export async function showOutcome(place, linkId, announce) {
  const show = (look, symbol, words, ...more) => {
    const close = () => place.replaceChildren()
    const dismiss = element("button", { class: "quiet", click: close }, "Dismiss")
    place.replaceChildren(element("div", { class: `banner ${look}` }, icon(symbol), element("p", {}, words, ...more), dismiss))
    announce(place.querySelector("p").textContent)
  }
  try {
    for (const wait of [...WAITS_MS, 0]) {
      const { body: link } = await call(getLink, { linkId })
      if (link.status === "confirmed") return show("good", "good", "Connected: ", ...names(link.sellers))
      if (link.status === "not_confirmed") return show("plain", "warning", "Nothing was connected. You can try again at any time.")
      show("plain", "refresh", "You are back. We are checking what was connected…")
      if (wait) await new Promise((resume) => setTimeout(resume, wait))
    }
    show("plain", "warning", "We can't tell yet what was connected. Your list shows it as soon as we can.")
  } catch (error) {
    if (!error.kind) throw error
    place.replaceChildren(trouble(error, () => showOutcome(place, linkId, announce)))
    announce(explained(error).join(". "))
  }
}

/** Names with commas between, each in a direction of its own. */
const names = (sellers) =>
  sellers.flatMap(({ id, name }, at) => [at ? ", " : "", element("bdi", {}, name ?? id)])
