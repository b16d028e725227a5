// The signed-in customer. The local issuer stands for the broker's login; the token lives as long as the tab.
import { ApiError } from "./http.js"
import { deleteCopies } from "./offline.js"
import { deletePendingLink } from "./pending.js"

const KEY = "demo.session"

/** Return `{ customer, token }`, or null. */
export const session = () => JSON.parse(sessionStorage.getItem(KEY))

/** Return whether the customer is still signed in: a response may arrive after they have left. */
export const isSignedIn = (customer) => session()?.customer === customer

/** Sign a customer in. Throws an ApiError. */
export async function signIn(customer) {
  sessionStorage.setItem(KEY, JSON.stringify({ customer, token: await newToken(customer) }))
}

async function newToken(customer) {
  let response
  try {
    response = await fetch("/local/token", { method: "POST", body: JSON.stringify({ customerIdentifier: customer }) })
  } catch (cause) {
    throw new ApiError("network", { retryable: true, cause })
  }
  if (!response.ok) throw new ApiError("gateway", { status: response.status })
  return (await response.json()).accessToken
}

/** Sign the customer out, and delete all of their data. */
export function signOut() {
  sessionStorage.removeItem(KEY)
  deleteCopies()
  deletePendingLink()
}

/** Call an operation of client.js as the customer. An expired token is replaced once. */
export async function call(operation, parameters) {
  const send = (token) => operation({ baseUrl: location.origin, token }, { customerIdentifier: "me", ...parameters })
  const { customer, token } = session()
  try {
    return await send(token)
  } catch (error) {
    if (error.status !== 401) throw error
    const newest = await newToken(customer)
    if (isSignedIn(customer)) sessionStorage.setItem(KEY, JSON.stringify({ customer, token: newest }))
    return send(newest)
  }
}
