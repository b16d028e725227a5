"""Store links: issued ones, their callbacks, and the sellers connected through them.

A new link is an `ISSUED` record with digests of the sellers connected then. Its first callback, or a connection without one,
creates a `LINK` record. Each change to it is one atomic update of one item, so concurrent callbacks lose nothing, and a confirmed
link stays confirmed.
Source: Amazon DynamoDB's developer guide, "Update expressions" and "Condition expressions".
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from seller_accounts.aws.table import Item, Page, Table, item_id, item_key, read_each, storage_errors, storage_unavailable

MAX_CALLBACKS = 20  # stored per link; later ones are only counted
MAX_QUERY_BYTES = 2048  # stored per callback
MAX_TEXT_CHARACTERS = 1024  # stored of a seller's id or name
MAX_SELLERS_BYTES = 128 * 1024  # stored per link: with its callbacks well below DynamoDB's limit of 400 KB per item
SELLERS_PER_UPDATE = 50  # an update expression has at most 4 KB
MAX_WRITE_ATTEMPTS = 5  # the branch changes at most twice, more often only if the record is erased in between

ISSUED_KEPT_SECONDS = 86400  # after a link has expired
DEFAULT_TTL = timedelta(days=1)  # for records of versions that didn't store the expiry

Status = Literal["issued", "received", "confirmed", "not_confirmed"]

RECORD_CALLBACK = (
    "SET issuedAt = if_not_exists(issuedAt, :issuedAt), validUntil = if_not_exists(validUntil, :validUntil),"
    " sellers = if_not_exists(sellers, :noSellers),"
    " firstCallbackAt = if_not_exists(firstCallbackAt, :now), lastCallbackAt = :now, expiresAt = :expiresAt"
)
CONFIRM_ISSUED = (
    "SET #status = :confirmed, issuedAt = :issuedAt, validUntil = :validUntil, sellers = :sellers, callbackCount = :zero,"
    " expiresAt = :expiresAt"
)
REOPEN = ", #status = :received"  # a new callback may have another outcome
LEAVE_STATUS = ", #status = if_not_exists(#status, :received)"
KEEP_CALLBACK = ", callbacks = list_append(if_not_exists(callbacks, :noCallbacks), :callback)"
KEEP_DIGESTS = ", connectedBefore = if_not_exists(connectedBefore, :connectedBefore)"  # from a state of an earlier version
COUNT_CALLBACK = " ADD callbackCount :one"
IS_NOT_CONFIRMED = "(attribute_not_exists(#status) OR #status <> :confirmed)"
HAS_ROOM_FOR_CALLBACK = "(attribute_not_exists(callbacks) OR size(callbacks) < :max)"


LAST = datetime.max.replace(tzinfo=UTC)  # sorts sellers without a date last


class ConnectedSeller(NamedTuple):
    """A seller whose account was connected through a link; `connected_at` is None if imin gives no date."""

    id: str
    name: str | None
    connected_at: datetime | None


class Link(NamedTuple):
    """A stored link. `connected_before` has digests of the sellers connected when it was issued; None if unknown."""

    id: str
    status: Status
    issued_at: datetime
    expires_at: datetime
    first_callback_at: datetime | None
    last_callback_at: datetime | None
    callback_count: int
    sellers: list[ConnectedSeller]
    connected_before: bytes | None


class LinkStore:
    """Reads and writes links in `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def issue(self, customer: str, link_id: str, issued_at: datetime, expires_at: datetime, connected_before: bytes) -> None:
        """Store a new link. Raises `Problem` (`storage_unavailable`)."""
        item: Item = {
            **item_key(customer, "ISSUED", link_id),
            "issuedAt": {"S": _format_timestamp(issued_at)},
            "validUntil": {"S": _format_timestamp(expires_at)},
            "connectedBefore": {"B": connected_before},
            "expiresAt": {"N": str(int(expires_at.timestamp()) + ISSUED_KEPT_SECONDS)},
        }
        with storage_errors():
            self._table.client.put_item(TableName=self._table.name, Item=item)

    def record_callback(
        self, customer: str, link_id: str, issued_at: datetime, expires_at: datetime, query: str, connected_before: bytes
    ) -> Link:
        """Add a callback with `query` to the link's record, created if necessary, and return the link.

        An unconfirmed link becomes `received`. Raises `Problem` (`storage_unavailable`).
        """
        now = _format_timestamp(datetime.fromtimestamp(self._table.clock(), UTC))
        stored_query = query.encode()[:MAX_QUERY_BYTES].decode(errors="ignore")
        values: Item = {
            ":received": {"S": "received"},
            ":confirmed": {"S": "confirmed"},
            ":issuedAt": {"S": _format_timestamp(issued_at)},
            ":validUntil": {"S": _format_timestamp(expires_at)},
            ":connectedBefore": {"B": connected_before},
            ":noSellers": {"M": {}},
            ":now": {"S": now},
            ":expiresAt": self._table.expires_at(),
            ":one": {"N": "1"},
            ":noCallbacks": {"L": []},
            ":callback": {"L": [{"M": {"at": {"S": now}, "query": {"S": stored_query}}}]},
            ":max": {"N": str(MAX_CALLBACKS)},
        }
        is_confirmed = is_full = False
        for _ in range(MAX_WRITE_ATTEMPTS):
            expression = RECORD_CALLBACK + (LEAVE_STATUS if is_confirmed else REOPEN) + (KEEP_DIGESTS if connected_before else "")
            expression += COUNT_CALLBACK if is_full else KEEP_CALLBACK + COUNT_CALLBACK
            conditions = [*([] if is_confirmed else [IS_NOT_CONFIRMED]), *([] if is_full else [HAS_ROOM_FOR_CALLBACK])]
            item, is_written = self._update_if(
                customer, link_id, expression=expression, values=values, condition=" AND ".join(conditions)
            )
            if is_written:
                return _written_link(item)
            is_confirmed = item.get("status") == values[":confirmed"]
            is_full = len(item.get("callbacks", {"L": []})["L"]) >= MAX_CALLBACKS
        raise storage_unavailable()

    def settle(self, customer: str, link: Link, sellers: list[ConnectedSeller]) -> Link:
        """Add `sellers` and confirm the link; without any a `received` link becomes `not_confirmed`.

        Only the last batch of `sellers` confirms the link, so that a failed batch is added when the link is settled again. Returns
        the link afterwards; a record erased meanwhile isn't recreated. Raises `Problem` (`storage_unavailable`).
        """
        if not sellers:
            return self._mark_not_confirmed(customer, link) if link.status == "received" else link
        if link.status == "issued" and (confirmed := self._confirm_issued(customer, link, sellers)):
            return confirmed
        added = _select_fitting(link, sellers)
        if link.status == "confirmed" and not added:
            return link
        parts = [added[start : start + SELLERS_PER_UPDATE] for start in range(0, len(added), SELLERS_PER_UPDATE)] or [[]]
        for part in parts:
            link = self._add_sellers(customer, link, part, is_last=part is parts[-1])
        return link

    def get(self, customer: str, link_id: str) -> Link | None:
        """Return a link, or None if there is none. Raises `Problem` (`storage_unavailable`)."""
        item = self._table.get(customer, "LINK", link_id)
        if item:
            return next(iter(read_each([item], _link_from_item)), None)
        item = self._table.get(customer, "ISSUED", link_id)
        return next(iter(read_each([item] if item else [], _issued_link_from_item)), None)

    def connected_before(self, customer: str, link_id: str) -> bytes | None:
        """Return the digests of an issued link, or None if there is no record of it. Raises `Problem` (`storage_unavailable`)."""
        item = self._table.get(customer, "ISSUED", link_id)
        return next(iter(read_each([item] if item else [], _digests_from_item)), None)

    def page(self, customer: str, limit: int, cursor: str | None) -> tuple[list[Link], str | None]:
        """Return links, newest first, and the cursor of the next page. Raises `Problem`, as `Table.page` does."""
        page: Page = self._table.page(customer, "LINK", limit, cursor)
        return read_each(page.items, _link_from_item), page.next_cursor

    def _confirm_issued(self, customer: str, link: Link, sellers: list[ConnectedSeller]) -> Link | None:
        """Create the record of a link confirmed without a callback; None if a callback has created it meanwhile."""
        values: Item = {
            ":confirmed": {"S": "confirmed"},
            ":issuedAt": {"S": _format_timestamp(link.issued_at)},
            ":validUntil": {"S": _format_timestamp(link.expires_at)},
            ":sellers": {"M": {_attribute_name(seller): _seller_to_item(seller) for seller in _select_fitting(link, sellers)}},
            ":zero": {"N": "0"},
            ":expiresAt": self._table.expires_at(),
        }
        item, is_written = self._update_if(
            customer, link.id, expression=CONFIRM_ISSUED, values=values, condition="attribute_not_exists(pk)"
        )
        return _written_link(item) if is_written else None

    def _add_sellers(self, customer: str, link: Link, sellers: list[ConnectedSeller], *, is_last: bool) -> Link:
        names: dict[str, str] = {}
        values: Item = {}
        changes: list[str] = []
        for number, seller in enumerate(sellers):
            names[f"#s{number}"] = _attribute_name(seller)
            values[f":s{number}"] = _seller_to_item(seller)
            changes.append(f"sellers.#s{number} = if_not_exists(sellers.#s{number}, :s{number})")
        if is_last:
            names["#status"] = "status"
            values[":confirmed"] = {"S": "confirmed"}
            changes.append("#status = :confirmed")
        item, is_written = self._update_if(
            customer, link.id, expression="SET " + ", ".join(changes), values=values, condition="attribute_exists(pk)", names=names
        )
        if is_written:
            return _written_link(item)
        return link._replace(status="confirmed", sellers=link.sellers + sellers)  # erased: not stored

    def _mark_not_confirmed(self, customer: str, link: Link) -> Link:
        values: Item = {":notConfirmed": {"S": "not_confirmed"}, ":confirmed": {"S": "confirmed"}}
        condition = "attribute_exists(pk) AND #status <> :confirmed"
        item, _ = self._update_if(customer, link.id, expression="SET #status = :notConfirmed", values=values, condition=condition)
        return _written_link(item) if item else link._replace(status="not_confirmed")  # erased: not stored

    def _update_if(
        self,
        customer: str,
        link_id: str,
        *,
        expression: str,
        values: Item,
        condition: str,
        names: Mapping[str, str] | None = None,
    ) -> tuple[Item, bool]:
        """Update the record if `condition` holds. Returns the record afterwards, if any, and whether it was written.

        DynamoDB rejects an empty condition, and a name or value that no expression uses.
        """
        used = f"{expression} {condition}"
        options: Any = {"ConditionExpression": condition} if condition else {}
        with storage_errors():
            try:
                response = self._table.client.update_item(
                    TableName=self._table.name,
                    Key=item_key(customer, "LINK", link_id),
                    UpdateExpression=expression,
                    ExpressionAttributeNames=names or {"#status": "status"},
                    ExpressionAttributeValues={name: value for name, value in values.items() if re.search(rf"{name}\b", used)},
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **options,
                )
                return response["Attributes"], True
            except self._table.client.exceptions.ConditionalCheckFailedException as error:
                existing: Any = error.response
                return existing.get("Item", {}), False


def _select_fitting(link: Link, sellers: list[ConnectedSeller]) -> list[ConnectedSeller]:
    """Return the new ones of `sellers` that fit into the link's record."""
    known = {seller.id for seller in link.sellers}
    free_bytes = MAX_SELLERS_BYTES - sum(map(_size, link.sellers))
    fitting = []
    for seller in sellers:
        if seller.id[:MAX_TEXT_CHARACTERS] not in known:
            free_bytes -= _size(seller)
            if free_bytes < 0:
                break
            fitting.append(seller)
    return fitting


def _size(seller: ConnectedSeller) -> int:
    """Estimate the bytes of a seller in a record, including attribute names."""
    return 100 + len(seller.id[:MAX_TEXT_CHARACTERS].encode()) + len((seller.name or "")[:MAX_TEXT_CHARACTERS].encode())


def _format_timestamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _parse_timestamp(value: Item) -> datetime:
    return datetime.fromisoformat(value["S"])


def _attribute_name(seller: ConnectedSeller) -> str:
    """Return the attribute name of a seller in a record's map: its id may be longer than DynamoDB allows."""
    return hashlib.sha256(seller.id.encode()).hexdigest()[:32]


def _seller_to_item(seller: ConnectedSeller) -> Item:
    name = {"name": {"S": seller.name[:MAX_TEXT_CHARACTERS]}} if seller.name else {}
    connected_at = {"connectedAt": {"S": _format_timestamp(seller.connected_at)}} if seller.connected_at else {}
    return {"M": {"id": {"S": seller.id[:MAX_TEXT_CHARACTERS]}, **name, **connected_at}}


def _seller_from_item(value: Item) -> ConnectedSeller:
    members = value["M"]
    connected_at = _parse_timestamp(members["connectedAt"]) if "connectedAt" in members else None
    return ConnectedSeller(members["id"]["S"], members.get("name", {}).get("S"), connected_at)


def _written_link(item: Item) -> Link:
    """Read a record that was just written. Raises `Problem` (`storage_unavailable`) if it is damaged."""
    for link in read_each([item], _link_from_item):
        return link
    raise storage_unavailable()


def _issued_link_from_item(item: Item) -> Link:
    issued_at, expires_at = _parse_timestamp(item["issuedAt"]), _parse_timestamp(item["validUntil"])
    return Link(item_id(item), "issued", issued_at, expires_at, None, None, 0, [], _digests_from_item(item))


def _digests_from_item(item: Item) -> bytes:
    return bytes(item["connectedBefore"]["B"])


def _link_from_item(item: Item) -> Link:
    sellers = sorted(
        map(_seller_from_item, item["sellers"]["M"].values()), key=lambda seller: (seller.connected_at or LAST, seller.id)
    )
    issued_at = _parse_timestamp(item["issuedAt"])
    return Link(
        item_id(item),
        item["status"]["S"],
        issued_at,
        _parse_timestamp(item["validUntil"]) if "validUntil" in item else issued_at + DEFAULT_TTL,
        _parse_timestamp(item["firstCallbackAt"]) if "firstCallbackAt" in item else None,
        _parse_timestamp(item["lastCallbackAt"]) if "lastCallbackAt" in item else None,
        int(item["callbackCount"]["N"]),
        sellers,
        _digests_from_item(item) if "connectedBefore" in item else None,
    )
