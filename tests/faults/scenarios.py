"""Tries a fault at a call, and says what is then seen: one row of a table.

No time in it is measured: it is what the code's limits allow for the attempts that were made.
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
from tests.conftest import Answer
from tests.faults.aws import Between, Fault
from tests.faults.calls import Call
from tests.faults.network import imin_faults, issuer_faults, refusing
from tests.faults.rig import Rig, captured_log_lines, running_rig
from tests.loopback import Script

HUNG_SECONDS = 0.05  # in real time: so long does a test wait for a server that hangs
DOCUMENTS = 2  # of an issuer: about itself, and its keys
LONGEST_PAUSE_SECONDS = 1.0  # of botocore before a second attempt


class Row(NamedTuple):
    """What is seen of a fault. `seconds` is the longest that the call can take; `again` is what the next request sees."""

    fault: str
    app: str
    seconds: float
    stored: str
    logged: list[str]
    counted: set[str]
    again: str


class ScenarioResults(NamedTuple):
    """All that was tried at a call; `good` is what is seen when all is well."""

    good: Row
    rows: list[Row]


@functools.cache
def run_scenarios(call: Call) -> ScenarioResults:
    """All faults at `call`, each in new environments for a new customer."""
    with running_rig() as rig:
        if call.needle:
            good = _try_aws(rig, call, "none", lambda _attempt, _send: None)
            return ScenarioResults(good, [_try_aws(rig, call, name, fault) for name, fault in call.faults.items()])
        faults = (imin_faults if call.to == "imin" else issuer_faults)(rig.clock, rig.released)
        good = _try_network(rig, call, "none", None, is_once=False)
        return ScenarioResults(good, [_try_network(rig, call, name, script, is_once) for name, (script, is_once) in faults.items()])


def _try_aws(rig: Rig, call: Call, name: str, fault: Fault) -> Row:
    rig.next_customer()
    request = call.prepare(rig)
    client = rig.dynamodb if call.to == "DynamoDB" else rig.secrets
    before = rig.records()
    between = Between(client, call.needle, fault)
    with captured_log_lines() as lines:
        answer = request()
    between.take_away()
    config = client.meta.config
    seconds = between.attempts * (config.connect_timeout + config.read_timeout)
    seconds += (between.attempts - between.calls) * LONGEST_PAUSE_SECONDS
    stored = _stored(before, rig.records())
    rig.clock.advance(secret.STALE_RETRY_SECONDS)
    logged = _logged(lines)
    again = _seen(request() if logged else answer)  # what was served as ever needs no second look
    return Row(name, _seen(answer), seconds, stored, logged, _counted(lines), again)


def _try_network(rig: Rig, call: Call, name: str, script: Script | None, is_once: bool) -> Row:
    rig.next_customer()
    request = call.prepare(rig)
    script_faults = [script, *([None] if is_once else [])]
    rig.imin, rig.issuer = (script_faults, []) if call.to == "imin" else ([], script_faults)
    before = rig.records()
    refused = refusing(math.inf if call.to == "imin" else 1) if name == "connection refused" else contextlib.nullcontext()
    with captured_log_lines() as lines, pytest.MonkeyPatch.context() as patch, refused:
        if name == "hung":
            patch.setattr(transport, "READ_TIMEOUT_SECONDS", HUNG_SECONDS)
        answer = request()
    stored = _stored(before, rig.records())
    rig.released.set()
    rig.imin, rig.issuer = [], []
    logged = _logged(lines)
    again = _seen(request() if logged else answer)
    rig.released.clear()
    return Row(name, _seen(answer), _longest(call, name), stored, logged, _counted(lines), again)


def _longest(call: Call, fault: str) -> float:
    """How long a call to imin or the issuer can take. What hangs ends before the time that imin has in all."""
    if call.to == "the issuer":
        return DOCUMENTS * access_token.FETCH_SECONDS
    if fault == "hung":
        return min(call.most_seconds, imin_client.CONNECT_TIMEOUT_SECONDS + transport.READ_TIMEOUT_SECONDS)
    return call.most_seconds


def _seen(answer: Answer) -> str:
    """Describe a response as the app, the browser or imin sees it."""
    parts = [str(answer.status)]
    if "problem" in answer.headers.get("content-type", ""):
        parts.append(f"`{answer.json['code']}`")
    elif answer.status == 303:
        parts.append(f"`{answer.headers['location'].rpartition('status=')[2]}`")
    elif b"Try again" in answer.body:
        parts.append("a page with *Try again*")
    elif answer.status == 200 and "status" in answer.json:
        parts.append(f"`{answer.json['status']}`")
    if "retry-after" in answer.headers:
        parts.append(f"`Retry-After: {answer.headers['retry-after']}`")
    return ", ".join(parts)


def _stored(before: list[Any], after: list[Any]) -> str:
    """Describe the change of stored records by the request."""
    if before == after:
        return "as before"
    if not after:
        return "nothing any more"
    known = {item["sk"]["S"]: item for item in before}
    return ", ".join(_change(known.get(item["sk"]["S"]), item) for item in after if item not in before)


def _change(before: Any, after: Any) -> str:
    if "callbackCount" not in after:
        return "the issued link" if after["sk"]["S"].startswith("ISSUED#") else "the notice"
    status = f"the link as `{after['status']['S']}`"
    added = int(after["callbackCount"]["N"]) - (int(before["callbackCount"]["N"]) if before else 0)
    return {0: status, 1: f"the callback, {status}"}.get(added, f"the callback {added} times, {status}")


def _logged(lines: list[dict[str, Any]]) -> list[str]:
    """Lines that tell of something else than a good request."""
    return [
        f"{line['level']} `{line['message']}`" + (f" `{line['code']}`" if "code" in line else "")
        for line in lines
        if line.get("level") != "INFO" or "code" in line
    ]


def _counted(lines: list[dict[str, Any]]) -> set[str]:
    embedded = [about for line in lines for about in line.get("_aws", {}).get("CloudWatchMetrics", [])]
    return {f"`{metric['Name']}`" for about in embedded for metric in about["Metrics"]}
