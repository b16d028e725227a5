"""A fault in every outgoing call of a function: what must hold after all of them, and that docs/reliability.md lists each."""

import os

import pytest

from tests.faults import page
from tests.faults.calls import CALLS, Call
from tests.faults.scenarios import Row, run_scenarios
from tests.soak_cli import PAGE, write_between

pytestmark = pytest.mark.external

MAX_SECONDS = 15  # the functions' timeout in Lambda
by_call = pytest.mark.parametrize("call", CALLS, ids=lambda call: call.title)


@by_call
def test_no_fault_causes_a_500_or_a_lambda_timeout(call: Call) -> None:
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
        is_failed = row.response != baseline.response
        assert bool(row.logged) or not is_failed, row
        assert bool(row.counted - baseline.counted) or not is_failed or _is_unknown_customer(row), row


def _is_unknown_customer(row: Row) -> bool:
    """Return whether the app only sees that imin doesn't know the customer."""
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
    tables = PAGE.read_text().partition(page.BEGIN)[2].partition(page.END)[0]
    assert tables == f"\n{page.render_tables()}\n", "run make tables"
