// Starts Swagger UI in the browser's colour scheme, passes it tokens from the local issuer, and repairs its accessibility:
// names for lists, keyboard access to scrolling areas, and no links inside buttons.
"use strict"

const dark = matchMedia("(prefers-color-scheme: dark)")
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches)
dark.addEventListener("change", paint)
paint()

const ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  syntaxHighlight: false, // its contrast is too low
  tryItOutEnabled: true,
  validatorUrl: null,
})

/** Return the accessible name of a field of Swagger UI. */
function fieldName(field) {
  if (field.id === "servers") return "Server"
  if (field.matches("textarea")) return "Request body"
  if (field.matches(".examples-select-element")) return "Example"
  const row = field.closest("[data-param-name]")
  return row ? row.dataset.paramName : "Media type"
}

/** Return the operation that a part of the page belongs to, such as `GET /v1/health`. */
function operationName(part) {
  const summary = part.closest(".opblock").querySelector(".opblock-summary-control")
  return summary.innerText.split("\n").slice(0, 2).join(" ")
}

const LANDMARKS = { "About the API": ".information-container", "Server and authorization": ".schemes-server-container" }
const scrolls = (node) => node.scrollWidth > node.clientWidth || node.scrollHeight > node.clientHeight

/** Repair the page. Swagger UI may redraw it at any time, but keeps attributes that it doesn't know. */
function repair() {
  const fields = "#swagger-ui :is(select, textarea):not([aria-label])"
  for (const field of document.querySelectorAll(fields)) field.setAttribute("aria-label", fieldName(field))
  const tables = "#swagger-ui .responses-table[role]:not([aria-label])"
  for (const table of document.querySelectorAll(tables)) table.setAttribute("aria-label", `Responses: ${operationName(table)}`)
  // the button does the same as the link inside it
  for (const link of document.querySelectorAll("#swagger-ui button a[href]")) link.removeAttribute("href")
  for (const [name, part] of Object.entries(LANDMARKS)) {
    for (const landmark of document.querySelectorAll(`${part}:not([role])`)) {
      landmark.setAttribute("role", "region")
      landmark.setAttribute("aria-label", name)
    }
  }
  const scrolling = "#swagger-ui :is(pre, .responses-table, .table-container, .example, .model-box):not([tabindex])"
  for (const area of document.querySelectorAll(scrolling)) if (scrolls(area)) area.tabIndex = 0
}
new MutationObserver(repair).observe(document.getElementById("swagger-ui"), { childList: true, subtree: true })

const form = document.querySelector("#token")
form?.addEventListener("submit", async (event) => {
  event.preventDefault()
  const output = form.querySelector("output")
  const customerIdentifier = form.elements.customer.value
  try {
    const response = await fetch("/local/token", { method: "POST", body: JSON.stringify({ customerIdentifier }) })
    const { accessToken } = await response.json()
    ui.preauthorizeApiKey("bearerAuth", accessToken)
    output.value = `Calls below are made as ${customerIdentifier}.`
  } catch {
    output.value = "No token: the stack can't be reached."
  }
})
