"""Log lines: their ids and fields, and warnings of libraries as log lines."""

import copy
import logging
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from seller_accounts import telemetry
from seller_accounts.http.http_api import init_handler
from seller_accounts.routes import accounts
from seller_accounts.settings import SettingsError
from tests.conftest import App, Output, event

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
EVENT = event("accounts-get")


class TestFields:
    @pytest.mark.parametrize(
        "unreadable",
        [{}, {"version": "1.0"}, {**EVENT, "rawPath": 5}, {**EVENT, "headers": {"a": None}}, {**EVENT, "requestContext": None}],
    )
    def test_unreadable_event_has_its_own_ids(self, app: App, output: Output, unreadable: dict[str, Any]) -> None:
        app.send(EVENT)
        app.context = copy.copy(app.context)
        app.context.aws_request_id = "another"
        app.handler(unreadable, app.context)
        before, after = output.lines()
        assert before["correlation_id"] == EVENT["requestContext"]["requestId"]
        assert "correlation_id" not in after
        assert after["function_request_id"] == "another"

    def test_log_line_has_the_trace_id(self, app: App, output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("_X_AMZN_TRACE_ID", TRACE)
        app.send(EVENT)
        monkeypatch.delenv("_X_AMZN_TRACE_ID")
        app.send(EVENT)
        traced, untraced = output.lines()
        assert traced["xray_trace_id"] == "1-5759e988-bd862e3fe1be46a994272793"
        assert "xray_trace_id" not in untraced

    def test_log_line_has_its_time_in_utc_and_no_empty_field(self, output: Output) -> None:
        telemetry.log(logging.WARNING, "event", number=5, nothing=None, nested={"a": [1]})
        (line,) = output.lines()
        assert line["timestamp"].startswith(time.strftime("%Y-%m-%dT%H:", time.gmtime()))
        assert line["timestamp"].endswith("Z")
        assert (line["level"], line["message"], line["service"]) == ("WARNING", "event", "seller-accounts")
        assert (line["number"], line["nested"]) == (5, {"a": [1]})
        assert None not in line.values()


class TestLibraryWarnings:
    @pytest.fixture(autouse=True)
    def _capture_warnings(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setattr(logging.getLogger(), "handlers", [logging.NullHandler()])
        telemetry.capture_library_warnings()
        yield
        logging.captureWarnings(False)

    def test_library_warning_is_logged_without_its_text(self, output: Output) -> None:
        logging.getLogger("botocore.credentials").warning("the key is %s", "secret")
        text = output.text()
        assert '"message":"library_warning"' in text
        assert '"logger":"botocore.credentials"' in text
        assert '"places":["test_telemetry.py:' in text
        assert "secret" not in text

    def test_python_warning_is_logged_without_its_text(self, output: Output) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(False)  # `catch_warnings` restored Python's own output
            logging.captureWarnings(True)
            warnings.warn("the key is secret", DeprecationWarning, stacklevel=1)
        text = output.text()
        assert '"message":"library_warning"' in text
        assert '"logger":"py.warnings"' in text
        assert "secret" not in text

    def test_library_info_is_not_logged(self, output: Output) -> None:
        logging.getLogger("botocore").setLevel(logging.INFO)
        logging.getLogger("botocore").info("found credentials")
        assert output.text() == ""

    def test_service_log_line_is_written_once(self, output: Output) -> None:
        telemetry.log(logging.ERROR, "event")
        assert len(output.lines()) == 1


@pytest.mark.parametrize("name", ["POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME"])
@pytest.mark.parametrize("value", [None, "", " "])
def test_function_without_powertools_settings_does_not_start(name: str, value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name} is missing"):
        init_handler(accounts.make_handler)
