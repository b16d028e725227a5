// Who is signed in. The local issuer stands for the broker's login; a token is kept no longer than the tab.
import { ApiError } from "./http.js"
import { forgetCopies } from "./offline.js"
import { forgetPending } from "./pending.js"

const KEY = "demo.session"

/** `{ customer, token }`, or null. */
export const session = () => JSON.parse(sessionStorage.getItem(KEY))

/** Whether a customer is signed in still: a response may come after they have left. */
export const isIn = (customer) => session()?.customer === customer

/** Signs a customer in. Throws an ApiError. */
export async function signIn(customer) {
  sessionStorage.setItem(KEY, JSON.stringify({ customer, token: await newToken(customer) }))
}

async function newToken(customer) {
  let answer
  try {
    answer = await fetch("/local/token", { method: "POST", body: JSON.stringify({ customerIdentifier: customer }) })
  } catch (cause) {
    throw new ApiError("network", { retryable: true, cause })
  }
  if (!answer.ok) throw new ApiError("gateway", { status: answer.status })
  return (await answer.json()).accessToken
}

/** Forget the customer and all that is kept of them. */
export function signOut() {
  sessionStorage.removeItem(KEY)
  forgetCopies()
  forgetPending()
}

/** Calls an operation of client.js as the customer. A token that is good no longer is replaced, once. */
export async function call(operation, parameters) {
  const ask = (token) => operation({ baseUrl: location.origin, token }, { customerIdentifier: "me", ...parameters })
  const { customer, token } = session()
  try {
    return await ask(token)
  } catch (error) {
    if (error.status !== 401) throw error
    const fresh = await newToken(customer)
    if (isIn(customer)) sessionStorage.setItem(KEY, JSON.stringify({ customer, token: fresh }))
    return ask(fresh)
  }
}
