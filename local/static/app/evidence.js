// Evidence that a seller asks for before it grants an entitlement.
import { element, icon, linkOut } from "./dom.js"
import { day } from "./words.js"

const OPEN = ["potential", "active", "failed"]
const STATES = {
  potential: ["Needed", "info"],
  active: ["Begun", "info"],
  completed: ["Received", "good"],
  failed: ["Refused", "bad"],
}
const DIRECTIONS = {
  potential: "The seller needs a document from you.",
  active: "You have begun. Finish what is missing.",
  completed: "There is nothing for you to do.",
  failed: "What you sent was not accepted. Send something else.",
}

/** The requests of an account that the customer can do something about. */
export const openRequests = (account) => account.evidenceRequests.filter(({ status }) => OPEN.includes(status))

/** One request as a card. */
export function evidenceCard(request) {
  const { entitlementName, status, uploadUrl, uploadExpiresAt, expiresAt } = request
  const [state, look] = STATES[status] ?? ["Not known", "plain"] // a status to come is like "unknown"
  const isTooLate = OPEN.includes(status) && uploadExpiresAt && new Date(uploadExpiresAt) < new Date()
  const canUpload = OPEN.includes(status) && !isTooLate
  const title = element("h3", { dir: "auto" }, entitlementName ?? "Evidence")
  return element(
    "article",
    { class: "card" },
    element("div", { class: "side" }, title, element("span", { class: `tag ${look}` }, state)),
    element("p", {}, isTooLate ? "The time to send it is over. Ask the seller." : (DIRECTIONS[status] ?? "We can't tell how far it is.")),
    canUpload && uploadExpiresAt && element("p", { class: "soft small" }, `Upload until ${day(uploadExpiresAt)}`),
    expiresAt && element("p", { class: "soft small" }, `The entitlement holds until ${day(expiresAt)}`),
    canUpload && linkOut("button", uploadUrl, icon("upload"), "Upload evidence"),
  )
}
