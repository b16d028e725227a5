// Creates elements. Text is never parsed as HTML, and a foreign URL becomes a link only if it is http or https.

/** Create an element. Functions become event listeners; attributes and children that are undefined or false are left out. */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(key, value)
    else if (value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value)
  }
  node.append(...children.flat().filter((child) => child !== undefined && child !== false))
  return node
}

/** Return a text, such as an e-mail address, with line break opportunities after each "@" and ".". */
export const breakable = (text) =>
  text.split(/(?<=[@.])/).flatMap((part, at) => (at ? [document.createElement("wbr"), part] : part))

/** Create one of the page's icons. */
export function icon(name, className = "icon") {
  const svg = svgElement("svg", { class: className, "aria-hidden": "true" })
  svg.append(svgElement("use", { href: `#icon-${name}` }))
  return svg
}

/** Create an SVG element. */
export function svgElement(name, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name)
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  return node
}

/** Return the URL if it is a valid http or https URL. */
export function webAddress(text) {
  const url = text && URL.parse(text)
  return url && ["http:", "https:"].includes(url.protocol) ? url.href : undefined
}

/** Create a link out of the app if the URL is valid. */
export function linkOut(className, address, ...children) {
  const href = webAddress(address)
  return href && element("a", { class: className, href, rel: "noreferrer" }, ...children)
}
