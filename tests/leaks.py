"""A search of all output and responses during a test session, which fails the session if a secret leaks.

`conftest.py` imports the hooks. The search covers the output of handler tests and of the local stack's processes, the libraries'
logs, and every response. Under pytest-xdist each worker searches its own output and reports its findings to the controller.
A finding names the kind of secret and where it leaked, but never the secret itself.
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
    """Return the barcode texts of all access passes in the test data."""
    texts: set[str] = set()

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            if value.get("@type") == "Barcode":
                texts.add(str(value["text"]))
            value = list(value.values())
        for child in value if isinstance(value, list) else []:
            collect(child)

    collect(yaml.safe_load(CUSTOMERS.read_text()))
    collect(yaml.safe_load(SAMPLE.read_text()))
    return texts


def _compile_alternatives(texts: Any) -> re.Pattern[str]:
    return re.compile("|".join(texts))


SECRETS = {
    "a key": _compile_alternatives(map(re.escape, KEYS)),
    "a token": re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}"),
    "a state": re.compile(r"[\w-]{40,}\.[\w-]{6}\.[\w-]{43}"),
    "an e-mail address": re.compile(r"[\w.+-]+@[\w-]+\.\w[\w.-]*"),
    "a barcode": _compile_alternatives(map(re.escape, _barcodes())),
    "a connect URL": re.compile(r"connect-account|[?&]jwt="),
    "an upload URL": re.compile(r"magic-link|upload-form"),
    "an entitlement filter": re.compile(r"b3BhcXVlIHRva2Vu|\bopaque-\w"),
}
ACCOUNT_DATA = set(SECRETS) - {"a key", "a state"}
"""Kinds of secrets that a customer's own accounts contain."""


@dataclass
class LeakDetector:
    """A search for leaked secrets: its findings, and how many texts it searched."""

    findings: list[str] = field(default_factory=list)
    searched_count: int = 0

    def search_output(self, source: str, text: str) -> None:
        """Search printed or logged text, which must not contain any secret."""
        self.searched_count += 1
        self.findings += [f"{kind} in the output of {source}" for kind, pattern in SECRETS.items() if pattern.search(text)]

    def search_response(self, route_key: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Search a response. The account list may contain the customer's own data, and an error page may link to its own state."""
        self.searched_count += 1
        text = "\n".join([*headers.values(), body.decode(errors="replace")])
        allowed = ACCOUNT_DATA if (route_key, status) == (ACCOUNTS, 200) else set()
        if route_key == CALLBACKS and status >= 500:
            allowed = {"a state"}
        kinds = {**SECRETS, **({} if status == 200 else {"an internal name": _compile_alternatives(NAMES)})}
        self.findings += [
            f"{kind} in the {status} response of {route_key}"
            for kind, pattern in kinds.items()
            if kind not in allowed and pattern.search(text)
        ]


leak_detector = LeakDetector()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Search a test's output. Its last report contains the output of all phases."""
    if report.when == "teardown":
        for name, content in report.sections:
            leak_detector.search_output(f"{report.nodeid} ({name})", content)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Collect a pytest-xdist worker's findings. A crashed worker reports none, but a crash fails the session anyway."""
    del error
    leak_detector.findings += getattr(node, "workeroutput", {}).get(WORKER_FINDINGS, [])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the session if there are findings. Under pytest-xdist a worker also passes its findings to the controller."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[WORKER_FINDINGS] = leak_detector.findings
    if leak_detector.findings and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the findings."""
    for finding in dict.fromkeys(leak_detector.findings):
        terminalreporter.write_line(f"LEAK: {finding}", red=True)
