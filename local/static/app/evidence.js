// Evidence that a seller asks for before it grants an entitlement.
import { element, icon, linkOut } from "./dom.js"
import { day } from "./words.js"

const OPEN = ["potential", "active", "failed"]
const STATES = {
  potential: ["Needed", "info"],
  active: ["Begun", "info"],
  completed: ["Received", "good"],
  failed: ["Rejected", "bad"],
}
const DIRECTIONS = {
  potential: "The seller needs a document from you.",
  active: "You have begun. Finish what is missing.",
  completed: "There is nothing for you to do.",
  failed: "What you sent was not accepted. Send something else.",
}
const ENDED = "This entitlement has ended. Ask the seller how to get it again."
const [ENDED_ON, HOLDS_UNTIL] = ["ended on", "holds until"]
const TOO_LATE = "The time to send it is over. Ask the seller."

const isPast = (time) => time !== undefined && new Date(time) < new Date()
const isOpen = ({ status, uploadExpiresAt, expiresAt }) => OPEN.includes(status) && !isPast(uploadExpiresAt) && !isPast(expiresAt)

/** The requests of an account that the customer can do something about. */
export const openRequests = (account) => account.evidenceRequests.filter(isOpen)

/** One request as a card. */
export function evidenceCard(request) {
  const { entitlementName, status, uploadUrl, uploadExpiresAt, expiresAt } = request
  const hasEnded = isPast(expiresAt)
  const known = STATES[status] ?? ["Not known", "plain"] // a status to come is like "unknown"
  const [state, look] = hasEnded ? ["Ended", "plain"] : known
  const isTooLate = OPEN.includes(status) && isPast(uploadExpiresAt)
  const canUpload = isOpen(request)
  const title = element("h3", { dir: "auto" }, entitlementName ?? "Evidence")
  return element(
    "article",
    { class: "card" },
    element("div", { class: "side" }, title, element("span", { class: `tag ${look}` }, state)),
    element("p", {}, hasEnded ? ENDED : isTooLate ? TOO_LATE : (DIRECTIONS[status] ?? "We don't know its status.")),
    canUpload && uploadExpiresAt && element("p", { class: "soft small" }, `Upload until ${day(uploadExpiresAt)}`),
    expiresAt && element("p", { class: "soft small" }, `The entitlement ${hasEnded ? ENDED_ON : HOLDS_UNTIL} ${day(expiresAt)}`),
    canUpload && linkOut("button", uploadUrl, icon("upload"), "Upload evidence"),
  )
}
