// The customer's accounts: asked for with the ETag of the copy, which stands in when there is no answer.
import { getAccounts } from "./client.js"
import { keepCopy, readCopy, standsIn } from "./offline.js"
import { call, isIn, session } from "./session.js"

/**
 * The accounts, when they were had, and how fresh they are: "new", "unchanged" (304), or "stale" with the `error` that made them so.
 * Throws the ApiError where there is nothing to show.
 */
export async function loadAccounts() {
  const { customer } = session()
  const copy = readCopy(customer)
  try {
    const answer = await call(getAccounts, { ifNoneMatch: copy?.etag })
    const isUnchanged = answer.status === 304
    if (isIn(customer)) keepCopy(customer, isUnchanged ? { ...answer, ...copy } : answer)
    return { list: (isUnchanged ? copy : answer).body.accounts, at: Date.now(), freshness: isUnchanged ? "unchanged" : "new" }
  } catch (error) {
    if (!copy || !standsIn(copy, error)) throw error
    return { list: copy.body.accounts, at: copy.at, freshness: "stale", error }
  }
}

/** How to find an account again in a later list. A seller may have no id. */
export const keyOf = (account, index) => account.seller.id ?? `number ${index + 1}`

/** The account with a key. */
export const find = (list, key) => list.find((account, index) => keyOf(account, index) === key)
