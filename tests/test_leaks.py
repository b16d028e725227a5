"""The search for secrets in all output: it finds each type where it must not be, and then fails the session."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import API_KEY, STATE_KEY, WEBHOOK_KEY, App, Output, event
from tests.leaks import ACCOUNTS, CALLBACKS, KEYS, SECRETS, LeakDetector, leak_detector
from tests.stack import ROOT
from tests.test_identity import make_token
from tests.test_link_state import make_states

EXAMPLES = {
    "a key": API_KEY,
    "a token": make_token(),
    "a state": make_states().issue("rosie", "brokerapp://linked").state,
    "an e-mail address": "rosie@example.com",
    "a barcode": "0012345678905",
    "a connect URL": "https://book.imin.co/auth/connect-account?jwt=register.opaque.token",
    "an upload URL": "https://legend.example.com/upload-form/1234/magic-link/abc",
    "an entitlement filter": "b3BhcXVlIHRva2Vu",
}


def test_every_secret_type_has_an_example_and_is_searched() -> None:
    assert set(EXAMPLES) == set(SECRETS)
    assert {API_KEY, STATE_KEY, WEBHOOK_KEY} < set(KEYS)


@pytest.mark.parametrize("secret_type", EXAMPLES)
def test_leak_is_found_in_a_log_line_and_in_a_response(secret_type: str) -> None:
    line = f'{{"level":"INFO","message":"{EXAMPLES[secret_type]}"}}'
    detector = LeakDetector()
    detector.search_output("x", line)
    detector.search_response(ACCOUNTS, 502, {}, line.encode())
    detector.search_response("GET /v1/customers/{customerIdentifier}/links", 200, {"Location": EXAMPLES[secret_type]}, b"")
    detector.search_response(CALLBACKS, 303, {}, line.encode())
    assert [finding.partition(" in the ")[0] for finding in detector.findings] == [secret_type] * 4


def test_accounts_may_contain_own_data_but_no_key_or_state() -> None:
    detector = LeakDetector()
    detector.search_response(ACCOUNTS, 200, {}, "\n".join(EXAMPLES.values()).encode())
    assert [finding.partition(" in the ")[0] for finding in detector.findings] == ["a key", "a state"]


def test_only_the_try_again_page_may_contain_its_state() -> None:
    detector = LeakDetector()
    detector.search_response(CALLBACKS, 503, {}, EXAMPLES["a state"].encode())
    assert detector.findings == []


@pytest.mark.parametrize("name", ["Traceback (most recent call last)", "RecordsTable", "http_api.py", "botocore.exceptions"])
def test_internal_name_in_an_error_response_is_found(name: str) -> None:
    detector = LeakDetector()
    detector.search_response(ACCOUNTS, 500, {}, name.encode())
    assert detector.findings == [f"an internal name in the 500 response of {ACCOUNTS}"]


def test_responses_and_output_of_all_tests_are_searched(app: App, output: Output) -> None:
    searched_before = leak_detector.searched_count
    app.send(event("health-get"))
    output.lines()
    assert leak_detector.searched_count == searched_before + 2


LEAKS = {
    "printed": f"print({API_KEY!r})",
    "logged": f"import logging; logging.getLogger('urllib3').warning({EXAMPLES['a connect URL']!r})",
    "responded": f"from tests import leaks; leaks.leak_detector.search_response('GET /v1/health', 200, {{}}, {API_KEY.encode()!r})",
}


@pytest.mark.external
@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_leak_in_any_worker_fails_the_session(leak: str, workers: str, tmp_path: Path) -> None:
    hooks = "pytest_runtest_logreport, pytest_sessionfinish, pytest_terminal_summary, pytest_testnodedown"
    (tmp_path / "conftest.py").write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom tests.leaks import {hooks}\n")
    (tmp_path / "test_it.py").write_text(f"def test_it():\n    {leak}\n")
    options = ["-q", "-n", workers, "-p", "no:cacheprovider", "-p", "no:cov", "-c", "/dev/null"]
    result = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "pytest", *options, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "1 passed" in result.stdout
    assert result.returncode == 1
    assert "LEAK: a" in result.stdout
