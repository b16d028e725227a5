// The copy of a customer's accounts for when the API has trouble, as its `Cache-Control` allows: `stale-if-error` (RFC 5861).
// A list with connect URLs is `no-store`, and never gets here.

const PREFIX = "demo.copy."

/** Keeps an answer of getAccounts, if it may be kept. */
export function keepCopy(customer, { body, etag, cacheControl }) {
  const staleSeconds = Number(/stale-if-error=(\d+)/.exec(cacheControl)?.[1] ?? 0)
  if (!staleSeconds || /no-store/.test(cacheControl)) return
  try {
    localStorage.setItem(PREFIX + customer, JSON.stringify({ body, etag, staleSeconds, at: Date.now() }))
  } catch {
    localStorage.removeItem(PREFIX + customer) // no space left: better none than an old one
  }
}

/** The copy, `{ body, etag, staleSeconds, at }`, or null. */
export const readCopy = (customer) => JSON.parse(localStorage.getItem(PREFIX + customer))

/** Whether the copy may be shown: the API can't be reached or fails, and the copy is recent enough. */
export const standsIn = ({ at, staleSeconds }, { kind, status }) =>
  (kind === "network" || status >= 500) && Date.now() - at <= staleSeconds * 1000

/** Erases all copies. */
export function forgetCopies() {
  for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key)
}
