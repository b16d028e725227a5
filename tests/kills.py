"""A test that kills execution environments during callbacks, at random moments, and checks that no record is lost or damaged.

`test_kills` runs a short version, `soak_cli` a long one.
"""

import contextlib
import os
import random
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.aws import make_client, read_records
from tests.intermittent_faults import FaultSchedule, Imin, extract_redirect_uri, serve_wsgi
from tests.stack import Stack, start_stack

ATTRIBUTES = {
    "pk",
    "sk",
    "status",
    "issuedAt",
    "firstCallbackAt",
    "lastCallbackAt",
    "expiresAt",
    "callbackCount",
    "callbacks",
    "sellers",
    "validUntil",
}


def run_kills(count: int, seed: int, folder: Path) -> Counter[str]:
    """Count the outcomes of `count` killed callbacks. Raises `AssertionError` if a record is lost or damaged."""
    rng = random.Random(seed)  # noqa: S311 - seeded, so that runs are repeatable
    outcomes: Counter[str] = Counter()
    imin = Imin(FaultSchedule(("none",), 1, rng))
    with serve_wsgi(imin) as imin_url, start_stack(folder, IMIN_BASE_URL=imin_url, CONCURRENCY="1") as stack:
        seconds = min(_Callback(stack, imin, f"warm-up-{number}").open()[1] for number in range(3))
        for number in range(count):
            outcomes[_kill_during(_Callback(stack, imin, f"customer-{number}"), rng.uniform(0, 1.2 * seconds))] += 1
    return outcomes


def _kill_during(callback: "_Callback", after_seconds: float) -> str:
    """Kill the environment during a callback. Return the stage it had reached, judging by the response and the stored record."""
    pid = _find_environment_pid(callback.stack)
    with ThreadPoolExecutor(1) as pool:
        response = pool.submit(callback.open)
        time.sleep(after_seconds)  # a random moment in the callback, which runs in another process, so a fake clock can't help
        os.kill(pid, signal.SIGKILL)
        status, _ = response.result()
    while Path(f"/proc/{pid}/stat").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text():
        time.sleep(0.001)  # waits for another process, so a fake clock can't help
    before = callback.read_record()
    assert status in {303, 500}, "like Lambda, the stack responds with 500 if an environment dies"
    assert status == 500 or before, "a callback acknowledged with 303 is stored"

    assert callback.open()[0] == 303
    after = callback.read_record()
    assert after, "the repeated callback is stored"
    expected = 1 + (int(before["callbackCount"]["N"]) if before else 0)
    assert (int(after["callbackCount"]["N"]), after["status"]["S"]) == (expected, "confirmed"), (
        "the repeated callback settles the link"
    )
    if status == 303:
        return "after the response"
    return {None: "before the callback was stored", "received": "after the callback was stored"}.get(
        before["status"]["S"] if before else None, "after the outcome was stored"
    )


class _Callback:
    """The callback of a customer who has connected an account."""

    def __init__(self, stack: Stack, imin: Imin, customer: str) -> None:
        self.stack = stack
        self._customer = customer
        query = {"redirectUri": "brokerapp://linked"}
        accounts = stack.get("/v1/customers/me/accounts", customer, params=query).json()
        url = accounts["accounts"][-1]["connect"]["existingAccountUrl"]
        self._path = extract_redirect_uri(url).removeprefix(stack.url)
        imin.connect(customer, "seller")

    def open(self) -> tuple[int, float]:
        """Open the callback; return the response's status and duration."""
        start = time.monotonic()
        response = self.stack.send("GET", self._path, params={"customer": self._customer})
        return response.status_code, time.monotonic() - start

    def read_record(self) -> dict[str, Any] | None:
        """Return the link's record, after checking it, or None if there is no record."""
        records = read_records(make_client(self.stack.aws_url), self._customer)
        items = [item for item in records if item["sk"]["S"].startswith("LINK#")]
        if not items:
            return None
        (item,) = items
        check_record(item)
        return item


def check_record(item: dict[str, Any]) -> None:
    """Raise `AssertionError` unless a link's record is complete and consistent."""
    assert set(item) == ATTRIBUTES
    count, callbacks = int(item["callbackCount"]["N"]), item["callbacks"]["L"]
    assert len(callbacks) == min(count, 20)
    assert all(set(callback["M"]) == {"at", "query"} for callback in callbacks)
    assert item["status"]["S"] in {"received", "confirmed", "not_confirmed"}
    assert (item["status"]["S"] == "confirmed") == bool(item["sellers"]["M"])


def _find_environment_pid(stack: Stack) -> int:
    """Return the id of the process that serves callbacks."""
    children = Path(f"/proc/{stack.process.pid}/task/{stack.process.pid}/children")
    pids: list[int] = []
    for thread in children.parent.parent.iterdir():
        for child in (thread / "children").read_text().split():
            with contextlib.suppress(OSError):
                command = Path(f"/proc/{child}/cmdline").read_bytes()
                pids += [int(child)] if b"link_callback.handler" in command else []
    (pid,) = pids
    return pid
