// What is on record of the customer: links and notices, a page at a time; its erasure; and the way out.
import { eraseRecords, listLinks, listNotices } from "./client.js"
import { element, icon } from "./dom.js"
import { call, session } from "./session.js"
import { trouble } from "./trouble.js"
import { explained, moment } from "./words.js"

const OUTCOMES = { confirmed: "Connected", not_confirmed: "Nothing was connected" }

/** The view; `leave` signs out, `again` redraws it. */
export function youView({ announce, leave, again }) {
  const said = element("div")
  const dialog = confirmation(async () => {
    try {
      await call(eraseRecords, {})
      await again()
      announce("Your records are erased.")
    } catch (error) {
      if (!error.kind) throw error
      said.replaceChildren(trouble(error, () => dialog.showModal()))
      announce(explained(error).join(". "))
    }
  })
  return [
    element("h1", { tabindex: "-1" }, "You"),
    element("p", { class: "soft" }, "Signed in as ", element("strong", { dir: "auto" }, session().customer)),
    paged("Connecting", "When you connect an account, what came of it is listed here.", listLinks, "links", linkRow),
    paged("Notices", "When something changes at a seller, it is listed here.", listNotices, "notices", noticeRow),
    element("h2", {}, "Your data"),
    said,
    element("button", { class: "button other bad", click: () => dialog.showModal() }, "Erase my records"),
    element("button", { class: "button other", click: leave }, icon("out"), "Sign out"),
    dialog,
  ]
}

/** A list that gets its first page immediately, and further pages on request. */
function paged(title, ifEmpty, operation, member, row) {
  const list = element("ul", { class: "list records" })
  const after = element("div")
  const more = async (cursor) => {
    try {
      const { body } = await call(operation, { limit: 10, cursor })
      list.append(...body[member].map(row))
      after.replaceChildren()
      const next = () => more(body.nextCursor)
      if (body.nextCursor) after.append(element("button", { class: "button other", click: next }, "Show more"))
      if (!list.children.length) after.replaceChildren(element("p", { class: "card soft" }, ifEmpty))
    } catch (error) {
      if (!error.kind) throw error
      after.replaceChildren(trouble(error, () => more(cursor)))
    }
  }
  void more()
  return element("section", {}, element("h2", {}, title), list, after)
}

function linkRow({ status, sellers, lastCallbackAt }) {
  const names = sellers.flatMap(({ id, name }, at) => [at ? ", " : ": ", element("bdi", {}, name ?? id)])
  return record(element("span", {}, OUTCOMES[status] ?? "Still being checked", names), lastCallbackAt)
}

const noticeRow = ({ receivedAt }) => record("Something changed at a seller", receivedAt)

function record(what, at) {
  const time = element("time", { class: "note", datetime: at }, moment(at))
  return element("li", { class: "row" }, element("span", { class: "what" }, what, time))
}

function confirmation(erase) {
  const dialog = element(
    "dialog",
    { "aria-labelledby": "erase-title" },
    element("h2", { id: "erase-title" }, "Erase your records?"),
    element("p", {}, "What is on record of your links and notices is gone for good. Your accounts with sellers stay as they are."),
    // the first button has the focus when it opens
    element("button", { class: "button other", click: () => dialog.close() }, "Keep them"),
    element("button", { class: "button bad", click: () => (dialog.close(), erase()) }, "Erase"),
  )
  return dialog
}
