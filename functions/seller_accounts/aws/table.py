"""The DynamoDB table of customers' records: its keys, its pages, its failures. What a record says is not known here.

`pk` is `CUSTOMER#{customerIdentifier}`, `sk` is a kind and an id (`ISSUED#{id}`, `LINK#{id}`, `NOTICE#{id}`); ids are UUIDv7, so
records sort by time. DynamoDB forgets a record after its `expiresAt` (seconds since 1970).
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
from seller_accounts.telemetry import describe, log

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DELETE_BATCH_SIZE = 25  # the most that one BatchWriteItem takes
KEY_PAGE_SIZE = 500
PAUSE_SECONDS = 0.1  # after DynamoDB left a part undone
RETRY_AFTER_SECONDS = 2

R = TypeVar("R")
Kind = Literal["ISSUED", "LINK", "NOTICE"]
Item = dict[str, Any]
"""A record as DynamoDB's API has it: each value with its type."""


class Page(NamedTuple):
    """Records, newest first, and the cursor of the page after this one, if there is one."""

    items: list[Item]
    next_cursor: str | None


def make_client() -> "DynamoDBClient":
    """A client that gives up in time to say so: at most about four seconds, retry included."""
    return cast("DynamoDBClient", aws_client.make_client("dynamodb", read_timeout_seconds=1))


@contextmanager
def storage() -> Iterator[None]:
    """Turns a failure of DynamoDB, or an answer that lacks what was asked for, into `Problem` `storage_unavailable`."""
    try:
        yield
    except (BotoCoreError, ClientError, KeyError) as error:
        raise storage_unavailable() from error


def storage_unavailable(detail: str = "Records can't be had now.") -> Problem:
    """Make the problem of a call to DynamoDB that failed."""
    return Problem("storage_unavailable", detail, retry_after_seconds=RETRY_AFTER_SECONDS)


class Table:
    """The table `settings` names. `clock` gives seconds since 1970, `sleep` takes seconds."""

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
        """When a record that is written now may be forgotten."""
        return {"N": str(int(self.clock()) + self._ttl_seconds)}

    def get(self, customer: str, kind: Kind, record_id: str) -> Item | None:
        """Return a record, or None if there is none or it has expired. Raises `Problem` (`storage_unavailable`)."""
        with storage():
            answer = self.client.get_item(TableName=self.name, Key=item_key(customer, kind, record_id), ConsistentRead=True)
        item: Item | None = answer.get("Item")
        return item if item and self._is_shown(item) else None

    def page(self, customer: str, kind: Kind, limit: int, cursor: str | None) -> Page:
        """Return at most `limit` records that haven't expired, from `cursor` on, of this customer alone.

        DynamoDB ends an answer at 1 MB, however few records that is: it is asked until there are enough, or no more.
        Raises `Problem`: `invalid_request` (not a cursor), `storage_unavailable`.
        """
        start: Any = {} if cursor is None else {"ExclusiveStartKey": item_key(customer, kind, _id_in(cursor))}
        items: list[Item] = []
        while len(items) <= limit:
            with storage():
                answer = self.client.query(
                    TableName=self.name,
                    KeyConditionExpression="pk = :pk AND begins_with(sk, :kind)",
                    ExpressionAttributeValues={":pk": {"S": f"CUSTOMER#{customer}"}, ":kind": {"S": f"{kind}#"}},
                    ScanIndexForward=False,
                    ConsistentRead=True,
                    Limit=limit + 1 - len(items),
                    **start,
                )
                items += filter(self._is_shown, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                break
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return Page(items[:limit], _cursor_at(item_id(items[limit - 1])) if len(items) > limit else None)

    def _is_shown(self, item: Item) -> bool:
        """Whether a record isn't over, though DynamoDB may delete it days later, and has an id that a cursor can name."""
        return any(read_each([item], lambda item: uuid.UUID(item_id(item)) and not self._has_expired(item)))

    def _has_expired(self, item: Item) -> bool:
        return "expiresAt" in item and int(item["expiresAt"]["N"]) <= self.clock()

    def erase(self, customer: str, has_time: Callable[[], bool]) -> None:
        """Deletes all records of `customer`. Raises `Problem` `storage_unavailable`, also when there is no time to finish."""
        while keys := self._keys(customer):
            for start in range(0, len(keys), DELETE_BATCH_SIZE):
                if not has_time():
                    raise storage_unavailable("There is more to erase.")
                self._delete(keys[start : start + DELETE_BATCH_SIZE])

    def _keys(self, customer: str) -> list[Item]:
        with storage():
            answer = self.client.query(
                TableName=self.name,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": f"CUSTOMER#{customer}"}},
                ProjectionExpression="pk, sk",
                ConsistentRead=True,
                Limit=KEY_PAGE_SIZE,
            )
            return answer["Items"]

    def _delete(self, keys: list[Item]) -> None:
        """Deletes what DynamoDB will; what it leaves undone is found by the next query."""
        with storage():
            answer = self.client.batch_write_item(RequestItems={self.name: [{"DeleteRequest": {"Key": key}} for key in keys]})
        if answer.get("UnprocessedItems"):
            self._sleep(PAUSE_SECONDS)


def read_each(items: list[Item], read: Callable[[Item], R]) -> list[R]:
    """Read records; one that can't be read is logged and left out, and costs no other."""
    found = []
    for item in items:
        try:
            found.append(read(item))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            log(logging.WARNING, "record_unreadable", record=str(item.get("sk", {}).get("S")), **describe(error))
    return found


def item_key(customer: str, kind: Kind, record_id: str) -> Item:
    """The key of one record."""
    return {"pk": {"S": f"CUSTOMER#{customer}"}, "sk": {"S": f"{kind}#{record_id}"}}


def item_id(item: Item) -> str:
    """The id of a record."""
    return str(item["sk"]["S"]).partition("#")[2]


def _cursor_at(record_id: str) -> str:
    return base64.urlsafe_b64encode(uuid.UUID(record_id).bytes).decode().rstrip("=")


def _id_in(cursor: str) -> str:
    """The id in a cursor. It names no customer, so it can't lead to another one's records."""
    try:
        return str(uuid.UUID(bytes=base64.b64decode(f"{cursor}==", b"-_", validate=True)))
    except ValueError as error:
        raise Problem("invalid_request", "The cursor is not one that was given out here.") from error
