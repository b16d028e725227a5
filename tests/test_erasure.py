"""Erasure after any sequence of requests: it removes all records of one customer and none of any other."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seller_accounts.aws import table
from tests.faults.rig import Rig, start_rig

pytestmark = pytest.mark.external

NAMES = ["rosie", "rosie2", "ROSIE", "rosie~", "r", "rosie.LINK"]
"""Identifiers that a comparison of key prefixes would confuse."""
MANY = 4  # more records than the page size and the batch size set below
ACTIONS = ["link", "callback", "notice", "many notices", "read", "erase"]


class Step(NamedTuple):
    """A customer and an action by them or for them."""

    customer: str
    action: str


steps = st.lists(st.builds(Step, st.sampled_from(NAMES), st.sampled_from(ACTIONS)), max_size=10)


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    """Start all functions with an empty AWS, and batches so small that erasing a few records needs several."""
    with start_rig() as started, pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "DELETE_BATCH_SIZE", 2)
        patch.setattr(table, "KEY_PAGE_SIZE", 3)
        started.next_customer()
        yield started


@settings(max_examples=settings().max_examples // 2)
@given(before=steps, erased=st.sampled_from(NAMES))
def test_erasure_removes_all_records_of_one_customer_only(rig: Rig, before: list[Step], erased: str) -> None:
    _delete_all_records(rig)
    states: dict[str, str] = {}
    for step in before:
        _run_step(rig, step, states)
    others = {key: item for key, item in _scan_records(rig).items() if key[0] != f"CUSTOMER#{erased}"}

    _run_step(rig, Step(erased, "erase"), states)

    assert _scan_records(rig) == others


def _run_step(rig: Rig, step: Step, states: dict[str, str]) -> None:
    rig.customer = step.customer
    if step.action == "link":
        states[step.customer] = rig.get_link_state()
    elif step.action == "callback" and step.customer in states:
        assert rig.open_callback(states[step.customer]).status == 303
    elif step.action == "erase":
        assert rig.send_event("links", "records-delete").status == 204
    elif step.action == "read":
        assert rig.send_event("links", "links-get").status == 200
    elif "notice" in step.action:
        for _ in range(1 if step.action == "notice" else MANY):
            assert rig.notify().status == 204


def _scan_records(rig: Rig) -> dict[tuple[str, str], Any]:
    """Return all stored records by their keys."""
    items = rig.dynamodb.scan(TableName=rig.environment["LINKS_TABLE"])["Items"]
    return {(item["pk"]["S"], item["sk"]["S"]): item for item in items}


def _delete_all_records(rig: Rig) -> None:
    for pk, sk in _scan_records(rig):
        rig.dynamodb.delete_item(TableName=rig.environment["LINKS_TABLE"], Key={"pk": {"S": pk}, "sk": {"S": sk}})
