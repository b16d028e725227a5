// Formats times, and words errors for the customer, with the action to take.

const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "long" })
const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" })
const TIME = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" })

/** `2021-01-27T12:00:00Z` as 27 January 2021, as the customer's clock has it. */
export const day = (time) => DAY.format(new Date(time))

/** A time with its day; only the time when it is today. */
export function moment(time) {
  const date = new Date(time)
  return (date.toDateString() === new Date().toDateString() ? TIME : MOMENT).format(date)
}

const OURS = ["Something is wrong on our side", "It has nothing to do with you. Try again in a moment."]

const BY_CODE = {
  customer_not_found: ["The booking platform does not know you", "You may have signed in as someone else."],
  forbidden: ["These accounts are not yours", "You may have signed in as someone else."],
  link_not_found: ["This link has expired", "What you connected is in your list."],
  redirect_uri_not_allowed: ["This app can't take you back", "Its address was not agreed. Open it at the address that the stack prints."],
  upstream_rejected_key: ["The booking platform does not let us in", "Trying again does not help. We have to put that right."],
  upstream_invalid_response: ["The booking platform's answer makes no sense", "It is not your doing. Try again in a few minutes."],
  upstream_unavailable: ["The booking platform is busy", "It asks for a little patience. Your accounts are safe."],
  upstream_timeout: ["The booking platform takes too long", "That is often over in a minute. Try again then."],
  internal_error: OURS,
  storage_unavailable: OURS,
  secret_unavailable: OURS,
}

const BY_STATUS = {
  401: ["Your session has ended", "Sign in again to see your accounts."],
  429: ["Too many requests", "Wait a moment, and try again."],
}

/** Whether another login can help: the session has ended, or the customer is not known. */
export const needsLogin = ({ code, status }) => status === 401 || ["customer_not_found", "forbidden"].includes(code)

const unreachable = () => [navigator.onLine ? "We can't be reached" : "You are offline", "Check your connection, and try again."]

/** [what happened, what to do] for an ApiError; a code that is not known goes by its status. */
export function explained({ kind, code, status, retryable }) {
  if (kind === "network") return unreachable()
  const unknown = retryable ? OURS : ["That didn't work", "Trying again doesn't help. Contact us, and quote the reference."]
  return BY_CODE[code] ?? BY_STATUS[status] ?? unknown
}
