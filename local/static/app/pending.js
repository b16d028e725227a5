// The link that the customer left for imin with. Its id outlives the page, so the outcome is found however the browser ended.
const KEY = "demo.pending"

/**
 * Remember `link` (`{ id, expiresAt }`) and the seller when the customer opens one of its URLs. The URL itself is a secret, and
 * isn't kept. A later link replaces it: what came of an earlier one is in the accounts.
 */
export const remember = ({ id, expiresAt }, sellerId) => localStorage.setItem(KEY, JSON.stringify({ id, expiresAt, sellerId }))

/** The link to read, `{ id, sellerId }`, or null: none was opened, or it has expired. */
export function pendingLink() {
  const link = JSON.parse(localStorage.getItem(KEY))
  if (!link || Date.parse(link.expiresAt) > Date.now()) return link
  forgetPending()
  return null
}

/** Forget the link: it is confirmed or unknown, or the customer signed out. */
export const forgetPending = () => localStorage.removeItem(KEY)
