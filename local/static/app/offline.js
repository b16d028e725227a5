// Stored copies of accounts, shown while the API fails, as `stale-if-error` in `Cache-Control` allows (RFC 5861).
// A list with connect URLs is `no-store` and never stored.

const PREFIX = "demo.copy."

/** Store a response of getAccounts, if that is allowed. */
export function storeCopy(customer, { body, etag, cacheControl }) {
  const staleSeconds = Number(/stale-if-error=(\d+)/.exec(cacheControl)?.[1] ?? 0)
  if (!staleSeconds || /no-store/.test(cacheControl)) return
  try {
    localStorage.setItem(PREFIX + customer, JSON.stringify({ body, etag, staleSeconds, at: Date.now() }))
  } catch {
    localStorage.removeItem(PREFIX + customer) // storage is full: no copy is better than an old one
  }
}

/** Return the copy, `{ body, etag, staleSeconds, at }`, or null. */
export const readCopy = (customer) => JSON.parse(localStorage.getItem(PREFIX + customer))

/** Return whether the copy may be shown: the API was not reached or failed with a 5xx, and the copy is recent enough. */
export const mayShowCopy = ({ at, staleSeconds }, { kind, status }) =>
  (kind === "network" || status >= 500) && Date.now() - at <= staleSeconds * 1000

/** Delete all copies. */
export function deleteCopies() {
  for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key)
}
