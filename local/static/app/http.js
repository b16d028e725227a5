// Calls the API, and classifies responses and errors. The operations are in client.js, which is generated from openapi.json.

const LONGEST_MS = 31_000 // API Gateway itself gives up after 30 s
const RETRYABLE_OF_GATEWAY = [429, 500, 503]

/**
 * An error. `kind` is its source:
 * - "problem": the service (RFC 9457). Act on `code`; `detail` is for developers.
 * - "gateway": API Gateway, which has no code. Act on `status`.
 * - "network": nobody; the API was not reached, or not in time. `status` is 0.
 * `retryable`: the same request can succeed later; after `retryAfterSeconds`, where that is known.
 */
export class ApiError extends Error {
  constructor(kind, { status = 0, code, detail = "", retryable = false, retryAfterSeconds, requestId, cause } = {}) {
    super(`${kind} ${status} ${code ?? ""}: ${detail}`, { cause })
    this.name = "ApiError"
    Object.assign(this, { kind, status, code, detail, retryable, retryAfterSeconds, requestId })
  }
}

/**
 * Makes a call.
 * @param {{ baseUrl: string, token: string }} api
 * @returns {Promise<{ status: number, body?: object, etag: string | null, cacheControl: string }>} 204 and 304 have no `body`
 * @throws {ApiError}
 */
export async function send(api, method, path, query, headers) {
  const url = new URL(api.baseUrl + path)
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value)
  const sent = new Headers({ Accept: "application/json", Authorization: `Bearer ${api.token}` })
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) sent.set(name, value)
  let response, body
  try {
    // the app keeps what may be kept by itself, so a 304 must come through
    response = await fetch(url, { method, headers: sent, cache: "no-store", signal: AbortSignal.timeout(LONGEST_MS) })
    const text = await response.text()
    body = text ? JSON.parse(text) : undefined
  } catch (cause) {
    // what is no JSON comes from something on the way, like the login page of a public network
    throw new ApiError("network", { detail: "The API could not be reached.", retryable: true, cause })
  }
  if (!response.ok && response.status !== 304) throw failure(response, body)
  const received = response.headers
  return { status: response.status, body, etag: received.get("ETag"), cacheControl: received.get("Cache-Control") ?? "" }
}

function failure({ status, headers }, body) {
  const seconds = headers.get("Retry-After") ?? ""
  const retryAfterSeconds = /^\d+$/.test(seconds) ? Number(seconds) : undefined
  if (headers.get("Content-Type")?.startsWith("application/problem+json")) {
    const { code, detail, retryable, requestId } = body
    return new ApiError("problem", { status, code, detail, retryable, retryAfterSeconds, requestId })
  }
  const requestId = headers.get("Apigw-Requestid") ?? undefined
  const retryable = RETRYABLE_OF_GATEWAY.includes(status)
  return new ApiError("gateway", { status, detail: body?.message, retryable, retryAfterSeconds, requestId })
}
