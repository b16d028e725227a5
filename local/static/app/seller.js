// One seller: a connected account with its passes and open issues, or the options to connect one.
import { connectPart } from "./connect.js"
import { breakable, element, icon, linkOut, webAddress } from "./dom.js"
import { evidenceCard } from "./evidence.js"
import { passCard } from "./pass.js"
import { logo, nameElement } from "./seller-parts.js"
import { formatDay } from "./texts.js"

/** Return the view of an account. `announce` tells screen readers; `refresh` reloads the accounts. */
export function sellerView(account, { announce, refresh }) {
  const { seller, status } = account
  const parts = { connected: connectedParts, not_connected: () => [connectPart(account, { announce, refresh })] }
  return [
    element("div", { class: "hero" }, logo(seller, "large"), nameElement(seller, "h1", { tabindex: "-1" }), connectedSince(account)),
    (parts[status] ?? unknownParts)(account),
    contact(seller),
  ]
}

function connectedSince({ status, connectedAt }) {
  if (status !== "connected") return undefined
  return element("p", { class: "fresh" }, icon("good"), connectedAt ? `Connected since ${formatDay(connectedAt)}` : "Connected")
}

const unknownParts = () => [element("p", { class: "card soft" }, "The status of your account here is unknown at present.")]

function connectedParts(account) {
  const { accessPasses, entitlementErrors, evidenceRequests } = account
  return [
    section(accessPasses.length > 1 ? "Access passes" : "Access pass", accessPasses.map(passCard)),
    section("Needs attention", entitlementErrors.map(conflictCard)),
    section("Evidence", evidenceRequests.map(evidenceCard)),
    details(account),
  ]
}

const section = (title, cards) => cards.length > 0 && element("section", {}, element("h2", {}, title), cards)

function conflictCard({ type, name, description }) {
  return element(
    "article",
    { class: "card conflict" },
    icon("warning"),
    element("h3", { dir: "auto" }, name ?? type ?? "There is a problem"),
    description && element("p", { dir: "auto" }, description),
    element("p", { class: "soft small" }, "The seller can help: see below."),
  )
}

function details({ customer, hiddenEntitlements }) {
  const rows = [
    customer?.email && ["Your e-mail address there", breakable(customer.email)],
    customer?.updatedAt && ["Your details changed", formatDay(customer.updatedAt)],
    hiddenEntitlements && ["Entitlements", "There are more that are not shown"],
  ].filter(Boolean)
  return facts("Your account there", rows)
}

function contact({ url, email, telephone }) {
  const call = telephone?.replace(/[^+\d]/g, "")
  const site = webAddress(url)
  const rows = [
    url && ["Website", site ? linkOut("", site, ...breakable(new URL(site).host)) : breakable(url)],
    email && ["E-mail", element("a", { href: `mailto:${encodeURIComponent(email).replace("%40", "@")}` }, ...breakable(email))],
    telephone && ["Telephone", call ? element("a", { href: `tel:${call}` }, telephone) : telephone],
  ].filter(Boolean)
  return facts("Contact", rows)
}

function facts(title, rows) {
  const pairs = rows.map(([term, fact]) => element("div", {}, element("dt", {}, term), element("dd", {}, fact)))
  return rows.length > 0 && element("section", {}, element("h2", {}, title), element("dl", { class: "card" }, pairs))
}
