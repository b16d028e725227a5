"""Shared fixtures: an app that calls the handlers, a programmable imin, and moto's AWS with the template's resources."""

import base64
import contextlib
import copy
import functools
import gzip
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
import responses
from hypothesis import settings
from moto import mock_aws

os.environ |= {  # Powertools reads its settings when the handler modules are imported
    "POWERTOOLS_SERVICE_NAME": "seller-accounts",
    "POWERTOOLS_METRICS_NAMESPACE": "SellerAccounts",
    "AWS_DEFAULT_REGION": "eu-west-2",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}

from local import aws as local_aws
from local.template import Template
from seller_accounts.aws import secret, table
from seller_accounts.http.http_api import Handler
from tests.conformance import check_response
from tests.inner_loop import pytest_runtest_makereport, pytest_runtest_protocol
from tests.leaks import leak_detector, pytest_runtest_logreport, pytest_sessionfinish, pytest_terminal_summary, pytest_testnodedown

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.linking import Customer

__all__ = [  # pytest finds these hooks by their names in this module
    "pytest_runtest_logreport",
    "pytest_runtest_makereport",
    "pytest_runtest_protocol",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
]

settings.register_profile("default", deadline=None)  # speed depends on the machine, so no test is timed
settings.register_profile("long", max_examples=int(os.environ.get("EXAMPLES", "10000")))  # used by `make fuzz`

TEMPLATE = Template()  # parsed once, because parsing takes longer than most tests
ROUTES = {f"{route.method} {route.path}": function.name for function in TEMPLATE.functions() for route in function.routes}
EVENTS = Path(__file__).parent.parent / "events"
EVENT_NAMES = sorted(path.stem for path in EVENTS.glob("*.json"))
SAMPLE = Path(__file__).parent / "data" / "sample-response.json"
API_KEY = "imin-key-of-the-tests"
STATE_KEY = "state-key-of-the-tests"
WEBHOOK_KEY = "webhook-key-of-the-tests"
TEST_SETTINGS = {
    "ALLOWED_REDIRECT_URIS": "brokerapp://linked,https://app.example.com/linked",
    "OIDC_AUDIENCE": "broker-app",
    "OIDC_ISSUER": "https://identity.example.com",
}


def event(name: str) -> dict[str, Any]:
    """Load the Lambda event from `events/{name}.json`."""
    loaded: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return loaded


