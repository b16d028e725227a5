// The list of sellers, connected first, with how fresh it is and what wants the customer's attention.
import { keyOf } from "./accounts.js"
import { element, icon } from "./dom.js"
import { logo, nameElement, nameOf } from "./seller-parts.js"
import { openRequests } from "./evidence.js"
import { retryButton } from "./trouble.js"
import { explained, moment } from "./words.js"

const MANY = 8
const SEARCH = "demo.search"
const SECTIONS = [
  ["Connected", (status) => status === "connected"],
  ["Not connected yet", (status) => status === "not_connected"],
  ["Other sellers", (status) => !["connected", "not_connected"].includes(status)], // a status to come is like "unknown"
]

/** The view of `accounts`, as loadAccounts gives them. */
export function sellersView(accounts, refresh) {
  const rows = accounts.list.map((account, index) => ({ account, row: sellerRow(account, keyOf(account, index)) }))
  const sections = SECTIONS.map(([title, belongs]) => [title, rows.filter(({ account }) => belongs(account.status))])
  return [
    element("h1", { tabindex: "-1" }, "Your accounts"),
    freshness(accounts, refresh),
    rows.length > MANY && search(rows),
    rows.length === 0 && element("p", { class: "card soft" }, "There are no sellers yet. When some join, you find them here."),
    sections.filter(([, those]) => those.length).map(([title, those]) => section(title, those)),
  ]
}

/** How fresh the list is, in words. */
export function freshnessWords({ freshness, at, error }) {
  if (freshness === "stale") return `${explained(error)[0]}. This is from ${moment(at)}.`
  return freshness === "unchanged" ? `Up to date: nothing new at ${moment(at)}` : `Up to date at ${moment(at)}`
}

function freshness(accounts, refresh) {
  const words = freshnessWords(accounts)
  if (accounts.freshness !== "stale") return element("p", { class: "fresh" }, icon("good"), words)
  const { error } = accounts
  return element(
    "div",
    { class: "banner stale" },
    icon(error.kind === "network" ? "offline" : "warning"),
    element("p", {}, words),
    error.retryable && retryButton(error.retryAfterSeconds ?? 0, refresh),
  )
}

function section(title, rows) {
  const heading = element("h2", {}, title, " ", element("span", { class: "count" }, String(rows.length)))
  return element("section", {}, heading, element("ul", { class: "list" }, rows.map(({ row }) => row)))
}

function sellerRow(account, key) {
  const { seller, status } = account
  return element(
    "li",
    {},
    element(
      "a",
      { class: "row", href: `#seller/${encodeURIComponent(key)}` },
      logo(seller),
      element("span", { class: "what" }, nameElement(seller), note(account)),
      status === "not_connected" ? element("span", { class: "pill" }, account.emailMatches ? "Connect" : "Join") : icon("on", "on"),
    ),
  )
}

function note(account) {
  if (account.status === "not_connected")
    return element("span", { class: "note" }, account.emailMatches ? "Account found" : "No account yet")
  if (account.status !== "connected") return undefined
  const conflicts = account.entitlementErrors.length
  const requests = openRequests(account).length
  const passes = account.accessPasses.length
  return element(
    "span",
    { class: "note" },
    conflicts > 0 && element("span", { class: "tag warn" }, conflicts === 1 ? "1 conflict" : `${conflicts} conflicts`),
    requests > 0 && element("span", { class: "tag info" }, "Evidence needed"),
    !conflicts && !requests && (passes ? "Access pass ready" : "Connected"),
  )
}

/** A field that leaves the sellers whose names have every word that is typed, in any order and without accents. */
function search(rows) {
  const left = element("span", { class: "soft small", role: "status" })
  const clear = () => {
    field.value = ""
    filter()
    field.focus()
  }
  const help = element(
    "div",
    { class: "card" },
    element("p", {}, "No seller has a name like that. Check the spelling, or type fewer letters."),
    element("button", { class: "button other", click: clear }, "Show all sellers"),
  )
  const filter = () => {
    sessionStorage.setItem(SEARCH, field.value)
    const wanted = plain(field.value).split(/\s+/)
    const found = rows.filter(({ account, row }) => {
      const name = plain(nameOf(account.seller))
      return !(row.hidden = !wanted.every((word) => name.includes(word)))
    })
    left.textContent = field.value.trim() ? `${found.length} of ${rows.length} sellers` : ""
    help.hidden = found.length > 0
    for (const section of document.querySelectorAll("#main section")) section.hidden = !section.querySelector("li:not([hidden])")
  }
  const field = element("input", { id: "search", type: "search", autocomplete: "off", input: filter })
  field.value = sessionStorage.getItem(SEARCH) ?? "" // what was typed stays: after a refresh, a seller's page, and the way to imin
  queueMicrotask(filter)
  return element("div", { class: "search" }, element("label", { for: "search" }, "Find a seller"), field, left, help)
}

/** Forget what was typed: the customer signed out. */
export const forgetSearch = () => sessionStorage.removeItem(SEARCH)

const LETTERS = { ß: "ss", æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", ı: "i" } // these are not letters with accents

/** A text in small letters without accents. */
const plain = (text) =>
  text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").replace(/[ßæœøłđðþı]/g, (letter) => LETTERS[letter]).trim()
