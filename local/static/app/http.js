// Sends requests to the API, and defines results and errors. The operations are in client.js, generated from openapi.json.

const TIMEOUT_MS = 31_000 // API Gateway itself gives up after 30 s
const RETRYABLE_GATEWAY_STATUSES = [429, 500, 503]

/**
 * An error. Its `kind` is the source:
 * - "problem": this service (RFC 9457). Branch on `code`; `detail` is for developers.
 * - "gateway": API Gateway, without a code. Branch on `status`.
 * - "network": the API was not reached, or not in time. `status` is 0.
 * If `retryable`, the same request may succeed later: after `retryAfterSeconds`, if known.
 */
export class ApiError extends Error {
  constructor(kind, { status = 0, code, detail = "", retryable = false, retryAfterSeconds, requestId, cause } = {}) {
    super(`${kind} ${status} ${code ?? ""}: ${detail}`, { cause })
    this.name = "ApiError"
    Object.assign(this, { kind, status, code, detail, retryable, retryAfterSeconds, requestId })
  }
}

/**
 * Send a request.
 * @param {{ baseUrl: string, token: string }} api
 * @returns {Promise<{ status: number, body?: object, etag: string | null, cacheControl: string }>} 204 and 304 have no `body`
 * @throws {ApiError}
 */
export async function send(api, method, path, query, headers) {
  const url = new URL(api.baseUrl + path)
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value)
  const requestHeaders = new Headers({ Accept: "application/json", Authorization: `Bearer ${api.token}` })
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) requestHeaders.set(name, value)
  let response, body
  try {
    // offline.js stores responses, so the app must see a 304
    response = await fetch(url, { method, headers: requestHeaders, cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) })
    const text = await response.text()
    body = text ? JSON.parse(text) : undefined
  } catch (cause) {
    // a response that isn't JSON comes from an intermediary, such as the login page of a public network
    throw new ApiError("network", { detail: "The API could not be reached.", retryable: true, cause })
  }
  if (!response.ok && response.status !== 304) throw errorFromResponse(response, body)
  const [etag, cacheControl] = [response.headers.get("ETag"), response.headers.get("Cache-Control") ?? ""]
  return { status: response.status, body, etag, cacheControl }
}

function errorFromResponse({ status, headers }, body) {
  const seconds = headers.get("Retry-After") ?? ""
  const retryAfterSeconds = /^\d+$/.test(seconds) ? Number(seconds) : undefined
  if (headers.get("Content-Type")?.startsWith("application/problem+json")) {
    const { code, detail, retryable, requestId } = body
    return new ApiError("problem", { status, code, detail, retryable, retryAfterSeconds, requestId })
  }
  const requestId = headers.get("Apigw-Requestid") ?? undefined
  const retryable = RETRYABLE_GATEWAY_STATUSES.includes(status)
  return new ApiError("gateway", { status, detail: body?.message, retryable, retryAfterSeconds, requestId })
}
