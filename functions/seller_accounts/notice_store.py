"""imin's notices in the table: that something about a customer changed, and when. A notice does not say what."""

from datetime import UTC, datetime
from typing import NamedTuple

from seller_accounts.aws.table import Item, Table, item_id, item_key, read_each, storage
from seller_accounts.uuid7 import uuid7


class Notice(NamedTuple):
    """A notice; `type` is what imin calls it."""

    id: str
    received_at: datetime
    type: str | None


class NoticeStore:
    """The notices in `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, customer: str, kind: str | None) -> None:
        """Stores a notice that came now; the same one again is another one. Raises `Problem` `storage_unavailable`."""
        now = self._table.clock()
        item: Item = item_key(customer, "NOTICE", str(uuid7(now)))
        item["receivedAt"] = {"S": f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}"}
        item["expiresAt"] = self._table.expires_at()
        if kind:
            item["type"] = {"S": kind}
        with storage():
            self._table.client.put_item(TableName=self._table.name, Item=item)

    def page(self, customer: str, limit: int, cursor: str | None) -> tuple[list[Notice], str | None]:
        """Notices, newest first, and the cursor of the next page. Raises `Problem`, as `Table.page` does."""
        page = self._table.page(customer, "NOTICE", limit, cursor)
        return read_each(page.items, _notice_from_item), page.next_cursor


def _notice_from_item(item: Item) -> Notice:
    return Notice(item_id(item), datetime.fromisoformat(item["receivedAt"]["S"]), item.get("type", {}).get("S"))
