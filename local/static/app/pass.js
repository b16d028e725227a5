// An access pass to hold under a scanner: the API's image if there is one, else a barcode drawn from the text.
import { barcode } from "./barcode.js"
import { element, svgElement, webAddress } from "./dom.js"
import { formatDay } from "./texts.js"

const BAR_LENGTH = 104 // CSS pixels
const RESERVED_HEIGHT = 200 // CSS pixels of the screen's height that a rotated barcode leaves free
const TOO_LONG = "This is too long for a barcode on this screen."

/** Create the card of one pass. It is black on white even in dark mode because scanners need that. */
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
    updatedAt && element("p", { class: "small" }, `Updated ${formatDay(updatedAt)}`),
  )
}

/** Create the barcode of a text, redrawn when its container changes size. Return null if the text has no barcode. */
function bars(text) {
  const code = barcode(text)
  if (!code) return null
  const place = element("div", { class: "code" })
  let drawnFor = ""
  const draw = () => {
    const available = place.clientWidth
    const size = `${available} ${devicePixelRatio}`
    if (!available || size === drawnFor) return
    drawnFor = size
    place.replaceChildren(drawBars(code, text, available) ?? element("p", { class: "small" }, TOO_LONG))
  }
  queueMicrotask(draw)
  new ResizeObserver(() => requestAnimationFrame(draw)).observe(place)
  return place
}

/**
 * Draw the barcode as SVG, or return null if it is too long. Modules are a whole number of device pixels wide, to keep the bars
 * exact. It is rotated if modules within `available` would be thinner than two CSS pixels and rotation makes them wider.
 */
function drawBars({ kind, modules, quiet: [left, right] }, text, available) {
  const count = left + modules.length + right
  const maxModuleWidth = (length) => Math.floor((length * devicePixelRatio) / count) / devicePixelRatio
  const horizontal = maxModuleWidth(available)
  const vertical = maxModuleWidth(innerHeight - RESERVED_HEIGHT)
  const isRotated = horizontal < 2 && vertical > horizontal
  const module = isRotated ? vertical : horizontal
  if (module < 1) return null
  const [width, height] = isRotated ? [BAR_LENGTH, count] : [count, BAR_LENGTH]
  const size = isRotated ? { width: BAR_LENGTH, height: count * module } : { width: count * module, height: BAR_LENGTH }
  const box = { viewBox: `0 0 ${width} ${height}`, ...size, preserveAspectRatio: "none", "shape-rendering": "crispEdges" }
  const svg = svgElement("svg", { ...box, role: "img", "aria-label": `${kind} barcode ${text}` })
  const boxes = [...modules.matchAll(/1+/g)].map(({ 0: bar, index }) =>
    isRotated
      ? `M0 ${left + index}h${BAR_LENGTH}v${bar.length}h-${BAR_LENGTH}z`
      : `M${left + index} 0h${bar.length}v${BAR_LENGTH}h-${bar.length}z`,
  )
  svg.append(svgElement("path", { d: boxes.join("") }))
  return svg
}
