// The customer's stored links and notices, in pages; their erasure; and signing out.
import { eraseRecords, listLinks, listNotices } from "./client.js"
import { element, icon } from "./dom.js"
import { call, session } from "./session.js"
import { errorCard } from "./error-card.js"
import { errorTexts, formatTime } from "./texts.js"

const OUTCOMES = { confirmed: "Connected", not_confirmed: "Nothing was connected" }

/** Return the view. `leave` signs out; `redraw` draws the view again. */
export function youView({ announce, leave, redraw }) {
  const errorPlace = element("div")
  const dialog = eraseDialog(async () => {
    try {
      await call(eraseRecords, {})
      await redraw()
      announce("Your records are erased.")
    } catch (error) {
      if (!error.kind) throw error
      errorPlace.replaceChildren(errorCard(error, () => dialog.showModal()))
      announce(errorTexts(error).join(". "))
    }
  })
  return [
    element("h1", { tabindex: "-1" }, "You"),
    element("p", { class: "soft" }, "Signed in as ", element("strong", { dir: "auto" }, session().customer)),
    pagedList("Connecting", "When you connect an account, the outcome is listed here.", listLinks, "links", linkRow),
    pagedList("Notices", "When something changes at a seller, it is listed here.", listNotices, "notices", noticeRow),
    element("h2", {}, "Your data"),
    errorPlace,
    element("button", { class: "button other bad", click: () => dialog.showModal() }, "Erase my records"),
    element("button", { class: "button other", click: leave }, icon("out"), "Sign out"),
    dialog,
  ]
}

/** Create a list that loads its first page immediately, and more pages on request. */
function pagedList(title, ifEmpty, operation, member, row) {
  const list = element("ul", { class: "list records" })
  const footer = element("div")
  const loadPage = async (cursor) => {
    try {
      const { body } = await call(operation, { limit: 10, cursor })
      list.append(...body[member].map(row))
      footer.replaceChildren()
      const loadNext = () => loadPage(body.nextCursor)
      if (body.nextCursor) footer.append(element("button", { class: "button other", click: loadNext }, "Show more"))
      if (!list.children.length) footer.replaceChildren(element("p", { class: "card soft" }, ifEmpty))
    } catch (error) {
      if (!error.kind) throw error
      footer.replaceChildren(errorCard(error, () => loadPage(cursor)))
    }
  }
  void loadPage()
  return element("section", {}, element("h2", {}, title), list, footer)
}

function linkRow({ status, sellers, lastCallbackAt }) {
  const names = sellers.flatMap(({ id, name }, at) => [at ? ", " : ": ", element("bdi", {}, name ?? id)])
  return record(element("span", {}, OUTCOMES[status] ?? "Still being checked", names), lastCallbackAt)
}

const noticeRow = ({ receivedAt }) => record("Something changed at a seller", receivedAt)

function record(title, at) {
  const time = element("time", { class: "note", datetime: at }, formatTime(at))
  return element("li", { class: "row" }, element("span", { class: "what" }, title, time))
}

function eraseDialog(erase) {
  const dialog = element(
    "dialog",
    { "aria-labelledby": "erase-title" },
    element("h2", { id: "erase-title" }, "Erase your records?"),
    element("p", {}, "Your stored links and notices will be deleted for good. Your accounts with sellers stay as they are."),
    // the first button gets the focus when the dialog opens
    element("button", { class: "button other", click: () => dialog.close() }, "Keep them"),
    element("button", { class: "button bad", click: () => (dialog.close(), erase()) }, "Erase"),
  )
  return dialog
}
