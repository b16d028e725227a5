// An access pass, to be held under a scanner at a door: the API's own image where there is one, else a barcode drawn from the text.
import { barcode } from "./barcode.js"
import { drawing, element, webAddress } from "./dom.js"
import { day } from "./words.js"

const ACROSS = 104 // CSS pixels: how long a bar is
const AROUND = 200 // CSS pixels of the screen's height that a turned barcode leaves to what is around it
const TOO_LONG = "This is too long for a barcode on this screen."

/** One pass as a card. It is black on white in dark colours too, as scanners need it. */
export function passCard({ text, imageUrl, updatedAt }) {
  const drawn = () => text && (bars(text) ?? element("p", { class: "small" }, "This can't be shown as a barcode."))
  const src = webAddress(imageUrl)
  const error = () => image.replaceWith(drawn() ?? "")
  const image = src && element("img", { src, alt: `Barcode ${text ?? ""}`, referrerpolicy: "no-referrer", error })
  return element(
    "figure",
    { class: "pass" },
    element("div", { class: "bars" }, image ?? drawn()),
    text && element("figcaption", {}, text),
    updatedAt && element("p", { class: "small" }, `Updated ${day(updatedAt)}`),
  )
}

/** The barcode of a text, drawn to fit where it is put, and again when that changes; null where there can be none. */
function bars(text) {
  const code = barcode(text)
  if (!code) return null
  const place = element("div", { class: "code" })
  let drawnFor = ""
  const draw = () => {
    const room = place.clientWidth
    const fits = `${room} ${devicePixelRatio}`
    if (!room || fits === drawnFor) return
    drawnFor = fits
    place.replaceChildren(drawBars(code, text, room) ?? element("p", { class: "small" }, TOO_LONG))
  }
  queueMicrotask(draw)
  new ResizeObserver(() => requestAnimationFrame(draw)).observe(place)
  return place
}

/**
 * The barcode as SVG, or null where it is too long. Its modules are a whole number of the screen's pixels wide, so the bars stay
 * true. It is turned upright where modules across `room` would be thinner than two CSS pixels, and upright makes them wider.
 */
function drawBars({ kind, modules, quiet: [left, right] }, text, room) {
  const count = left + modules.length + right
  const widest = (length) => Math.floor((length * devicePixelRatio) / count) / devicePixelRatio
  const flat = widest(room)
  const upright = widest(innerHeight - AROUND)
  const isTurned = flat < 2 && upright > flat
  const module = isTurned ? upright : flat
  if (module < 1) return null
  const [width, height] = isTurned ? [ACROSS, count] : [count, ACROSS]
  const size = isTurned ? { width: ACROSS, height: count * module } : { width: count * module, height: ACROSS }
  const box = { viewBox: `0 0 ${width} ${height}`, ...size, preserveAspectRatio: "none", "shape-rendering": "crispEdges" }
  const svg = drawing("svg", { ...box, role: "img", "aria-label": `${kind} barcode ${text}` })
  const boxes = [...modules.matchAll(/1+/g)].map(({ 0: bar, index }) =>
    isTurned
      ? `M0 ${left + index}h${ACROSS}v${bar.length}h-${ACROSS}z`
      : `M${left + index} 0h${bar.length}v${ACROSS}h-${bar.length}z`,
  )
  svg.append(drawing("path", { d: boxes.join("") }))
  return svg
}
