// The list of sellers, connected ones first, with its freshness and open issues.
import { accountKey } from "./accounts.js"
import { element, icon } from "./dom.js"
import { displayName, logo, nameElement } from "./seller-parts.js"
import { openRequests } from "./evidence.js"
import { retryButton } from "./error-card.js"
import { errorTexts, formatTime } from "./texts.js"

const MAX_WITHOUT_SEARCH = 8
const SEARCH = "demo.search"
const SECTIONS = [
  ["Connected", (status) => status === "connected"],
  ["Not connected yet", (status) => status === "not_connected"],
  ["Other sellers", (status) => !["connected", "not_connected"].includes(status)], // unknown and future statuses
]

/** Return the view of `accounts`, a result of loadAccounts. */
export function sellersView(accounts, refresh) {
  const rows = accounts.list.map((account, index) => ({ account, row: sellerRow(account, accountKey(account, index)) }))
  const sections = SECTIONS.map(([title, belongs]) => [title, rows.filter(({ account }) => belongs(account.status))])
  return [
    element("h1", { tabindex: "-1" }, "Your accounts"),
    freshness(accounts, refresh),
    rows.length > MAX_WITHOUT_SEARCH && search(rows),
    rows.length === 0 && element("p", { class: "card soft" }, "There are no sellers yet. New ones will appear here."),
    sections.filter(([, members]) => members.length).map(([title, members]) => section(title, members)),
  ]
}

/** Return the freshness of the list as text. */
export function freshnessText({ freshness, at, error }) {
  if (freshness === "stale") return `${errorTexts(error)[0]}. This is from ${formatTime(at)}.`
  return freshness === "unchanged" ? `Up to date: nothing new at ${formatTime(at)}` : `Up to date at ${formatTime(at)}`
}

function freshness(accounts, refresh) {
  const text = freshnessText(accounts)
  if (accounts.freshness !== "stale") return element("p", { class: "fresh" }, icon("good"), text)
  const { error } = accounts
  return element(
    "div",
    { class: "banner stale" },
    icon(error.kind === "network" ? "offline" : "warning"),
    element("p", {}, text),
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

/** Create a search field. It shows the sellers whose names contain all words, in any order, ignoring accents. */
function search(rows) {
  const count = element("span", { class: "soft small", role: "status" })
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
    const words = normalize(field.value).split(/\s+/)
    const matches = rows.filter(({ account, row }) => {
      const name = normalize(displayName(account.seller))
      return !(row.hidden = !words.every((word) => name.includes(word)))
    })
    count.textContent = field.value.trim() ? `${matches.length} of ${rows.length} sellers` : ""
    help.hidden = matches.length > 0
    for (const section of document.querySelectorAll("#main section")) section.hidden = !section.querySelector("li:not([hidden])")
  }
  const field = element("input", { id: "search", type: "search", autocomplete: "off", input: filter })
  field.value = sessionStorage.getItem(SEARCH) ?? "" // the text survives a refresh, a seller's page and a visit to imin
  queueMicrotask(filter)
  return element("div", { class: "search" }, element("label", { for: "search" }, "Find a seller"), field, count, help)
}

/** Clear the search text: the customer signed out. */
export const clearSearch = () => sessionStorage.removeItem(SEARCH)

const LETTERS = { ß: "ss", æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", ı: "i" } // not letters with accents

/** Return a text in lower case without accents. */
const normalize = (text) =>
  text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").replace(/[ßæœøłđðþı]/g, (letter) => LETTERS[letter]).trim()
