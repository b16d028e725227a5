// The demo of a broker's app: chooses the screen, and holds the shared state. It uses only the public API, as any app would.
import { findAccount, loadAccounts } from "./accounts.js"
import { element } from "./dom.js"
import { addAccountLinks, showOutcome, takeReturn } from "./outcome.js"
import { pendingLink } from "./pending.js"
import { pullToRefresh } from "./pull-to-refresh.js"
import { sellerView } from "./seller.js"
import { clearSearch, freshnessText, sellersView } from "./sellers.js"
import { session, signIn, signOut } from "./session.js"
import { errorCard } from "./error-card.js"
import { errorTexts } from "./texts.js"
import { youView } from "./you.js"

const IDS = ["bar", "back", "who", "refresh", "pull", "main", "sign-in", "tabs", "announcement"]
const [bar, back, who, refreshButton, pull, main, signInScreen, tabs, announcement] = IDS.map((id) => document.getElementById(id))
const outcome = element("div")
let accounts = null
let latestRequest = 0 // number of the latest request for accounts: responses to earlier ones are not shown

const announce = (text) => (announcement.textContent = text)
const screen = () => decodeURIComponent(location.hash.slice(1))

/** Show the screen of the address. `from` is the previous screen: its link gets the focus if this screen has one. */
function draw(from) {
  const hasSession = session() !== null
  for (const part of [bar, main, tabs]) part.hidden = !hasSession
  signInScreen.hidden = hasSession
  const name = hasSession ? screen() : ""
  back.hidden = !name.startsWith("seller/")
  who.textContent = hasSession && back.hidden ? session().customer : ""
  for (const tab of tabs.children) {
    const isCurrent = (tab.getAttribute("href") === "#you") === (name === "you")
    tab.setAttribute("aria-current", isCurrent ? "page" : "false")
  }
  if (hasSession) main.replaceChildren(...[name === "" && outcome, ...view(name)].flat(2).filter(Boolean))
  const heading = document.querySelector("main:not([hidden]) h1")
  document.title = heading.textContent
  if (from === undefined) return
  const link = [...main.querySelectorAll("a.row")].find(({ hash }) => from !== "" && hash === from)
  if (!link) scrollTo(0, 0)
  ;(link ?? heading).focus()
}

function view(name) {
  if (name === "you") return youView({ announce, leave, redraw: () => draw("") })
  const heading = element("h1", { tabindex: "-1" }, "Your accounts")
  if (!accounts) return [heading, element("div", { class: "waiting", role: "img", "aria-label": "Loading" })]
  if (accounts.failed) return [heading, errorCard(accounts.failed, refresh)]
  const account = name.startsWith("seller/") && findAccount(accounts.list, name.slice("seller/".length))
  return account ? sellerView(account, { announce, refresh }) : sellersView(accounts, refresh)
}

/** Reload the accounts, show them or the error, and announce the result. */
async function refresh() {
  const text = await load()
  if (text) announce(text)
}

/**
 * Load and show the accounts. Return the text to announce, or undefined if a later request replaced this one. With
 * `isAfterOutcome`, an unchanged list is shown as new because the customer has just changed it.
 */
async function load(isAfterOutcome = false) {
  const thisRequest = ++latestRequest
  document.body.classList.add("asking")
  let result, text
  try {
    result = await loadAccounts()
    if (isAfterOutcome && result.freshness === "unchanged") result.freshness = "new"
    text = freshnessText(result)
  } catch (error) {
    if (!error.kind) throw error
    result = { failed: error }
    text = errorTexts(error).join(". ")
  }
  if (thisRequest !== latestRequest) return undefined
  document.body.classList.remove("asking")
  accounts = result
  if (!main.querySelector("dialog[open]")) redraw()
  return text
}

/** Redraw the screen. The focus returns to the same element, or to the heading if that element is gone. */
function redraw() {
  const { activeElement } = document
  const hadFocus = main.contains(activeElement)
  draw()
  if (!hadFocus) return
  const elementKey = (node) => node.id || node.getAttribute("href")
  const sameElement = [...main.querySelectorAll("a, input")].find((node) => elementKey(node) === elementKey(activeElement))
  ;(sameElement ?? main.querySelector("h1")).focus()
}

/** Start with a customer. After a link, the outcome is announced instead of the list. */
async function enter() {
  const linkId = takeReturn()
  draw("")
  if (!linkId) {
    await refresh()
    return checkPendingLink()
  }
  void load(true)
  await follow(await showOutcome(outcome, linkId, announce))
}

/** Show the outcome of a link if the browser was closed, killed or lost its connection. */
async function checkPendingLink() {
  const pending = session() && pendingLink()
  const link = pending && (await showOutcome(outcome, pending.id, announce, true))
  if (link) await follow(link)
}

/** Load the accounts after an outcome, and link to those that a confirmed `link` connected. */
async function follow(link) {
  await load(true)
  if (link && accounts?.list) addAccountLinks(outcome, link, accounts.list)
}

function leave() {
  latestRequest++
  accounts = null
  outcome.replaceChildren()
  clearSearch()
  signOut()
  history.replaceState(null, "", "/")
  draw("")
  announce("You are signed out.")
}

async function signInAs(customer) {
  const errorPlace = document.getElementById("sign-in-error")
  try {
    await signIn(customer)
    errorPlace.replaceChildren()
    void enter()
  } catch (error) {
    if (!error.kind) throw error
    errorPlace.replaceChildren(errorCard(error, () => signInAs(customer)))
    announce(errorTexts(error).join(". "))
  }
}

addEventListener("hashchange", ({ oldURL }) => draw(new URL(oldURL).hash))
// The customer returned from imin with the browser's back button: the restored page is old, so reload the accounts.
addEventListener("pageshow", ({ persisted }) => persisted && session() && refresh().then(checkPendingLink))
addEventListener("visibilitychange", () => document.visibilityState === "visible" && checkPendingLink())
addEventListener("leave", leave) // sent by error-card.js
addEventListener("online", () => session() && refresh())
refreshButton.addEventListener("click", refresh)
pullToRefresh(pull, () => session() && refresh())
signInScreen.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-customer]")
  if (button) void signInAs(button.dataset.customer)
})
document.getElementById("another").addEventListener("submit", (event) => {
  event.preventDefault()
  void signInAs(event.target.elements.customer.value.trim())
})

if (session()) void enter()
else draw()
