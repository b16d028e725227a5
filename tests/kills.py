"""Kills the environment that serves a callback, at random moments, and looks what became of the callback.

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

from tests.aws import client_of, records_of
from tests.intermittent_faults import FaultSchedule, Imin, redirect_uri_in, serving
from tests.stack import Stack, running

ATTRIBUTES = {
    *("pk", "sk", "status", "issuedAt", "firstCallbackAt", "lastCallbackAt", "expiresAt"),
    *("callbackCount", "callbacks", "sellers", "validUntil"),
}


def kill_many(number: int, seed: int, folder: Path) -> Counter[str]:
    """Count the outcomes of `number` callbacks whose environment is killed. Raises `AssertionError` if one is lost or damaged."""
    chance = random.Random(seed)  # noqa: S311 - the same choices each time
    outcomes: Counter[str] = Counter()
    imin = Imin(FaultSchedule(("none",), 1, chance))
    with serving(imin) as imin_url, running(folder, IMIN_BASE_URL=imin_url, CONCURRENCY="1") as stack:
        seconds = min(_Callback(stack, imin, f"warm-{each}").come_back()[1] for each in range(3))
        for each in range(number):
            outcomes[_kill_one(_Callback(stack, imin, f"customer-{each}"), chance.uniform(0, 1.2 * seconds))] += 1
    return outcomes


def _kill_one(callback: "_Callback", after_seconds: float) -> str:
    """When it was killed, told from what was answered and what was on record then."""
    pid = _environment_of(callback.stack)
    with ThreadPoolExecutor(1) as pool:
        answered = pool.submit(callback.come_back)
        time.sleep(after_seconds)  # the moment to be killed at
        os.kill(pid, signal.SIGKILL)
        status, _ = answered.result()
    while Path(f"/proc/{pid}/stat").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text():
        time.sleep(0.001)  # for another process, not for a clock
    item = callback.record()
    assert status in {303, 500}, "as Lambda, the stack answers 500 for an environment that died"
    assert status == 500 or item, "a callback that got its 303 is on record"

    assert callback.come_back()[0] == 303
    again = callback.record()
    assert again, "a repeat is stored"
    expected = 1 + (int(item["callbackCount"]["N"]) if item else 0)
    assert (int(again["callbackCount"]["N"]), again["status"]["S"]) == (expected, "confirmed"), "it finishes what was begun"
    if status == 303:
        return "after the answer"
    return {None: "before it was stored", "received": "after it was stored"}.get(
        item["status"]["S"] if item else None, "after its outcome was stored"
    )


class _Callback:
    """A customer who has connected an account, and comes back."""

    def __init__(self, stack: Stack, imin: Imin, customer: str) -> None:
        self.stack = stack
        self._customer = customer
        query = {"redirectUri": "brokerapp://linked"}
        answer = stack.get("/v1/customers/me/accounts", customer, params=query).json()
        url = answer["accounts"][-1]["connect"]["existingAccountUrl"]
        self._path = redirect_uri_in(url).removeprefix(stack.url)
        imin.connect(customer, "seller")

    def come_back(self) -> tuple[int, float]:
        """Return the response's status and duration."""
        start = time.monotonic()
        response = self.stack.send("GET", self._path, params={"customer": self._customer})
        return response.status_code, time.monotonic() - start

    def record(self) -> dict[str, Any] | None:
        """Return the whole record; None if there is none."""
        records = records_of(client_of(self.stack.aws_url), self._customer)
        items = [item for item in records if item["sk"]["S"].startswith("LINK#")]
        if not items:
            return None
        (item,) = items
        check_record(item)
        return item


def check_record(item: dict[str, Any]) -> None:
    """Raise `AssertionError` unless the record of a link is whole."""
    assert set(item) == ATTRIBUTES
    count, kept = int(item["callbackCount"]["N"]), item["callbacks"]["L"]
    assert len(kept) == min(count, 20)
    assert all(set(each["M"]) == {"at", "query"} for each in kept)
    assert item["status"]["S"] in {"received", "confirmed", "not_confirmed"}
    assert (item["status"]["S"] == "confirmed") == bool(item["sellers"]["M"])


def _environment_of(stack: Stack) -> int:
    """Find the process that serves callbacks."""
    children = Path(f"/proc/{stack.process.pid}/task/{stack.process.pid}/children")
    found: list[int] = []
    for thread in children.parent.parent.iterdir():
        for child in (thread / "children").read_text().split():
            with contextlib.suppress(OSError):
                command = Path(f"/proc/{child}/cmdline").read_bytes()
                found += [int(child)] if b"link_callback.handler" in command else []
    (pid,) = found
    return pid
