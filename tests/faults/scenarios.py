"""Scenarios that inject one fault into one call and describe its effects: one row of a table.

The times are not measured but computed, from the number of attempts and the code's timeouts.
"""

import contextlib
import functools
import math
from typing import Any, NamedTuple

import pytest

from seller_accounts.aws import secret
from seller_accounts.http import access_token
from seller_accounts.imin import imin_client
from seller_accounts.network import transport
from tests.conftest import Response
from tests.faults.aws import Fault, FaultInjector
from tests.faults.calls import Call
from tests.faults.network import make_imin_faults, make_issuer_faults, refuse_connections
from tests.faults.rig import Rig, capture_log_lines, start_rig
from tests.loopback import Script

HUNG_SECONDS = 0.05  # read timeout for a hanging server, in real time
ISSUER_DOCUMENTS = 2  # metadata and keys
MAX_PAUSE_SECONDS = 1.0  # botocore's longest pause before a second attempt


class Row(NamedTuple):
    """The effects of a fault. `response` is what the caller sees, `next_response` what they see without the fault afterwards."""

    fault: str
    response: str
    max_seconds: float
    stored: str
    logged: list[str]
    counted: set[str]
    next_response: str


class ScenarioResults(NamedTuple):
    """The effects of all faults of a call; `baseline` is the result without a fault."""

    baseline: Row
    rows: list[Row]


@functools.cache
def run_scenarios(call: Call) -> ScenarioResults:
    """Run all faults of `call`, each with newly built functions for a new customer."""
    with start_rig() as rig:
        if call.needle:
            baseline = _run_aws_fault(rig, call, "none", lambda _attempt, _send: None)
            return ScenarioResults(baseline, [_run_aws_fault(rig, call, name, fault) for name, fault in call.faults.items()])
        faults = (make_imin_faults if call.target == "imin" else make_issuer_faults)(rig.clock, rig.released)
        baseline = _run_network_fault(rig, call, "none", None, is_once=False)
        return ScenarioResults(
            baseline, [_run_network_fault(rig, call, name, script, is_once) for name, (script, is_once) in faults.items()]
        )


def _run_aws_fault(rig: Rig, call: Call, name: str, fault: Fault) -> Row:
    rig.next_customer()
    request = call.prepare(rig)
    client = rig.dynamodb if call.target == "DynamoDB" else rig.secrets
    before = rig.read_records()
    injector = FaultInjector(client, call.needle, fault)
    with capture_log_lines() as lines:
        response = request()
    injector.remove()
    config = client.meta.config
    seconds = injector.attempts * (config.connect_timeout + config.read_timeout)
    seconds += (injector.attempts - injector.calls) * MAX_PAUSE_SECONDS
    stored = _describe_writes(before, rig.read_records())
    rig.clock.advance(secret.STALE_RETRY_SECONDS)
    logged = _logged_problems(lines)
    next_response = _describe_response(request() if logged else response)  # a request that logged nothing was served normally
    return Row(name, _describe_response(response), seconds, stored, logged, _counted_metrics(lines), next_response)


def _run_network_fault(rig: Rig, call: Call, name: str, script: Script | None, is_once: bool) -> Row:
    rig.next_customer()
    request = call.prepare(rig)
    scripts = [script, *([None] if is_once else [])]
    rig.imin, rig.issuer = (scripts, []) if call.target == "imin" else ([], scripts)
    before = rig.read_records()
    refusal = (
        refuse_connections(math.inf if call.target == "imin" else 1) if name == "connection refused" else contextlib.nullcontext()
    )
    with capture_log_lines() as lines, pytest.MonkeyPatch.context() as patch, refusal:
        if name == "hung":
            patch.setattr(transport, "READ_TIMEOUT_SECONDS", HUNG_SECONDS)
        response = request()
    stored = _describe_writes(before, rig.read_records())
    rig.released.set()
    rig.imin, rig.issuer = [], []
    logged = _logged_problems(lines)
    next_response = _describe_response(request() if logged else response)
    rig.released.clear()
    return Row(name, _describe_response(response), _max_seconds(call, name), stored, logged, _counted_metrics(lines), next_response)


def _max_seconds(call: Call, fault: str) -> float:
    """Return the longest duration of a call to imin or the issuer. A hanging call to imin may end before its time budget."""
    if call.target == "the issuer":
        return ISSUER_DOCUMENTS * access_token.FETCH_SECONDS
    if fault == "hung":
        return min(call.max_seconds, imin_client.CONNECT_TIMEOUT_SECONDS + transport.READ_TIMEOUT_SECONDS)
    return call.max_seconds


def _describe_response(response: Response) -> str:
    """Describe a response as the app, the browser or imin sees it."""
    parts = [str(response.status)]
    if "problem" in response.headers.get("content-type", ""):
        parts.append(f"`{response.json['code']}`")
    elif response.status == 303:
        parts.append(f"`{response.headers['location'].rpartition('status=')[2]}`")
    elif b"Try again" in response.body:
        parts.append("a page with *Try again*")
    elif response.status == 200 and "status" in response.json:
        parts.append(f"`{response.json['status']}`")
    if "retry-after" in response.headers:
        parts.append(f"`Retry-After: {response.headers['retry-after']}`")
    return ", ".join(parts)


def _describe_writes(before: list[Any], after: list[Any]) -> str:
    """Describe how the request changed the stored records."""
    if before == after:
        return "as before"
    if not after:
        return "no records"
    previous = {item["sk"]["S"]: item for item in before}
    return ", ".join(_describe_record(previous.get(item["sk"]["S"]), item) for item in after if item not in before)


def _describe_record(before: Any, after: Any) -> str:
    if "callbackCount" not in after:
        return "the issued link" if after["sk"]["S"].startswith("ISSUED#") else "the notice"
    status = f"the link as `{after['status']['S']}`"
    added_callbacks = int(after["callbackCount"]["N"]) - (int(before["callbackCount"]["N"]) if before else 0)
    return {0: status, 1: f"the callback, {status}"}.get(added_callbacks, f"the callback {added_callbacks} times, {status}")


def _logged_problems(lines: list[dict[str, Any]]) -> list[str]:
    """Describe the log lines that report problems."""
    return [
        f"{line['level']} `{line['message']}`" + (f" `{line['code']}`" if "code" in line else "")
        for line in lines
        if line.get("level") != "INFO" or "code" in line
    ]


def _counted_metrics(lines: list[dict[str, Any]]) -> set[str]:
    directives = [directive for line in lines for directive in line.get("_aws", {}).get("CloudWatchMetrics", [])]
    return {f"`{metric['Name']}`" for directive in directives for metric in directive["Metrics"]}
