"""Links in the table: callbacks that came, and what was found to be connected. Each change is one atomic update of one item.

So callbacks that come at once lose nothing, and a link that is confirmed stays so, whatever comes later.
Source: Amazon DynamoDB's developer guide, "Update expressions" and "Condition expressions".
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from table import Item, Page, Table, id_of, key_of, storage

MOST_CALLBACKS = 20  # kept of one link; the count goes on
MOST_QUERY_BYTES = 2048  # kept of one callback
MOST_CHARACTERS = 1024  # kept of a seller's id or name
SELLERS_AT_ONCE = 50  # an update expression has at most 4 KB

Status = Literal["received", "confirmed", "not_confirmed"]

RECORD_CALLBACK = (
    "SET #status = if_not_exists(#status, :received), issuedAt = if_not_exists(issuedAt, :issuedAt),"
    " connectedBefore = if_not_exists(connectedBefore, :connectedBefore), sellers = if_not_exists(sellers, :noSellers),"
    " firstCallbackAt = if_not_exists(firstCallbackAt, :now), lastCallbackAt = :now, expiresAt = :expiresAt"
)
KEEP_CALLBACK = ", callbacks = list_append(if_not_exists(callbacks, :noCallbacks), :callback)"
COUNT_CALLBACK = " ADD callbackCount :one"


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
        """Adds a callback that came with `query` to the link's record, made if it is not there; gives the record after it.

        Raises `Problem` `storage_unavailable`.
        """
        now = _text_of(datetime.fromtimestamp(self._table.clock(), UTC))
        values: Item = {
            ":received": {"S": "received"},
            ":issuedAt": {"S": _text_of(issued_at)},
            ":connectedBefore": {"B": connected_before},
            ":noSellers": {"M": {}},
            ":now": {"S": now},
            ":expiresAt": self._table.expires_at(),
            ":one": {"N": "1"},
        }
        kept = query.encode()[:MOST_QUERY_BYTES].decode(errors="ignore")
        callback: Item = {
            ":noCallbacks": {"L": []},
            ":callback": {"L": [{"M": {"at": {"S": now}, "query": {"S": kept}}}]},
            ":most": {"N": str(MOST_CALLBACKS)},
        }
        room = "attribute_not_exists(callbacks) OR size(callbacks) < :most"
        with storage():
            try:
                item = self._update(customer, link_id, RECORD_CALLBACK + KEEP_CALLBACK + COUNT_CALLBACK, values | callback, room)
            except self._table.client.exceptions.ConditionalCheckFailedException:
                item = self._update(customer, link_id, RECORD_CALLBACK + COUNT_CALLBACK, values)
        return _link_of(item)

    def settle(self, customer: str, link: Link, sellers: list[ConnectedSeller]) -> Link:
        """Adds `sellers` and confirms the link; without any it is not confirmed, unless it was confirmed before.

        Gives the record after it; one that was erased meanwhile is not made anew. Raises `Problem` `storage_unavailable`.
        """
        for start in range(0, len(sellers), SELLERS_AT_ONCE):
            link = self._confirm(customer, link, sellers[start : start + SELLERS_AT_ONCE])
        return link if sellers else self._leave_unconfirmed(customer, link)

    def get(self, customer: str, link_id: str) -> Link | None:
        """One link. Raises `Problem` `storage_unavailable`."""
        item = self._table.get(customer, "LINK", link_id)
        return _link_of(item) if item else None

    def page(self, customer: str, limit: int, cursor: str | None) -> tuple[list[Link], str | None]:
        """Links, newest first, and the cursor of the next page. Raises `Problem`, as `Table.page` does."""
        page: Page = self._table.page(customer, "LINK", limit, cursor)
        return [_link_of(item) for item in page.items], page.next_cursor

    def _confirm(self, customer: str, link: Link, sellers: list[ConnectedSeller]) -> Link:
        names: dict[str, str] = {}
        values: Item = {}
        added: list[str] = []
        for number, seller in enumerate(sellers):
            names[f"#s{number}"] = hashlib.sha256(seller.id.encode()).hexdigest()[:32]
            values[f":s{number}"] = _item_of(seller)
            added.append(f", sellers.#s{number} = if_not_exists(sellers.#s{number}, :s{number})")
        expression = "SET #status = :confirmed" + "".join(added)
        values[":confirmed"] = {"S": "confirmed"}
        with storage():
            try:
                item = self._update(customer, link.id, expression, values, "attribute_exists(pk)", names)
            except self._table.client.exceptions.ConditionalCheckFailedException:
                return link._replace(status="confirmed", sellers=link.sellers + sellers)
        return _link_of(item)

    def _leave_unconfirmed(self, customer: str, link: Link) -> Link:
        values: Item = {":notConfirmed": {"S": "not_confirmed"}, ":confirmed": {"S": "confirmed"}}
        condition = "attribute_exists(pk) AND #status <> :confirmed"
        with storage():
            try:
                item = self._update(customer, link.id, "SET #status = :notConfirmed", values, condition)
            except self._table.client.exceptions.ConditionalCheckFailedException as error:
                confirmed: Any = error.response.get("Item")
                return _link_of(confirmed) if confirmed else link._replace(status="not_confirmed")
        return _link_of(item)

    def _update(
        self,
        customer: str,
        link_id: str,
        expression: str,
        values: Item,
        condition: str = "",
        names: Mapping[str, str] | None = None,
    ) -> Item:
        options: Any = {"ConditionExpression": condition} if condition else {}
        answer = self._table.client.update_item(
            TableName=self._table.name,
            Key=key_of(customer, "LINK", link_id),
            UpdateExpression=expression,
            ExpressionAttributeNames={"#status": "status", **(names or {})},
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            **options,
        )
        return answer["Attributes"]


def _text_of(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _moment_of(value: Item) -> datetime:
    return datetime.fromisoformat(value["S"])


def _item_of(seller: ConnectedSeller) -> Item:
    name = {"name": {"S": seller.name[:MOST_CHARACTERS]}} if seller.name else {}
    return {"M": {"id": {"S": seller.id[:MOST_CHARACTERS]}, **name, "connectedAt": {"S": _text_of(seller.connected_at)}}}


def _seller_of(value: Item) -> ConnectedSeller:
    members = value["M"]
    return ConnectedSeller(members["id"]["S"], members.get("name", {}).get("S"), _moment_of(members["connectedAt"]))


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
