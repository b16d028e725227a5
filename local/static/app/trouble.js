// What a customer sees of an error: what happened, what to do, and a button where trying again can help.
import { element, icon } from "./dom.js"
import { explained, needsLogin } from "./words.js"

/** A card for an ApiError; `retry` is what its button does. Where another login helps, its button signs out. */
export function trouble(error, retry) {
  const [what, todo] = explained(error)
  return element(
    "section",
    { class: "card trouble" },
    icon(error.kind === "network" ? "offline" : "warning"),
    element("h2", {}, what),
    element("p", {}, todo),
    error.retryable && retryButton(error.retryAfterSeconds ?? 0, retry),
    needsLogin(error) && element("button", { class: "button", click: () => dispatchEvent(new Event("leave")) }, "Sign in again"),
    error.requestId && element("p", { class: "soft small" }, "Reference: ", element("code", {}, error.requestId)),
  )
}

/** Counts down what `Retry-After` says, then can be pressed. It goes by the clock: a phone that sleeps does not count. */
export function retryButton(seconds, retry) {
  const button = element("button", { class: "button", click: retry })
  const until = Date.now() + seconds * 1000
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000)
    button.disabled = left > 0
    button.textContent = left > 0 ? `Try again in ${left} s` : "Try again"
    if (left > 0) setTimeout(() => button.isConnected && tick(), 1000)
  }
  tick()
  return button
}
