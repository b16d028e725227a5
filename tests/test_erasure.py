"""Erasure, after whatever came before it: all of a customer is gone, and nothing of anybody else."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seller_accounts.aws import table
from tests.faults.rig import Rig, start_rig

pytestmark = pytest.mark.external

NAMES = ["rosie", "rosie2", "ROSIE", "rosie~", "r", "rosie.LINK"]
"""Each could pass for another one where keys are compared by their beginnings."""
MANY = 4  # records; more than are found or deleted at once here
DOINGS = ["link", "comes back", "notice", "many notices", "read", "erase"]


class Step(NamedTuple):
    """What a customer does, or has done."""

    customer: str
    doing: str


steps = st.lists(st.builds(Step, st.sampled_from(NAMES), st.sampled_from(DOINGS)), max_size=10)


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    """All functions, an AWS that is empty, and an erasure that needs several turns for a few records."""
    with start_rig() as made, pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "DELETE_BATCH_SIZE", 2)
        patch.setattr(table, "KEY_PAGE_SIZE", 3)
        made.next_customer()
        yield made


@settings(max_examples=settings().max_examples // 2, deadline=None)
@given(before=steps, erased=st.sampled_from(NAMES))
def test_erasure_removes_all_records_of_one_customer_only(rig: Rig, before: list[Step], erased: str) -> None:
    _empty(rig)
    states: dict[str, str] = {}
    for step in before:
        _do(rig, step, states)
    others = {key: item for key, item in _records(rig).items() if key[0] != f"CUSTOMER#{erased}"}

    _do(rig, Step(erased, "erase"), states)

    assert _records(rig) == others


def _do(rig: Rig, step: Step, states: dict[str, str]) -> None:
    rig.customer = step.customer
    if step.doing == "link":
        states[step.customer] = rig.get_link_state()
    elif step.doing == "comes back" and step.customer in states:
        assert rig.open_callback(states[step.customer]).status == 303
    elif step.doing == "erase":
        assert rig.send_event("links", "records-delete").status == 204
    elif step.doing == "read":
        assert rig.send_event("links", "links-get").status == 200
    elif "notice" in step.doing:
        for _ in range(1 if step.doing == "notice" else MANY):
            assert rig.notify().status == 204


def _records(rig: Rig) -> dict[tuple[str, str], Any]:
    """All that is stored, of everybody."""
    items = rig.dynamodb.scan(TableName=rig.environment["LINKS_TABLE"])["Items"]
    return {(item["pk"]["S"], item["sk"]["S"]): item for item in items}


def _empty(rig: Rig) -> None:
    for pk, sk in _records(rig):
        rig.dynamodb.delete_item(TableName=rig.environment["LINKS_TABLE"], Key={"pk": {"S": pk}, "sk": {"S": sk}})
