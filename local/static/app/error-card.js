// An error as shown to the customer: what happened, what to do, and a retry button if that can help.
import { element, icon } from "./dom.js"
import { errorTexts, needsLogin } from "./texts.js"

/** Create the card of an ApiError. Its button calls `retry`, or signs out if signing in again can help. */
export function errorCard(error, retry) {
  const [title, advice] = errorTexts(error)
  return element(
    "section",
    { class: "card trouble" },
    icon(error.kind === "network" ? "offline" : "warning"),
    element("h2", {}, title),
    element("p", {}, advice),
    error.retryable && retryButton(error.retryAfterSeconds ?? 0, retry),
    needsLogin(error) && element("button", { class: "button", click: () => dispatchEvent(new Event("leave")) }, "Sign in again"),
    error.requestId && element("p", { class: "soft small" }, "Reference: ", element("code", {}, error.requestId)),
  )
}

/** Create a button that is enabled after `seconds`. It reads the clock, because timers stop while a phone sleeps. */
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
