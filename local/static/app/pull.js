// Pull to refresh, by touch. The button in the bar is for everybody else.

const FAR_ENOUGH = 72
const FURTHEST = 110

/** Calls `refresh` when the page is pulled down from its top; `indicator` moves along. */
export function pullToRefresh(indicator, refresh) {
  let startedAt = null
  let pulled = 0
  const move = (distance) => {
    pulled = distance
    indicator.style.setProperty("--pulled", `${distance}px`)
    indicator.classList.toggle("ready", distance >= FAR_ENOUGH)
  }
  document.addEventListener("touchstart", ({ touches }) => {
    const canStart = scrollY === 0 && touches.length === 1 && !document.querySelector("dialog[open]")
    startedAt = canStart ? touches[0].clientY : null
  })
  document.addEventListener(
    "touchmove",
    (event) => {
      if (startedAt === null) return
      const distance = (event.touches[0].clientY - startedAt) / 2 // it gives way slowly, as under a thumb it should
      if (distance > 0 && event.cancelable) event.preventDefault()
      move(Math.max(0, Math.min(FURTHEST, distance)))
    },
    { passive: false },
  )
  const end = () => {
    if (pulled >= FAR_ENOUGH) refresh()
    startedAt = null
    move(0)
  }
  document.addEventListener("touchend", end)
  document.addEventListener("touchcancel", () => {
    startedAt = null
    move(0)
  })
}
