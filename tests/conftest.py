"""What tests are given: an app that calls the handlers, an imin to program, AWS by moto with what the template declares."""

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

os.environ |= {  # Powertools reads its settings when the handlers' modules are imported
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
from tests.conformance import check_answer
from tests.inner_loop import pytest_runtest_makereport, pytest_runtest_protocol
from tests.leaks import pytest_runtest_logreport, pytest_sessionfinish, pytest_terminal_summary, pytest_testnodedown, watch

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.linking import Customer

__all__ = [  # hooks of the whole session
    "pytest_runtest_logreport",
    "pytest_runtest_makereport",
    "pytest_runtest_protocol",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
]

settings.register_profile("long", max_examples=int(os.environ.get("EXAMPLES", "10000")), deadline=None)  # of `make fuzz`

TEMPLATE = Template()  # parsed once: that takes longer than most tests
EVENTS = Path(__file__).parent.parent / "events"
SAMPLE = Path(__file__).parent / "data" / "sample-response.json"
API_KEY = "imin-key-of-the-tests"
STATE_KEY = "state-key-of-the-tests"
WEBHOOK_KEY = "webhook-key-of-the-tests"
LOCAL = {
    "ALLOWED_REDIRECT_URIS": "brokerapp://linked,https://app.example.com/linked",
    "OIDC_AUDIENCE": "broker-app",
    "OIDC_ISSUER": "https://identity.example.com",
}


def event(name: str) -> dict[str, Any]:
    """Load the event of `events/{name}.json`."""
    loaded: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return loaded


class Context:
    """A Lambda context with time to spare."""

    function_name = "AccountsFunction"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:eu-west-2:123456789012:function:AccountsFunction"
    aws_request_id = "2f0a4b1c-0000-4000-8000-000000000000"

    def __init__(self, remaining_ms: int = 15_000) -> None:
        self.remaining_ms = remaining_ms

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left for the invocation."""
        return self.remaining_ms


@dataclass
class Answer:
    """An answer as a client sees it: header names in lower case, the body decoded."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class App:
    """The broker's app: calls `handler` with events like those in `events/`."""

    handler: Handler
    context: Context = field(default_factory=Context)

    def get(self, customer: str = "me", query: Any = None, claims: Any = None, **headers: str) -> Answer:
        """Get the customer's accounts as rosie, or with `claims`."""
        asked = copy.deepcopy(event("accounts-get"))
        asked["pathParameters"]["customerIdentifier"] = customer
        asked["rawQueryString"] = urlencode(query or {})
        asked["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
        if claims is not None:
            asked["requestContext"]["authorizer"]["jwt"]["claims"] = claims
        return self.send(asked)

    def send(self, asked: dict[str, Any]) -> Answer:
        """Send any event; a response that API Gateway would pass on must be described in `openapi.json`."""
        response = self.handler(asked, self.context)
        body = response.get("body", "")
        content = base64.b64decode(body) if response.get("isBase64Encoded") else body.encode()
        headers = {name.lower(): value for name, value in response["headers"].items()}
        if headers.get("content-encoding") == "gzip":
            content = gzip.decompress(content)
        if isinstance(asked, dict) and asked.get("version") == "2.0":
            check_answer(asked["requestContext"]["routeKey"], response["statusCode"], headers, content)
            watch.answer(asked["requestContext"]["routeKey"], response["statusCode"], headers, content)
        return Answer(response["statusCode"], headers, content)


@pytest.fixture
def environment() -> dict[str, str]:
    """Return the variables of all functions as set by the template."""
    return {name: LOCAL.get(name, value) for each in TEMPLATE.functions() for name, value in each.environment.items()}


@pytest.fixture(autouse=True, scope="session")
def _one_client_of_each() -> Iterator[None]:
    """Make clients once, because that takes longer than most tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secret, "make_client", functools.cache(secret.make_client))
        patch.setattr(table, "make_client", functools.cache(table.make_client))
        yield


@pytest.fixture
def aws(environment: dict[str, str]) -> Iterator[None]:
    """AWS with the secrets and the table that the template declares."""
    values = {"IMIN_API_KEY_SECRET": API_KEY, "LINK_STATE_SECRET": STATE_KEY, "IMIN_WEBHOOK_SECRET": WEBHOOK_KEY}
    (records,) = TEMPLATE.resources("AWS::DynamoDB::Table").values()
    with mock_aws():
        local_aws.make_secrets(secret.make_client(), {environment[name]: value for name, value in values.items()})
        local_aws.make_tables(table.make_client(), {environment["LINKS_TABLE"]: records})
        yield


@pytest.fixture
def secrets_manager(aws: None) -> Any:
    """Return the client for Secrets Manager."""
    return secret.make_client()


@pytest.fixture
def dynamodb(aws: None) -> Any:
    """Return the functions' client for DynamoDB."""
    return table.make_client()


@contextlib.contextmanager
def recording_calls(client: Any, note: Callable[[str, dict[str, Any]], None]) -> Iterator[None]:
    """Tells `note` of each call that a client of AWS makes meanwhile: its operation and parameters."""

    def tell(params: dict[str, Any], model: Any, **_: Any) -> None:
        note(model.name, params)

    client.meta.events.register("before-parameter-build", tell)
    try:
        yield
    finally:
        client.meta.events.unregister("before-parameter-build", tell)


@pytest.fixture
def calls(dynamodb: Any) -> Iterator[list[str]]:
    """Record the operations sent to DynamoDB, oldest first."""
    asked: list[str] = []
    with recording_calls(dynamodb, lambda operation, _: asked.append(operation)):
        yield asked


@pytest.fixture
def sample() -> dict[str, Any]:
    """Return the example of imin's page."""
    loaded: dict[str, Any] = json.loads(SAMPLE.read_text())
    return loaded


class Output:
    """What a test made the service print, taken once."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def text(self) -> str:
        """All of it."""
        text = self._capsys.readouterr().out
        watch.output("a test that reads its output", text)
        return text

    def lines(self) -> list[dict[str, Any]]:
        """Its lines, which are JSON."""
        return [json.loads(line) for line in self.text().splitlines()]


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Output:
    """Capture the logs and metrics of this test."""
    return Output(capsys)


class Imin:
    """An imin to program. `answer` makes status, headers and body of a request; `calls` are those that came, oldest first."""

    url = "https://book.imin.co/api/v2/customers/rosie/accounts"
    answer: Callable[[Any], tuple[int, dict[str, str], bytes]]

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.calls: list[Any] = []
        mock.add_callback(responses.GET, self.url, self.take)

    def answers(self, body: Any, status: int = 200, **headers: str) -> None:
        """Lets imin answer with `body` (JSON, or bytes as they are) from now on."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answer = lambda _request: (status, {name.replace("_", "-"): value for name, value in headers.items()}, content)

    def take(self, request: Any) -> tuple[int, dict[str, str], bytes]:
        self.calls.append(request)
        return self.answer(request)


@pytest.fixture
def imin(aws: None, sample: dict[str, Any]) -> Iterator[Imin]:
    """Start an imin that responds with the sample until it is programmed otherwise."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        programmed = Imin(mock)
        programmed.answers(sample)
        yield programmed


@pytest.fixture
def app(imin: Imin, environment: dict[str, str]) -> App:
    """Make an app with a freshly started accounts function."""
    from seller_accounts.routes import accounts

    return App(accounts.make_handler(environment))


@pytest.fixture
def rosie(imin: Imin, environment: dict[str, str]) -> "Customer":
    """Make a customer without records, with freshly started functions."""
    from tests.linking import Customer

    return Customer(environment, imin)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Headless Chromium, for all tests of a file."""
    from tests.browser import chromium

    with chromium() as started:
        yield started
