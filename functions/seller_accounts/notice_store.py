"""Store imin's notices: that something about a customer changed, and when, but not what."""

from datetime import UTC, datetime
from typing import NamedTuple

from seller_accounts.aws.table import Item, Table, item_id, item_key, read_each, storage_errors
from seller_accounts.uuid7 import uuid7


class Notice(NamedTuple):
    """A stored notice; `type` is imin's."""

    id: str
    received_at: datetime
    type: str | None


class NoticeStore:
    """Reads and writes notices in `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, customer: str, notice_type: str | None) -> None:
        """Store a notice received now; a repeated notice is stored again. Raises `Problem` (`storage_unavailable`)."""
        now = self._table.clock()
        item: Item = item_key(customer, "NOTICE", str(uuid7(now)))
        item["receivedAt"] = {"S": f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}"}
        item["expiresAt"] = self._table.expires_at()
        if notice_type:
            item["type"] = {"S": notice_type}
        with storage_errors():
            self._table.client.put_item(TableName=self._table.name, Item=item)

    def page(self, customer: str, limit: int, cursor: str | None) -> tuple[list[Notice], str | None]:
        """Return notices, newest first, and the cursor of the next page. Raises `Problem`, as `Table.page` does."""
        page = self._table.page(customer, "NOTICE", limit, cursor)
        return read_each(page.items, _notice_from_item), page.next_cursor


def _notice_from_item(item: Item) -> Notice:
    return Notice(item_id(item), datetime.fromisoformat(item["receivedAt"]["S"]), item.get("type", {}).get("S"))