class Context:
    """A Lambda context with plenty of time left by default."""

    function_name = "AccountsFunction"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:eu-west-2:123456789012:function:AccountsFunction"
    aws_request_id = "2f0a4b1c-0000-4000-8000-000000000000"

    def __init__(self, remaining_ms: int = 15_000) -> None:
        self.remaining_ms = remaining_ms

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left before the invocation times out."""
        return self.remaining_ms


@dataclass
class Response:
    """A response as seen by a client: lower-case header names, decoded body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Parse the body as JSON."""
        return json.loads(self.body)


@dataclass
class App:
    """The broker's app, which calls `handler` with events based on those in `events/`."""

    handler: Handler
    context: Context = field(default_factory=Context)

    def get(self, customer: str = "me", query: Any = None, claims: Any = None, **headers: str) -> Response:
        """Get the customer's accounts with rosie's token, or with `claims`."""
        request = copy.deepcopy(event("accounts-get"))
        request["pathParameters"]["customerIdentifier"] = customer
        request["rawQueryString"] = urlencode(query or {})
        request["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
        if claims is not None:
            request["requestContext"]["authorizer"]["jwt"]["claims"] = claims
        return self.send(request)

    def send(self, request: dict[str, Any]) -> Response:
        """Send any event. For an HTTP API event, check that `openapi.json` describes the response."""
        response = self.handler(request, self.context)
        body = response.get("body", "")
        content = base64.b64decode(body) if response.get("isBase64Encoded") else body.encode()
        headers = {name.lower(): value for name, value in response["headers"].items()}
        if headers.get("content-encoding") == "gzip":
            content = gzip.decompress(content)
        if isinstance(request, dict) and request.get("version") == "2.0":
            check_response(request["requestContext"]["routeKey"], response["statusCode"], headers, content)
            leak_detector.search_response(request["requestContext"]["routeKey"], response["statusCode"], headers, content)
        return Response(response["statusCode"], headers, content)


@pytest.fixture
def environment() -> dict[str, str]:
    """Return the environment variables of all functions as set by the template."""
    return {
        name: TEST_SETTINGS.get(name, value) for function in TEMPLATE.functions() for name, value in function.environment.items()
    }


@pytest.fixture(autouse=True, scope="session")
def _cached_clients() -> Iterator[None]:
    """Make each AWS client only once, because making one takes longer than most tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secret, "make_client", functools.cache(secret.make_client))
        patch.setattr(table, "make_client", functools.cache(table.make_client))
        yield


@pytest.fixture
def aws(environment: dict[str, str]) -> Iterator[None]:
    """Start moto's AWS with the secrets and the table that the template declares."""
    values = {"IMIN_API_KEY_SECRET": API_KEY, "LINK_STATE_SECRET": STATE_KEY, "IMIN_WEBHOOK_SECRET": WEBHOOK_KEY}
    (records,) = TEMPLATE.resources("AWS::DynamoDB::Table").values()
    with mock_aws():
        local_aws.make_secrets(secret.make_client(), {environment[name]: value for name, value in values.items()})
        local_aws.make_tables(table.make_client(), {environment["LINKS_TABLE"]: records})
        yield


@pytest.fixture
def secrets_manager(aws: None) -> Any:
    """Return the functions' client for Secrets Manager."""
    return secret.make_client()


@pytest.fixture
def dynamodb(aws: None) -> Any:
    """Return the functions' client for DynamoDB."""
    return table.make_client()


@contextlib.contextmanager
def recording_calls(client: Any, record: Callable[[str, dict[str, Any]], None]) -> Iterator[None]:
    """Pass the operation and parameters of each call by an AWS client to `record`."""

    def record_call(params: dict[str, Any], model: Any, **_: Any) -> None:
        record(model.name, params)

    client.meta.events.register("before-parameter-build", record_call)
    try:
        yield
    finally:
        client.meta.events.unregister("before-parameter-build", record_call)


@pytest.fixture
def calls(dynamodb: Any) -> Iterator[list[str]]:
    """Record the names of the operations sent to DynamoDB, oldest first."""
    operations: list[str] = []
    with recording_calls(dynamodb, lambda operation, _: operations.append(operation)):
        yield operations


@pytest.fixture
def sample() -> dict[str, Any]:
    """Return the example response from imin's documentation."""
    loaded: dict[str, Any] = json.loads(SAMPLE.read_text())
    return loaded


class Output:
    """The service's output during a test. Each line can be read only once."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def text(self) -> str:
        """Return the text printed since the last read."""
        text = self._capsys.readouterr().out
        leak_detector.search_output("a test that reads its own output", text)
        return text

    def lines(self) -> list[dict[str, Any]]:
        """Parse the lines printed since the last read as JSON."""
        return [json.loads(line) for line in self.text().splitlines()]


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Output:
    """Capture the logs and metrics printed during this test."""
    return Output(capsys)


class Imin:
    """A programmable imin. `respond` maps a request to status, headers and body; `calls` lists the requests, oldest first."""

    url = "https://book.imin.co/api/v2/customers/rosie/accounts"
    respond: Callable[[Any], tuple[int, dict[str, str], bytes]]

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.calls: list[Any] = []
        mock.add_callback(responses.GET, self.url, self._handle)

    def respond_with(self, body: Any, status: int = 200, **headers: str) -> None:
        """Respond with `body` (bytes, or an object to encode as JSON) from now on."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.respond = lambda _request: (status, {name.replace("_", "-"): value for name, value in headers.items()}, content)

    def _handle(self, request: Any) -> tuple[int, dict[str, str], bytes]:
        self.calls.append(request)
        return self.respond(request)


@pytest.fixture
def imin(aws: None, sample: dict[str, Any]) -> Iterator[Imin]:
    """Start an imin that responds with the sample until a test programs another response."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        fake = Imin(mock)
        fake.respond_with(sample)
        yield fake


@pytest.fixture
def app(imin: Imin, environment: dict[str, str]) -> App:
    """Make an app with a new accounts function."""
    from seller_accounts.routes import accounts

    return App(accounts.make_handler(environment))


@pytest.fixture
def rosie(imin: Imin, environment: dict[str, str]) -> "Customer":
    """Make a customer without records, with new functions."""
    from tests.linking import Customer

    return Customer(environment, imin)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Start headless Chromium for all tests in a module."""
    from tests.browser import chromium

    with chromium() as started:
        yield started
