// The link that the customer left for imin with. Its id outlives the page, so the outcome is found however the browser ended.
const KEY = "demo.pending"

/** Remember `link` (`{ id, expiresAt }`) when the customer opens one of its URLs. The URL itself is a secret, and isn't kept. */
export const remember = ({ id, expiresAt }) => localStorage.setItem(KEY, JSON.stringify({ id, expiresAt }))

/** The id of the link to look at, or null: none was opened, or its time is over. */
export function pendingLink() {
  const link = JSON.parse(localStorage.getItem(KEY))
  if (!link || Date.parse(link.expiresAt) > Date.now()) return link?.id ?? null
  forgetPending()
  return null
}

/** Forget the link: it is confirmed or not known, or the customer signed out. */
export const forgetPending = () => localStorage.removeItem(KEY)
