// Starts Swagger UI in the colours that the browser prefers, passes it tokens of the stack's own issuer, and repairs its
// accessibility: names for its lists, keyboard access to what scrolls, and no link inside a button.
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
  syntaxHighlight: false, // its colours have too little contrast
  tryItOutEnabled: true,
  validatorUrl: null,
})

/** The accessible name of a field of Swagger UI. */
function nameOf(field) {
  if (field.id === "servers") return "Server"
  if (field.matches("textarea")) return "Request body"
  if (field.matches(".examples-select-element")) return "Example"
  const row = field.closest("[data-param-name]")
  return row ? row.dataset.paramName : "Media type"
}

/** The operation that a part of the page belongs to, such as `GET /v1/health`. */
function operationOf(part) {
  const summary = part.closest(".opblock").querySelector(".opblock-summary-control")
  return summary.innerText.split("\n").slice(0, 2).join(" ")
}

const LANDMARKS = { "About the API": ".information-container", "Server and authorization": ".schemes-server-container" }
const scrolls = (each) => each.scrollWidth > each.clientWidth || each.scrollHeight > each.clientHeight

/** Repair what Swagger UI has drawn. It draws again at any time, and leaves attributes that it doesn't know alone. */
function repair() {
  const fields = "#swagger-ui :is(select, textarea):not([aria-label])"
  for (const field of document.querySelectorAll(fields)) field.setAttribute("aria-label", nameOf(field))
  const tables = "#swagger-ui .responses-table[role]:not([aria-label])"
  for (const table of document.querySelectorAll(tables)) table.setAttribute("aria-label", `Responses: ${operationOf(table)}`)
  // what a link inside a button does, the button does
  for (const link of document.querySelectorAll("#swagger-ui button a[href]")) link.removeAttribute("href")
  for (const [name, part] of Object.entries(LANDMARKS)) {
    for (const each of document.querySelectorAll(`${part}:not([role])`)) {
      each.setAttribute("role", "region")
      each.setAttribute("aria-label", name)
    }
  }
  const scrolling = "#swagger-ui :is(pre, .responses-table, .table-container, .example, .model-box):not([tabindex])"
  for (const each of document.querySelectorAll(scrolling)) if (scrolls(each)) each.tabIndex = 0
}
new MutationObserver(repair).observe(document.getElementById("swagger-ui"), { childList: true, subtree: true })

const form = document.querySelector("#token")
form?.addEventListener("submit", async (event) => {
  event.preventDefault()
  const output = form.querySelector("output")
  const customerIdentifier = form.elements.customer.value
  try {
    const answer = await fetch("/local/token", { method: "POST", body: JSON.stringify({ customerIdentifier }) })
    const { accessToken } = await answer.json()
    ui.preauthorizeApiKey("bearerAuth", accessToken)
    output.value = `Calls below are made as ${customerIdentifier}.`
  } catch {
    output.value = "There is no token: the stack can't be reached."
  }
})
