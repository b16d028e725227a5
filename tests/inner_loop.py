"""Keep `make check` quick: a test that starts a process or a server must be marked `external`, or it fails.

The hooks are for `conftest.py`. They use Python's audit events, so starting something through a library counts too. A browser
is a process. Source: PEP 578.
"""

import sys
from collections.abc import Generator

import pytest

EVENTS = frozenset({"os.fork", "os.posix_spawn", "socket.bind", "subprocess.Popen"})

_started: list[str] = []


def _record(event: str, _arguments: object) -> None:
    if event in EVENTS:
        _started.append(event)


sys.addaudithook(_record)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Forget what earlier tests started. Module fixtures count for the test that sets them up."""
    _started.clear()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail an unmarked test that started something."""
    report = yield
    if _started and report.passed and call.when == "call" and item.get_closest_marker("external") is None:
        report.outcome = "failed"
        report.longrepr = f"the test caused {', '.join(sorted(set(_started)))}: mark it `external`"
    return report
