"""Hooks that keep `make check` quick: a test that starts a process or a server fails unless it is marked `external`.

`conftest.py` imports the hooks. They use Python's audit events, so they also detect processes and servers that a library starts.
A browser is a process. Source: PEP 578.
"""

import sys
from collections.abc import Generator

import pytest

START_EVENTS = frozenset({"os.fork", "os.posix_spawn", "socket.bind", "subprocess.Popen"})

_started_events: list[str] = []


def _record(event: str, _arguments: object) -> None:
    if event in START_EVENTS:
        _started_events.append(event)


sys.addaudithook(_record)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Clear the events of earlier tests. Module fixtures count towards the test that sets them up."""
    _started_events.clear()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that started a process or a server but isn't marked `external`."""
    report = yield
    if _started_events and report.passed and call.when == "call" and item.get_closest_marker("external") is None:
        report.outcome = "failed"
        report.longrepr = f"the test caused {', '.join(sorted(set(_started_events)))}: mark it `external`"
    return report
