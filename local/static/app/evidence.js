// Evidence that a seller requests before granting an entitlement.
import { element, icon, linkOut } from "./dom.js"
import { formatDay } from "./texts.js"

const OPEN = ["potential", "active", "failed"]
const STATES = {
  potential: ["Needed", "info"],
  active: ["Started", "info"],
  completed: ["Received", "good"],
  failed: ["Rejected", "bad"],
}
const DIRECTIONS = {
  potential: "The seller needs a document from you.",
  active: "You have started. Please complete it.",
  completed: "There is nothing for you to do.",
  failed: "What you sent was not accepted. Send something else.",
}
const ENDED = "This entitlement has ended. Ask the seller how to get it again."
const [ENDED_ON, HOLDS_UNTIL] = ["ended on", "holds until"]
const TOO_LATE = "The deadline has passed. Ask the seller."

const isPast = (time) => time !== undefined && new Date(time) < new Date()
const isOpen = ({ status, uploadExpiresAt, expiresAt }) => OPEN.includes(status) && !isPast(uploadExpiresAt) && !isPast(expiresAt)

/** Return the requests of an account that the customer can act on. */
export const openRequests = (account) => account.evidenceRequests.filter(isOpen)

/** Create the card of one request. */
export function evidenceCard(request) {
  const { entitlementName, status, uploadUrl, uploadExpiresAt, expiresAt } = request
  const hasEnded = isPast(expiresAt)
  const known = STATES[status] ?? ["Unknown", "plain"] // future statuses too
  const [state, look] = hasEnded ? ["Ended", "plain"] : known
  const endText = hasEnded ? ENDED_ON : HOLDS_UNTIL
  const isTooLate = OPEN.includes(status) && isPast(uploadExpiresAt)
  const canUpload = isOpen(request)
  const title = element("h3", { dir: "auto" }, entitlementName ?? "Evidence")
  return element(
    "article",
    { class: "card" },
    element("div", { class: "side" }, title, element("span", { class: `tag ${look}` }, state)),
    element("p", {}, hasEnded ? ENDED : isTooLate ? TOO_LATE : (DIRECTIONS[status] ?? "The status is unknown.")),
    canUpload && uploadExpiresAt && element("p", { class: "soft small" }, `Upload until ${formatDay(uploadExpiresAt)}`),
    expiresAt && element("p", { class: "soft small" }, `The entitlement ${endText} ${formatDay(expiresAt)}`),
    canUpload && linkOut("button", uploadUrl, icon("upload"), "Upload evidence"),
  )
}
