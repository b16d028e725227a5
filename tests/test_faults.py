"""A fault at every call that leaves a function: what is promised of all of them, and that docs/reliability.md tells of each."""

import os

import pytest

from tests.faults import page
from tests.faults.calls import CALLS, Call
from tests.faults.scenarios import Row, run_scenarios
from tests.soak_cli import PAGE, write_between

pytestmark = pytest.mark.external

MAX_SECONDS = 15  # that Lambda gives an invocation
by_call = pytest.mark.parametrize("call", CALLS, ids=lambda call: call.title)


@by_call
def test_no_fault_is_a_500_and_each_ends_in_time(call: Call) -> None:
    for row in run_scenarios(call).rows:
        assert not row.response.startswith("500"), row
        assert row.max_seconds < MAX_SECONDS, row


@by_call
def test_same_environments_serve_the_request_after_the_fault(call: Call) -> None:
    results = run_scenarios(call)
    for row in [results.baseline, *results.rows]:
        assert row.next_response == results.baseline.response, row


@by_call
def test_failed_requests_are_logged_and_counted(call: Call) -> None:
    baseline = run_scenarios(call).baseline
    for row in run_scenarios(call).rows:
        is_refused = row.response != baseline.response
        assert bool(row.logged) or not is_refused, row
        assert bool(row.counted - baseline.counted) or not is_refused or _is_no_failure(row), row


def _is_no_failure(row: Row) -> bool:
    """Whether it is only that imin does not know the customer."""
    return "customer_not_found" in row.response


@by_call
def test_acknowledged_writes_are_stored(call: Call) -> None:
    baseline = run_scenarios(call).baseline
    for row in run_scenarios(call).rows:
        if row.response[:3] in {"204", "303"} and baseline.stored != "as before":
            assert row.stored != "as before", row


def test_reliability_page_is_up_to_date() -> None:
    if os.environ.get("TABLES") == "write":
        write_between(page.BEGIN, page.END, page.render_tables())
    written = PAGE.read_text().partition(page.BEGIN)[2].partition(page.END)[0]
    assert written == f"\n{page.render_tables()}\n", "run make tables"
