// Pull to refresh, by touch. Other users have the button in the bar.

const REFRESH_DISTANCE = 72
const MAX_DISTANCE = 110

/** Call `refresh` when the page is pulled down from its top. `indicator` follows the finger. */
export function pullToRefresh(indicator, refresh) {
  let startedAt = null
  let pulled = 0
  const move = (distance) => {
    pulled = distance
    indicator.style.setProperty("--pulled", `${distance}px`)
    indicator.classList.toggle("ready", distance >= REFRESH_DISTANCE)
  }
  document.addEventListener("touchstart", ({ touches }) => {
    const canStart = scrollY === 0 && touches.length === 1 && !document.querySelector("dialog[open]")
    startedAt = canStart ? touches[0].clientY : null
  })
  document.addEventListener(
    "touchmove",
    (event) => {
      if (startedAt === null) return
      const distance = (event.touches[0].clientY - startedAt) / 2 // half the speed of the finger
      if (distance > 0 && event.cancelable) event.preventDefault()
      move(Math.max(0, Math.min(MAX_DISTANCE, distance)))
    },
    { passive: false },
  )
  const end = () => {
    if (pulled >= REFRESH_DISTANCE) refresh()
    startedAt = null
    move(0)
  }
  document.addEventListener("touchend", end)
  document.addEventListener("touchcancel", () => {
    startedAt = null
    move(0)
  })
}
