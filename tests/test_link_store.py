"""The link store: outcomes that are written twice or concurrently, and records of earlier versions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from seller_accounts.links.link_store import MAX_CALLBACKS, ConnectedSeller, Link, LinkStore
from tests.aws import read_link_record
from tests.conftest import recording_calls
from tests.test_time import LINK_ID, make_table

ISSUED_AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
EXPIRES_AT = ISSUED_AT + timedelta(hours=1)
SELLER = ConnectedSeller("1", "Acme", ISSUED_AT)


@pytest.fixture
def store(dynamodb: Any) -> LinkStore:
    """Return the store, at a time when the link is valid."""
    return LinkStore(make_table(dynamodb, ISSUED_AT.timestamp()))


def record_callback(store: LinkStore) -> Link:
    """Record a callback of the link."""
    return store.record_callback("rosie", LINK_ID, ISSUED_AT, EXPIRES_AT, "", b"")


class TestSettling:
    def test_outcome_without_a_seller_is_stored(self, store: LinkStore, dynamodb: Any) -> None:
        settled = store.settle("rosie", record_callback(store), [])
        assert settled.status == read_link_record(dynamodb)["status"]["S"] == "not_confirmed"

    def test_link_confirmed_meanwhile_stays_confirmed(self, store: LinkStore) -> None:
        received = record_callback(store)
        confirmed = store.settle("rosie", received, [SELLER])
        assert store.settle("rosie", received, []) == store.get("rosie", LINK_ID) == confirmed
        assert confirmed.status == "confirmed"

    def test_issued_link_that_is_received_meanwhile_is_confirmed(self, store: LinkStore) -> None:
        store.issue("rosie", LINK_ID, ISSUED_AT, EXPIRES_AT, b"")
        issued = store.get("rosie", LINK_ID)
        assert issued
        record_callback(store)
        settled = store.settle("rosie", issued, [SELLER])
        assert (settled.status, settled.sellers, settled.callback_count) == ("confirmed", [SELLER], 1)
        assert store.get("rosie", LINK_ID) == settled

    def test_issued_link_is_read_with_its_digests(self, store: LinkStore, calls: list[str]) -> None:
        store.issue("rosie", LINK_ID, ISSUED_AT, EXPIRES_AT, b"digests")
        calls.clear()
        issued = store.get("rosie", LINK_ID)
        assert issued
        assert (issued.connected_before, calls) == (b"digests", ["GetItem", "GetItem"])


class TestRecords:
    def test_expiry_is_stored_and_read(self, store: LinkStore) -> None:
        record_callback(store)
        link = store.get("rosie", LINK_ID)
        assert link
        assert link.expires_at == EXPIRES_AT

    def test_record_without_an_expiry_is_valid_for_a_day(self, store: LinkStore, dynamodb: Any) -> None:
        record_callback(store)
        record = read_link_record(dynamodb)
        del record["validUntil"]
        dynamodb.put_item(TableName="RecordsTable", Item=record)
        link = store.get("rosie", LINK_ID)
        assert link
        assert link.expires_at == ISSUED_AT + timedelta(days=1)


def test_no_condition_is_empty(store: LinkStore, dynamodb: Any) -> None:
    conditions: list[str | None] = []
    with recording_calls(dynamodb, lambda _, parameters: conditions.append(parameters.get("ConditionExpression"))):
        store.settle("rosie", record_callback(store), [SELLER])
        for _ in range(MAX_CALLBACKS):
            record_callback(store)
    assert "" not in conditions
    assert None in conditions
