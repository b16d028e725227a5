"""Links in the table: callbacks that came, and what was found to be connected. Each change is one atomic update of one item.

So callbacks that come at once lose nothing, and a link that is confirmed stays so, whatever comes later.
Source: Amazon DynamoDB's developer guide, "Update expressions" and "Condition expressions".
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from table import Item, Page, Table, id_of, key_of, read_each, storage, storage_unavailable

MAX_CALLBACKS = 20  # kept of one link; the count goes on
MAX_QUERY_BYTES = 2048  # kept of one callback
MAX_TEXT_CHARACTERS = 1024  # kept of a seller's id or name
MAX_SELLERS_BYTES = 128 * 1024  # kept of one link: with its callbacks that stays well below the 400 KB that DynamoDB allows an item
SELLERS_PER_UPDATE = 50  # an update expression has at most 4 KB
MAX_WRITE_ATTEMPTS = 5  # a record changes its branch at most twice; erasing it in between may take it back

Status = Literal["received", "confirmed", "not_confirmed"]

RECORD_CALLBACK = (
    "SET issuedAt = if_not_exists(issuedAt, :issuedAt),"
    " connectedBefore = if_not_exists(connectedBefore, :connectedBefore), sellers = if_not_exists(sellers, :noSellers),"
    " firstCallbackAt = if_not_exists(firstCallbackAt, :now), lastCallbackAt = :now, expiresAt = :expiresAt"
)
REOPEN = ", #status = :received"  # a new callback may have another outcome
LEAVE_STATUS = ", #status = if_not_exists(#status, :received)"
KEEP_CALLBACK = ", callbacks = list_append(if_not_exists(callbacks, :noCallbacks), :callback)"
COUNT_CALLBACK = " ADD callbackCount :one"
IS_NOT_CONFIRMED = "(attribute_not_exists(#status) OR #status <> :confirmed)"
HAS_ROOM = "(attribute_not_exists(callbacks) OR size(callbacks) < :max)"


class ConnectedSeller(NamedTuple):
    """A seller with whom an account was connected under a link."""

    id: str
    name: str | None
    connected_at: datetime


class Link(NamedTuple):
    """A link to which a callback has come. `connected_before` are digests of the sellers connected when it was issued."""

    id: str
    status: Status
    issued_at: datetime
    first_callback_at: datetime
    last_callback_at: datetime
    callback_count: int
    sellers: list[ConnectedSeller]
    connected_before: bytes


class LinkStore:
    """The links in `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def record_callback(self, customer: str, link_id: str, issued_at: datetime, connected_before: bytes, query: str) -> Link:
        """Add a callback that came with `query` to the link's record, which is made if it isn't there, and return the record.

        A link that isn't confirmed is `received` after it. Raises `Problem` (`storage_unavailable`).
        """
        now = _text_of(datetime.fromtimestamp(self._table.clock(), UTC))
        kept = query.encode()[:MAX_QUERY_BYTES].decode(errors="ignore")
        values: Item = {
            ":received": {"S": "received"},
            ":confirmed": {"S": "confirmed"},
            ":issuedAt": {"S": _text_of(issued_at)},
            ":connectedBefore": {"B": connected_before},
            ":noSellers": {"M": {}},
            ":now": {"S": now},
            ":expiresAt": self._table.expires_at(),
            ":one": {"N": "1"},
            ":noCallbacks": {"L": []},
            ":callback": {"L": [{"M": {"at": {"S": now}, "query": {"S": kept}}}]},
            ":max": {"N": str(MAX_CALLBACKS)},
        }
        is_confirmed = is_full = False
        for _ in range(MAX_WRITE_ATTEMPTS):
            expression = RECORD_CALLBACK + (LEAVE_STATUS if is_confirmed else REOPEN)
            expression += COUNT_CALLBACK if is_full else KEEP_CALLBACK + COUNT_CALLBACK
            conditions = [*([] if is_confirmed else [IS_NOT_CONFIRMED]), *([] if is_full else [HAS_ROOM])]
            item, is_written = self._update_if(customer, link_id, expression, values, " AND ".join(conditions))
            if is_written:
                return _written_link(item)
            is_confirmed = item.get("status") == values[":confirmed"]
            is_full = len(item.get("callbacks", {"L": []})["L"]) >= MAX_CALLBACKS
        raise storage_unavailable()

    def settle(self, customer: str, link: Link, sellers: list[ConnectedSeller]) -> Link:
        """Add `sellers` and confirm the link; without any it isn't confirmed, unless it was before.

        Only the last part of `sellers` confirms the link, so that a part that fails is added when the link is settled again.
        Returns the record after it; one that was erased meanwhile isn't made again. Raises `Problem` (`storage_unavailable`).
        """
        if not sellers:
            return self._mark_not_confirmed(customer, link)
        added = _that_fit(link, sellers)
        parts = [added[start : start + SELLERS_PER_UPDATE] for start in range(0, len(added), SELLERS_PER_UPDATE)] or [[]]
        for part in parts:
            link = self._add_sellers(customer, link, part, is_last=part is parts[-1])
        return link

    def get(self, customer: str, link_id: str) -> Link | None:
        """One link. Raises `Problem` `storage_unavailable`."""
        item = self._table.get(customer, "LINK", link_id)
        return next(iter(read_each([item] if item else [], _link_of)), None)

    def page(self, customer: str, limit: int, cursor: str | None) -> tuple[list[Link], str | None]:
        """Links, newest first, and the cursor of the next page. Raises `Problem`, as `Table.page` does."""
        page: Page = self._table.page(customer, "LINK", limit, cursor)
        return read_each(page.items, _link_of), page.next_cursor

    def _add_sellers(self, customer: str, link: Link, sellers: list[ConnectedSeller], *, is_last: bool) -> Link:
        names: dict[str, str] = {}
        values: Item = {}
        changes: list[str] = []
        for number, seller in enumerate(sellers):
            names[f"#s{number}"] = hashlib.sha256(seller.id.encode()).hexdigest()[:32]
            values[f":s{number}"] = _item_of(seller)
            changes.append(f"sellers.#s{number} = if_not_exists(sellers.#s{number}, :s{number})")
        if is_last:
            names["#status"] = "status"
            values[":confirmed"] = {"S": "confirmed"}
            changes.append("#status = :confirmed")
        item, is_written = self._update_if(customer, link.id, "SET " + ", ".join(changes), values, "attribute_exists(pk)", names)
        if is_written:
            return _written_link(item)
        return link._replace(status="confirmed" if is_last else link.status, sellers=link.sellers + sellers)  # erased: not stored

    def _mark_not_confirmed(self, customer: str, link: Link) -> Link:
        values: Item = {":notConfirmed": {"S": "not_confirmed"}, ":confirmed": {"S": "confirmed"}}
        condition = "attribute_exists(pk) AND #status <> :confirmed"
        item, _ = self._update_if(customer, link.id, "SET #status = :notConfirmed", values, condition)
        return _written_link(item) if item else link._replace(status="not_confirmed")  # erased: not stored

    def _update_if(
        self,
        customer: str,
        link_id: str,
        expression: str,
        values: Item,
        condition: str,
        names: Mapping[str, str] | None = None,
    ) -> tuple[Item, bool]:
        """Update the record if `condition` holds. Returns the record after it, empty if there is none, and whether it was written.

        DynamoDB accepts neither an empty condition nor a name or value that no expression uses.
        """
        used = f"{expression} {condition}"
        options: Any = {"ConditionExpression": condition} if condition else {}
        with storage():
            try:
                answer = self._table.client.update_item(
                    TableName=self._table.name,
                    Key=key_of(customer, "LINK", link_id),
                    UpdateExpression=expression,
                    ExpressionAttributeNames=names or {"#status": "status"},
                    ExpressionAttributeValues={name: value for name, value in values.items() if re.search(rf"{name}\b", used)},
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **options,
                )
                return answer["Attributes"], True
            except self._table.client.exceptions.ConditionalCheckFailedException as error:
                existing: Any = error.response
                return existing.get("Item", {}), False


def _that_fit(link: Link, sellers: list[ConnectedSeller]) -> list[ConnectedSeller]:
    """Return those of `sellers` that aren't on the link's record yet and fit into it."""
    known = {seller.id for seller in link.sellers}
    room = MAX_SELLERS_BYTES - sum(map(_size, link.sellers))
    fitting = []
    for seller in sellers:
        if seller.id[:MAX_TEXT_CHARACTERS] not in known:
            room -= _size(seller)
            if room < 0:
                break
            fitting.append(seller)
    return fitting


def _size(seller: ConnectedSeller) -> int:
    """Return about how many bytes a seller takes in a record, names of attributes included."""
    return 100 + len(seller.id[:MAX_TEXT_CHARACTERS].encode()) + len((seller.name or "")[:MAX_TEXT_CHARACTERS].encode())


def _text_of(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _moment_of(value: Item) -> datetime:
    return datetime.fromisoformat(value["S"])


def _item_of(seller: ConnectedSeller) -> Item:
    name = {"name": {"S": seller.name[:MAX_TEXT_CHARACTERS]}} if seller.name else {}
    return {"M": {"id": {"S": seller.id[:MAX_TEXT_CHARACTERS]}, **name, "connectedAt": {"S": _text_of(seller.connected_at)}}}


def _seller_of(value: Item) -> ConnectedSeller:
    members = value["M"]
    return ConnectedSeller(members["id"]["S"], members.get("name", {}).get("S"), _moment_of(members["connectedAt"]))


def _written_link(item: Item) -> Link:
    """Read a record that was just written. Raises `Problem` (`storage_unavailable`) for one that was damaged before."""
    for link in read_each([item], _link_of):
        return link
    raise storage_unavailable()


def _link_of(item: Item) -> Link:
    sellers = sorted(map(_seller_of, item["sellers"]["M"].values()), key=lambda seller: (seller.connected_at, seller.id))
    return Link(
        id_of(item),
        item["status"]["S"],
        _moment_of(item["issuedAt"]),
        _moment_of(item["firstCallbackAt"]),
        _moment_of(item["lastCallbackAt"]),
        int(item["callbackCount"]["N"]),
        sellers,
        item["connectedBefore"]["B"],
    )
