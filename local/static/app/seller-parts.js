// How a seller looks everywhere: its logo, or initials where there is none or it does not load, and its name.
import { element, webAddress } from "./dom.js"

const NON_JOINER = "\u200c" // keeps letters of Arabic from joining across words

/** What a seller is called. */
export const nameOf = (seller) => seller.name ?? "A seller without a name"

/** Its name as an element; names run in either direction. */
export const nameElement = (seller, tag = "span", attributes = {}) =>
  element(tag, { class: "name", dir: "auto", ...attributes }, nameOf(seller))

/** Its logo over its initials. */
export function logo(seller, className = "") {
  const src = webAddress(seller.logoUrl)
  const image = src && element("img", { src, alt: "", loading: "lazy", referrerpolicy: "no-referrer", error: () => image.remove() })
  const name = nameOf(seller)
  return element("span", { class: `logo hue-${hue(name)} ${className}`, "aria-hidden": "true" }, initials(name), image)
}

function initials(name) {
  const words = name.split(/\s+/).filter((word) => /^\p{L}|^\p{N}/u.test(word))
  const joint = /\p{Script=Arabic}/u.test(name) ? NON_JOINER : ""
  return [words[0], ...words.slice(1).slice(-1)].map((word = "") => [...word].slice(0, 1)).join(joint).toUpperCase()
}

const hue = (name) => [...name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 6
