// Makes elements. Text only ever becomes text, and an address from elsewhere a link only where it is http or https.

/** An element. An attribute that is a function listens; one that is undefined or false is left out; children that are none too. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value)
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value)
  }
  made.append(...children.flat().filter((child) => child !== undefined && child !== false))
  return made
}

/** A text, such as an e-mail address, that may break after each "@" and ".". */
export const breakable = (text) =>
  text.split(/(?<=[@.])/).flatMap((part, at) => (at ? [document.createElement("wbr"), part] : part))

/** One of the page's symbols. */
export function icon(name, className = "icon") {
  const svg = drawing("svg", { class: className, "aria-hidden": "true" })
  svg.append(drawing("use", { href: `#icon-${name}` }))
  return svg
}

/** An element of SVG. */
export function drawing(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  return made
}

/** The address, where it is one that a browser may be sent to. */
export function webAddress(text) {
  const url = text && URL.parse(text)
  return url && ["http:", "https:"].includes(url.protocol) ? url.href : undefined
}

/** A link out of the app, or nothing. */
export function linkOut(className, address, ...children) {
  const href = webAddress(address)
  return href && element("a", { class: className, href, rel: "noreferrer" }, ...children)
}
