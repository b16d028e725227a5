"""The local stack under load by wrk, where the machine has it: with an imin that is well, and with one that fails half of the time.

What wrk sees is this machine's speed, shared with wrk itself: look at the failures, and how far slow calls are from usual ones.
"""

import random
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from socket import socket

from bench.documents import upstream_body
from bench.figures import Figure
from tests.loopback import answer, serve
from tests.stack import Stack, running

SECONDS = 60
CONNECTIONS = 4  # two for each environment of the function: half of the calls wait
SELLERS = 20
UNITS = {"us": 0.001, "ms": 1, "s": 1000}


def measure() -> Iterator[Figure]:
    """Failures, and how long calls took, of which the median stands as the floor of the slowest hundredth."""
    if shutil.which("wrk"):
        yield from _figures("imin well", fails=False)
        yield from _figures("imin failing half of the time", fails=True)


def _figures(name: str, *, fails: bool) -> Iterator[Figure]:
    report = _load(fails=fails)
    calls = int(_found(r"(\d+) requests in", report))
    not_answered = sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", report)))
    rejected = int(_found(r"Non-2xx or 3xx responses: (\d+)", report, "0"))
    median, slow = (_milliseconds(report, percentile) for percentile in (50, 99))
    yield Figure(f"load, {name}: calls", "", calls)
    yield Figure(f"load, {name}: not answered", "", not_answered, goal=0)
    yield Figure(f"load, {name}: not 200", "%", 100 * rejected / calls, goal=None if fails else 0)
    yield Figure(f"load, {name}: p99 beside p50", "ms", slow, median, slow / median)


def _load(*, fails: bool) -> str:
    """Return wrk's report after this many seconds of calls."""
    chance = random.Random(SELLERS)  # noqa: S311 - the same failures each time
    well, down = answer(upstream_body(SELLERS)), answer(b"", "503 Down")

    def script(connection: socket, request: bytes) -> None:
        (down if fails and chance.random() < 0.5 else well)(connection, request)

    with ExitStack() as started:
        folder = Path(started.enter_context(tempfile.TemporaryDirectory()))
        imin = started.enter_context(serve(script))
        stack = started.enter_context(running(folder, IMIN_BASE_URL=imin.url))
        return _wrk(stack)


def _wrk(stack: Stack) -> str:
    load = ["--threads", "1", "--connections", str(CONNECTIONS), "--duration", str(SECONDS), "--timeout", "15"]
    token = f"Authorization: Bearer {stack.token('rosie')}"
    command = ["wrk", "--latency", *load, "--header", token, f"{stack.url}/v1/customers/me/accounts"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our command


def _found(pattern: str, text: str, default: str = "") -> str:
    found = re.search(pattern, text)
    return found[1] if found else default


def _milliseconds(report: str, percentile: int) -> float:
    number, unit = re.findall(rf"{percentile}%\s+([\d.]+)(us|ms|s)", report)[0]
    return float(number) * UNITS[unit]
