// Formatted times, and error texts for customers with advice.

const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "long" })
const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" })
const TIME = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" })

/** Format `2021-01-27T12:00:00Z` as 27 January 2021, in the customer's time zone. */
export const formatDay = (time) => DAY.format(new Date(time))

/** Format a time with its day, or without if it is today. */
export function formatTime(time) {
  const date = new Date(time)
  return (date.toDateString() === new Date().toDateString() ? TIME : MOMENT).format(date)
}

const OUR_FAULT = ["Something is wrong on our side", "It is not your fault. Try again in a moment."]

const BY_CODE = {
  customer_not_found: ["The booking platform does not know you", "You may have signed in as someone else."],
  forbidden: ["These accounts are not yours", "You may have signed in as someone else."],
  link_not_found: ["This link has expired", "What you connected is in your list."],
  redirect_uri_not_allowed: ["This app can't take you back", "Its address is not allowed. Open it at the one printed by the stack."],
  upstream_rejected_key: ["The booking platform does not let us in", "Trying again does not help. We have to fix it."],
  upstream_invalid_response: ["The booking platform's reply can't be read", "It is not your fault. Try again in a few minutes."],
  upstream_unavailable: ["The booking platform is busy", "Try again in a few minutes. Your accounts are safe."],
  upstream_timeout: ["The booking platform takes too long", "Try again in a minute."],
  internal_error: OUR_FAULT,
  storage_unavailable: OUR_FAULT,
  secret_unavailable: OUR_FAULT,
}

const BY_STATUS = {
  401: ["Your session has ended", "Sign in again to see your accounts."],
  429: ["There were too many requests", "Wait a moment, and try again."],
}

/** Return whether signing in again can help: the session has ended, or the customer is unknown. */
export const needsLogin = ({ code, status }) => status === 401 || ["customer_not_found", "forbidden"].includes(code)

const unreachable = () => [navigator.onLine ? "We can't be reached" : "You are offline", "Check your connection, and try again."]

/** Return [what happened, what to do] for an ApiError. An unknown code is handled by its status. */
export function errorTexts({ kind, code, status, retryable }) {
  if (kind === "network") return unreachable()
  const unknown = retryable ? OUR_FAULT : ["That did not work", "Trying again does not help. Contact us, and quote the reference."]
  return BY_CODE[code] ?? BY_STATUS[status] ?? unknown
}
