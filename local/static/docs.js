// Starts Swagger UI in the colours that the browser prefers, and lends it tokens of the stack's own issuer.
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
  tryItOutEnabled: true,
  validatorUrl: null,
})

const form = document.querySelector("#token")
form?.addEventListener("submit", async (event) => {
  event.preventDefault()
  const output = form.querySelector("output")
  const customerIdentifier = form.elements.customer.value
  try {
    const answer = await fetch("/local/token", { method: "POST", body: JSON.stringify({ customerIdentifier }) })
    const { accessToken } = await answer.json()
    ui.preauthorizeApiKey("bearerAuth", accessToken)
    output.value = `What is executed below is called as ${customerIdentifier}.`
  } catch {
    output.value = "There is no token to be had."
  }
})
