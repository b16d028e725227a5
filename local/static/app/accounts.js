// The customer's accounts, requested with the ETag of the stored copy, which is shown if the request fails.
import { getAccounts } from "./client.js"
import { mayShowCopy, readCopy, storeCopy } from "./offline.js"
import { call, isSignedIn, session } from "./session.js"

/**
 * Load the accounts. `at` is their time; `freshness` is "new", "unchanged" (304), or "stale", with the `error` as the reason.
 * Throws the ApiError if there is nothing to show.
 */
export async function loadAccounts() {
  const { customer } = session()
  const copy = readCopy(customer)
  try {
    const response = await call(getAccounts, { ifNoneMatch: copy?.etag })
    const isUnchanged = response.status === 304
    if (isSignedIn(customer)) storeCopy(customer, isUnchanged ? { ...response, ...copy } : response)
    return { list: (isUnchanged ? copy : response).body.accounts, at: Date.now(), freshness: isUnchanged ? "unchanged" : "new" }
  } catch (error) {
    if (!copy || !mayShowCopy(copy, error)) throw error
    return { list: copy.body.accounts, at: copy.at, freshness: "stale", error }
  }
}

/** Return a key that finds the account again in a later list. A seller may have no id. */
export const accountKey = (account, index) => account.seller.id ?? `number ${index + 1}`

/** Return the account with a key. */
export const findAccount = (list, key) => list.find((account, index) => accountKey(account, index) === key)
