// A seller's name and logo, or its initials if the logo is missing or does not load.
import { element, webAddress } from "./dom.js"

const NON_JOINER = "\u200c" // prevents Arabic letters from joining across words

/** Return the seller's name. */
export const displayName = (seller) => seller.name ?? "A seller without a name"

/** Create an element with the seller's name, in the name's text direction. */
export const nameElement = (seller, tag = "span", attributes = {}) =>
  element(tag, { class: "name", dir: "auto", ...attributes }, displayName(seller))

/** Create the seller's logo, above its initials. */
export function logo(seller, className = "") {
  const src = webAddress(seller.logoUrl)
  const image = src && element("img", { src, alt: "", loading: "lazy", referrerpolicy: "no-referrer", error: () => image.remove() })
  const name = displayName(seller)
  return element("span", { class: `logo hue-${hue(name)} ${className}`, "aria-hidden": "true" }, initials(name), image)
}

function initials(name) {
  const words = name.split(/\s+/).filter((word) => /^\p{L}|^\p{N}/u.test(word))
  const joiner = /\p{Script=Arabic}/u.test(name) ? NON_JOINER : ""
  return [words[0], ...words.slice(1).slice(-1)].map((word = "") => [...word].slice(0, 1)).join(joiner).toUpperCase()
}

const hue = (name) => [...name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 6
