// The link of the customer's current visit to imin. Its id outlives the page, so the outcome is found however the browser ended.
const KEY = "demo.pending"

/**
 * Store the link (`{ id, expiresAt }`) and the seller when the customer opens a connect URL. The URL is a secret and isn't
 * stored. A later link replaces an earlier one, which has its outcome in the accounts.
 */
export const storePendingLink = ({ id, expiresAt }, sellerId) =>
  localStorage.setItem(KEY, JSON.stringify({ id, expiresAt, sellerId }))

/** Return the link to read, `{ id, sellerId }`, or null if none was opened or it has expired. */
export function pendingLink() {
  const link = JSON.parse(localStorage.getItem(KEY))
  if (!link || Date.parse(link.expiresAt) > Date.now()) return link
  deletePendingLink()
  return null
}

/** Delete the link: it is confirmed or unknown, or the customer signed out. */
export const deletePendingLink = () => localStorage.removeItem(KEY)
