"""Searches all that the whole suite makes the service print or answer, and fails the session when a secret is where it must not be.

The hooks are for `conftest.py`. The search covers what tests of the handlers print, what the local stack's processes print, what
libraries log, and every response. Under pytest-xdist each worker searches its own and reports its findings to the controller.
A finding names the kind of secret and the place, but never the secret.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

CUSTOMERS = Path(__file__).parent.parent / "local" / "customers.yaml"
SAMPLE = Path(__file__).parent / "data" / "sample-response.json"
KEYS = ["imin-key-of-the-tests", "state-key-of-the-tests", "webhook-key-of-the-tests", "local-imin-key", "local-webhook-key"]
NAMES = ["RecordsTable", "IminApiKeySecret", "IminWebhookSecret", "LinkStateSecret", "Traceback", "botocore", r"\w\.py\b"]
ACCOUNTS = "GET /v1/customers/{customerIdentifier}/accounts"
CALLBACKS = "GET /v1/link-callbacks/{state}"
WORKER_FINDINGS = "leaks"  # the key under which pytest-xdist passes a worker's findings to the controller


def _barcodes() -> set[str]:
    """Return the texts of all access passes in these tests."""
    found: set[str] = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            if value.get("@type") == "Barcode":
                found.add(str(value["text"]))
            value = list(value.values())
        for each in value if isinstance(value, list) else []:
            look(each)

    look(yaml.safe_load(CUSTOMERS.read_text()))
    look(yaml.safe_load(SAMPLE.read_text()))
    return found


def _any(texts: Any) -> re.Pattern[str]:
    return re.compile("|".join(texts))


SECRETS = {
    "a key": _any(map(re.escape, KEYS)),
    "a token": re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}"),
    "a state": re.compile(r"[\w-]{40,}\.[\w-]{6}\.[\w-]{43}"),
    "an e-mail address": re.compile(r"[\w.+-]+@[\w-]+\.\w[\w.-]*"),
    "a barcode": _any(map(re.escape, _barcodes())),
    "a connect URL": re.compile(r"connect-account|[?&]jwt="),
    "an upload URL": re.compile(r"magic-link|upload-form"),
    "an entitlement filter": re.compile(r"b3BhcXVlIHRva2Vu|\bopaque-\w"),
}
PRIVATE = set(SECRETS) - {"a key", "a state"}
"""What the customer's own accounts have in them."""


@dataclass
class Watch:
    """What was found where, and how much was looked through."""

    found: list[str] = field(default_factory=list)
    looked_through: int = 0

    def output(self, where: str, text: str) -> None:
        """Search printed or logged text, which must not contain any of them."""
        self.looked_through += 1
        self.found += [f"{kind} in the output of {where}" for kind, pattern in SECRETS.items() if pattern.search(text)]

    def answer(self, route_key: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Search a response. Accounts may be in the list of accounts, and a state on the page that links back to itself."""
        self.looked_through += 1
        text = "\n".join([*headers.values(), body.decode(errors="replace")])
        allowed = PRIVATE if (route_key, status) == (ACCOUNTS, 200) else set()
        if route_key == CALLBACKS and status >= 500:
            allowed = {"a state"}
        kinds = {**SECRETS, **({} if status == 200 else {"an internal name": _any(NAMES)})}
        self.found += [
            f"{kind} in the answer {status} of {route_key}"
            for kind, pattern in kinds.items()
            if kind not in allowed and pattern.search(text)
        ]


watch = Watch()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Search the output of a test; its last report has all of it."""
    if report.when == "teardown":
        for name, content in report.sections:
            watch.output(f"{report.nodeid} ({name})", content)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Collect what a worker of pytest-xdist found; one that crashed reports nothing, but fails the session by itself."""
    del error
    watch.found += getattr(node, "workeroutput", {}).get(WORKER_FINDINGS, [])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the session if there is any finding. A worker of pytest-xdist hands its findings to the controller instead."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[WORKER_FINDINGS] = watch.found
    if watch.found and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Says what it is."""
    for finding in dict.fromkeys(watch.found):
        terminalreporter.write_line(f"LEAK: {finding}", red=True)
