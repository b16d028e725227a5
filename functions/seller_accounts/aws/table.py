"""The DynamoDB table: keys, paging and error translation. Record contents belong to `link_store` and `notice_store`.

`pk` is `CUSTOMER#{customerIdentifier}`; `sk` is a record type and an id: `ISSUED#{id}`, `LINK#{id}`, `NOTICE#{id}`. Ids are UUIDv7,
so records sort by time. DynamoDB deletes a record after its `expiresAt` (seconds since 1970).
Source: Amazon DynamoDB's developer guide and API reference.
"""

import base64
import logging
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar, cast

from botocore.exceptions import BotoCoreError, ClientError

from seller_accounts.aws import aws_client
from seller_accounts.http.problems import Problem
from seller_accounts.settings import StoreSettings
from seller_accounts.telemetry import exception_fields, log

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DELETE_BATCH_SIZE = 25  # the most that one BatchWriteItem takes
KEY_PAGE_SIZE = 500
PAUSE_SECONDS = 0.1  # after DynamoDB left keys unprocessed
RETRY_AFTER_SECONDS = 2

R = TypeVar("R")
RecordType = Literal["ISSUED", "LINK", "NOTICE"]
Item = dict[str, Any]
"""A record in DynamoDB's API format: each value with its type."""


class Page(NamedTuple):
    """Records, newest first, and the cursor of the next page, if any."""

    items: list[Item]
    next_cursor: str | None


def make_client() -> "DynamoDBClient":
    """Make a client that reports a failure after at most about four seconds, including a retry."""
    return cast("DynamoDBClient", aws_client.make_client("dynamodb", read_timeout_seconds=1))


@contextmanager
def storage_errors() -> Iterator[None]:
    """Convert a DynamoDB failure or an incomplete response into `Problem` (`storage_unavailable`)."""
    try:
        yield
    except (BotoCoreError, ClientError, KeyError) as error:
        raise storage_unavailable() from error


def storage_unavailable(detail: str = "Records are temporarily unavailable.") -> Problem:
    """Make the problem for a failed call to DynamoDB."""
    return Problem("storage_unavailable", detail, retry_after_seconds=RETRY_AFTER_SECONDS)


class Table:
    """The table named in `settings`. `clock` returns seconds since 1970, `sleep` takes seconds."""

    def __init__(
        self,
        settings: StoreSettings,
        client: "DynamoDBClient",
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.client = client
        self.name = settings.table
        self.clock = clock
        self._ttl_seconds = settings.record_ttl_days * 86400
        self._sleep = sleep

    def expires_at(self) -> dict[str, str]:
        """Return the `expiresAt` of a record that is written now."""
        return {"N": str(int(self.clock()) + self._ttl_seconds)}

    def get(self, customer: str, record_type: RecordType, record_id: str) -> Item | None:
        """Return a record, or None if there is none or it has expired. Raises `Problem` (`storage_unavailable`)."""
        with storage_errors():
            response = self.client.get_item(
                TableName=self.name, Key=item_key(customer, record_type, record_id), ConsistentRead=True
            )
        item: Item | None = response.get("Item")
        return item if item and self._is_shown(item) else None

    def page(self, customer: str, record_type: RecordType, limit: int, cursor: str | None) -> Page:
        """Return at most `limit` records that haven't expired, from `cursor` on, of this customer alone.

        DynamoDB ends a response at 1 MB, so it is queried until there are enough records or no more.
        Raises `Problem`: `invalid_request` (not a cursor), `storage_unavailable`.
        """
        start: Any = {} if cursor is None else {"ExclusiveStartKey": item_key(customer, record_type, _id_from_cursor(cursor))}
        items: list[Item] = []
        while len(items) <= limit:
            with storage_errors():
                response = self.client.query(
                    TableName=self.name,
                    KeyConditionExpression="pk = :pk AND begins_with(sk, :recordType)",
                    ExpressionAttributeValues={":pk": {"S": f"CUSTOMER#{customer}"}, ":recordType": {"S": f"{record_type}#"}},
                    ScanIndexForward=False,
                    ConsistentRead=True,
                    Limit=limit + 1 - len(items),
                    **start,
                )
                items += filter(self._is_shown, response["Items"])
            if "LastEvaluatedKey" not in response:
                break
            start = {"ExclusiveStartKey": response["LastEvaluatedKey"]}
        return Page(items[:limit], _make_cursor(item_id(items[limit - 1])) if len(items) > limit else None)

    def _is_shown(self, item: Item) -> bool:
        """Whether a record hasn't expired (DynamoDB may delete it days later) and its id fits into a cursor."""
        return any(read_each([item], lambda item: uuid.UUID(item_id(item)) and not self._has_expired(item)))

    def _has_expired(self, item: Item) -> bool:
        return "expiresAt" in item and int(item["expiresAt"]["N"]) <= self.clock()

    def erase(self, customer: str, has_time: Callable[[], bool]) -> None:
        """Delete all records of `customer`. Raises `Problem` (`storage_unavailable`), also if there is no time to finish."""
        while keys := self._keys(customer):
            for start in range(0, len(keys), DELETE_BATCH_SIZE):
                if not has_time():
                    raise storage_unavailable("There is more to erase.")
                self._delete(keys[start : start + DELETE_BATCH_SIZE])

    def _keys(self, customer: str) -> list[Item]:
        with storage_errors():
            response = self.client.query(
                TableName=self.name,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": f"CUSTOMER#{customer}"}},
                ProjectionExpression="pk, sk",
                ConsistentRead=True,
                Limit=KEY_PAGE_SIZE,
            )
            return response["Items"]

    def _delete(self, keys: list[Item]) -> None:
        """Delete a batch. The next query finds the keys that DynamoDB left unprocessed."""
        with storage_errors():
            response = self.client.batch_write_item(RequestItems={self.name: [{"DeleteRequest": {"Key": key}} for key in keys]})
        if response.get("UnprocessedItems"):
            self._sleep(PAUSE_SECONDS)


def read_each(items: list[Item], read: Callable[[Item], R]) -> list[R]:
    """Read records. An unreadable record is logged and left out."""
    results = []
    for item in items:
        try:
            results.append(read(item))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            log(logging.WARNING, "record_unreadable", record=str(item.get("sk", {}).get("S")), **exception_fields(error))
    return results


def item_key(customer: str, record_type: RecordType, record_id: str) -> Item:
    """Return the key of a record."""
    return {"pk": {"S": f"CUSTOMER#{customer}"}, "sk": {"S": f"{record_type}#{record_id}"}}


def item_id(item: Item) -> str:
    """Return the id of a record."""
    return str(item["sk"]["S"]).partition("#")[2]


def _make_cursor(record_id: str) -> str:
    return base64.urlsafe_b64encode(uuid.UUID(record_id).bytes).decode().rstrip("=")


def _id_from_cursor(cursor: str) -> str:
    """Decode the id in a cursor. A cursor names no customer, so it can't reach another customer's records."""
    try:
        return str(uuid.UUID(bytes=base64.b64decode(f"{cursor}==", b"-_", validate=True)))
    except ValueError as error:
        raise Problem("invalid_request", "The cursor is invalid.") from error
