// The demo of a broker's app: which screen is shown, and what they share. It uses the public API and a token, as any app would.
import { find, loadAccounts } from "./accounts.js"
import { element } from "./dom.js"
import { leadOn, showOutcome, takeReturn } from "./outcome.js"
import { pendingLink } from "./pending.js"
import { pullToRefresh } from "./pull.js"
import { sellerView } from "./seller.js"
import { forgetSearch, freshnessWords, sellersView } from "./sellers.js"
import { session, signIn, signOut } from "./session.js"
import { trouble } from "./trouble.js"
import { explained } from "./words.js"
import { youView } from "./you.js"

const IDS = ["bar", "back", "who", "refresh", "pull", "main", "sign-in", "tabs", "announcement"]
const [bar, back, who, refreshButton, pull, main, welcome, tabs, announcement] = IDS.map((id) => document.getElementById(id))
const outcome = element("div")
let accounts = null
let asking = 0 // the latest request for accounts: an answer to an earlier one is not shown

const announce = (words) => (announcement.textContent = words)
const screen = () => decodeURIComponent(location.hash.slice(1))

/** Shows the screen of the address. `from` is the screen before, whose link gets the focus on return. */
function draw(from) {
  const isIn = session() !== null
  for (const each of [bar, main, tabs]) each.hidden = !isIn
  welcome.hidden = isIn
  const name = isIn ? screen() : ""
  back.hidden = !name.startsWith("seller/")
  who.textContent = isIn && back.hidden ? session().customer : ""
  for (const tab of tabs.children) {
    const isCurrent = (tab.getAttribute("href") === "#you") === (name === "you")
    tab.setAttribute("aria-current", isCurrent ? "page" : "false")
  }
  if (isIn) main.replaceChildren(...[name === "" && outcome, ...view(name)].flat(2).filter(Boolean))
  const heading = document.querySelector("main:not([hidden]) h1")
  document.title = heading.textContent
  if (from === undefined) return
  const link = [...main.querySelectorAll("a.row")].find(({ hash }) => from !== "" && hash === from)
  if (!link) scrollTo(0, 0)
  ;(link ?? heading).focus()
}

function view(name) {
  if (name === "you") return youView({ announce, leave, again: () => draw("") })
  const heading = element("h1", { tabindex: "-1" }, "Your accounts")
  if (!accounts) return [heading, element("div", { class: "waiting", role: "img", "aria-label": "Loading" })]
  if (accounts.failed) return [heading, trouble(accounts.failed, refresh)]
  const account = name.startsWith("seller/") && find(accounts.list, name.slice("seller/".length))
  return account ? sellerView(account, { announce, refresh }) : sellersView(accounts, refresh)
}

/** Asks for the accounts again, shows them, or why there are none, and says so. */
async function refresh() {
  const words = await load()
  if (words) announce(words)
}

/**
 * Ask for the accounts and show what comes; return it in words, unless a later request has taken its place. With `isAfterOutcome`
 * an unchanged list is not called that: the customer has just changed it.
 */
async function load(isAfterOutcome = false) {
  const mine = ++asking
  document.body.classList.add("asking")
  let answer, words
  try {
    answer = await loadAccounts()
    if (isAfterOutcome && answer.freshness === "unchanged") answer.freshness = "new"
    words = freshnessWords(answer)
  } catch (error) {
    if (!error.kind) throw error
    answer = { failed: error }
    words = explained(error).join(". ")
  }
  if (mine !== asking) return undefined
  document.body.classList.remove("asking")
  accounts = answer
  if (!main.querySelector("dialog[open]")) redraw()
  return words
}

/** Redraws the screen and restores the focus, or moves it to the heading if the element is gone. */
function redraw() {
  const { activeElement } = document
  const hadFocus = main.contains(activeElement)
  draw()
  if (!hadFocus) return
  const nameOf = (each) => each.id || each.getAttribute("href")
  const isSame = (each) => nameOf(each) === nameOf(activeElement)
  const same = [...main.querySelectorAll("a, input")].find(isSame)
  ;(same ?? main.querySelector("h1")).focus()
}

/** Begin with a customer. After a link it is the outcome that is announced, so the list comes in silence. */
async function enter() {
  const linkId = takeReturn()
  draw("")
  if (!linkId) {
    await refresh()
    return lookAtPending()
  }
  void load(true)
  await follow(await showOutcome(outcome, linkId, announce))
}

/** Find the outcome of a link whose browser was closed, killed, or lost its network. */
async function lookAtPending() {
  const pending = session() && pendingLink()
  const link = pending && (await showOutcome(outcome, pending.id, announce, true))
  if (link) await follow(link)
}

/** Get the accounts after an outcome, and lead to what a confirmed `link` connected. */
async function follow(link) {
  await load(true)
  if (link && accounts?.list) leadOn(outcome, link, accounts.list)
}

function leave() {
  asking++
  accounts = null
  outcome.replaceChildren()
  forgetSearch()
  signOut()
  history.replaceState(null, "", "/")
  draw("")
  announce("You are signed out.")
}

async function welcomeIn(customer) {
  const place = document.getElementById("sign-in-error")
  try {
    await signIn(customer)
    place.replaceChildren()
    void enter()
  } catch (error) {
    if (!error.kind) throw error
    place.replaceChildren(trouble(error, () => welcomeIn(customer)))
    announce(explained(error).join(". "))
  }
}

addEventListener("hashchange", ({ oldURL }) => draw(new URL(oldURL).hash))
// Back from imin by the browser's own button: the page is as it was left, so it asks again.
addEventListener("pageshow", ({ persisted }) => persisted && session() && refresh().then(lookAtPending))
addEventListener("visibilitychange", () => document.visibilityState === "visible" && lookAtPending())
addEventListener("leave", leave) // from a card of trouble.js
addEventListener("online", () => session() && refresh())
refreshButton.addEventListener("click", refresh)
pullToRefresh(pull, () => session() && refresh())
welcome.addEventListener("click", ({ target }) => {
  const chosen = target.closest("[data-customer]")
  if (chosen) void welcomeIn(chosen.dataset.customer)
})
document.getElementById("another").addEventListener("submit", (event) => {
  event.preventDefault()
  void welcomeIn(event.target.elements.customer.value.trim())
})

if (session()) void enter()
else draw()
