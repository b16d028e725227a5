"""Load the local stack with wrk, if installed: once with a healthy imin, and once with an imin that fails half of the calls.

wrk shares the machine with the stack, so only the failures and the ratio of slow calls to median calls say anything.
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
from tests.loopback import respond, serve
from tests.stack import Stack, start_stack

SECONDS = 60
CONNECTIONS = 4  # twice the execution environments of the function, so half of the calls wait
SELLERS = 20
UNITS = {"us": 0.001, "ms": 1, "s": 1000}


def measure() -> Iterator[Figure]:
    """Measure failures and latency. The baseline of the 99th percentile is the median."""
    if shutil.which("wrk"):
        yield from _figures("healthy imin", fails=False)
        yield from _figures("failing imin", fails=True)


def _figures(name: str, *, fails: bool) -> Iterator[Figure]:
    report = _load(fails=fails)
    calls = int(_search(r"(\d+) requests in", report))
    unanswered = sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", report)))
    errors = int(_search(r"Non-2xx or 3xx responses: (\d+)", report, "0"))
    median, slow = (_milliseconds(report, percentile) for percentile in (50, 99))
    yield Figure(f"load, {name}: calls", "", calls)
    yield Figure(f"load, {name}: without a response", "", unanswered, goal=0)
    yield Figure(f"load, {name}: status other than 200", "%", 100 * errors / calls, goal=None if fails else 0)
    yield Figure(f"load, {name}: p99 vs p50", "ms", slow, median, slow / median)


def _load(*, fails: bool) -> str:
    """Return wrk's report."""
    generator = random.Random(SELLERS)  # noqa: S311 - the same failures each time
    accounts, unavailable = respond(upstream_body(SELLERS)), respond(b"", "503 Down")

    def script(connection: socket, request: bytes) -> None:
        (unavailable if fails and generator.random() < 0.5 else accounts)(connection, request)

    with ExitStack() as resources:
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory()))
        imin = resources.enter_context(serve(script))
        stack = resources.enter_context(start_stack(folder, IMIN_BASE_URL=imin.url))
        return _wrk(stack)


def _wrk(stack: Stack) -> str:
    load = ["--threads", "1", "--connections", str(CONNECTIONS), "--duration", str(SECONDS), "--timeout", "15"]
    token = f"Authorization: Bearer {stack.token('rosie')}"
    command = ["wrk", "--latency", *load, "--header", token, f"{stack.url}/v1/customers/me/accounts"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our command


def _search(pattern: str, text: str, default: str = "") -> str:
    match = re.search(pattern, text)
    return match[1] if match else default


def _milliseconds(report: str, percentile: int) -> float:
    number, unit = re.findall(rf"{percentile}%\s+([\d.]+)(us|ms|s)", report)[0]
    return float(number) * UNITS[unit]
