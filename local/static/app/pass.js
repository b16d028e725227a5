// An access pass, to be held under a scanner at a door: the API's own image where there is one, else a barcode drawn from the text.
import { barcode } from "./barcode.js"
import { drawing, element, webAddress } from "./dom.js"
import { day } from "./words.js"

const WIDEST = 342 // CSS pixels that a phone's card has room for
const HEIGHT = 104

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

/** The barcode of a text as SVG, its modules whole pixels wide so that the bars stay true; null where there can be none. */
function bars(text) {
  const code = barcode(text)
  if (!code) return null
  const [left, right] = code.quiet
  const width = left + code.modules.length + right
  const scale = Math.max(1, Math.floor(WIDEST / width))
  const label = `${code.kind} barcode ${text}`
  const size = { viewBox: `0 0 ${width} ${HEIGHT}`, width: width * scale, height: HEIGHT, preserveAspectRatio: "none" }
  const svg = drawing("svg", { ...size, role: "img", "aria-label": label, "shape-rendering": "crispEdges" })
  const boxes = [...code.modules.matchAll(/1+/g)].map(({ 0: bar, index }) => `M${left + index} 0h${bar.length}v${HEIGHT}h-${bar.length}z`)
  svg.append(drawing("path", { d: boxes.join("") }))
  return svg
}
