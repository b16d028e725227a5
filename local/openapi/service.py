"""Call the functions in this process, with a fake imin, so that their responses can be examples.

AWS is moto with the resources of the template; the clock shows the time of the events, and ids are counted. The same code therefore
gives the same examples on every machine. Nothing is checked here: that is for the tests.
"""

import base64
import contextlib
import gzip
import importlib
import io
import itertools
import json
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import responses
from moto import mock_aws

from local import aws
from local.environment import Context
from local.template import Template
from seller_accounts.aws import secret, table
from seller_accounts.links import link_state

ROOT = Path(__file__).parent.parent.parent
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEYS = {
    "IMIN_API_KEY_SECRET": "example-imin-key",
    "IMIN_WEBHOOK_SECRET": "local-webhook-key",
    "LINK_STATE_SECRET": "example-state-key",
}
SETTINGS = {
    "ALLOWED_REDIRECT_URIS": "brokerapp://linked",
    "OIDC_AUDIENCE": "broker-app",
    "OIDC_ISSUER": "https://identity.example.com",
}
IMIN = "https://book.imin.co/api/v2/customers/rosie/accounts"


class ExampleResponse(NamedTuple):
    """A response as a client sees it; `content` is decoded JSON, or a text."""

    status: int
    headers: dict[str, str]
    content: Any


class Service:
    """All functions as deployed. `now` is the time in Unix seconds; `imin` makes the responses of the fake imin."""

    def __init__(self) -> None:
        self.now = NOW.timestamp()
        self.connected: dict[str, Any] = {}
        self.imin_requests: list[Any] = []
        self.imin: Callable[[], tuple[int, dict[str, str], str]] = lambda: (200, {}, json.dumps(self._page()))
        self._numbers = itertools.count(1)
        self.environment: dict[str, str] = {}
        for function in Template().functions():
            self.environment |= function.environment
        self.environment |= SETTINGS
        self._handlers: dict[str, Any] = {}

    def send(
        self, name: str, timeout_seconds: float = 15, headers: dict[str, str] | None = None, **changes: Any
    ) -> ExampleResponse:
        """Send the event of `events/{name}.json` with `headers` and `changes` to its function, and return the response.

        `path` changes path parameters, `authorizer` the result of API Gateway's authorizer, any other name a member of the event.
        """
        event = json.loads((ROOT / "events" / f"{name}.json").read_text())
        event["headers"] |= headers or {}
        event.get("pathParameters", {}).update(changes.pop("path", {}))
        if "authorizer" in changes:
            event["requestContext"]["authorizer"] = changes.pop("authorizer")
        event |= changes
        response = self._handler(event["routeKey"])(event, _context(timeout_seconds))
        body = response.get("body", "")
        content = base64.b64decode(body) if response.get("isBase64Encoded") else body.encode()
        if response["headers"].get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        is_json = content and "json" in response["headers"]["Content-Type"]
        return ExampleResponse(response["statusCode"], response["headers"], json.loads(content) if is_json else content.decode())

    def state(self) -> str:
        """Return the state that was last sent to imin."""
        return str(self.imin_requests[-1].params["redirectUri"].rpartition("/")[2])

    def uuid7(self, now: float) -> uuid.UUID:
        """Replace `uuid7.uuid7`: return the time with a counter instead of random bits."""
        return uuid.UUID(int=int(now * 1000) << 80 | 0x7 << 76 | 0x2 << 62 | next(self._numbers))

    def respond_as_imin(self, request: Any) -> tuple[int, dict[str, str], str]:
        """Record `request` and return the response of the fake imin."""
        self.imin_requests.append(request)
        return self.imin()

    def _page(self) -> dict[str, Any]:
        """Return imin's documented example: without a redirect URI it has no actions; connected accounts are marked."""
        page: dict[str, Any] = json.loads((ROOT / "tests/data/sample-response.json").read_text())
        for item in page["imin:item"]:
            if "redirectUri" not in self.imin_requests[-1].params:
                item.pop("potentialAction", None)
            if item["seller"]["name"] in self.connected:
                del item["imin:matchingEmailExists"]
                item["dateLinked"] = self.connected[item["seller"]["name"]]
        return page

    def _handler(self, route_key: str) -> Any:
        if not self._handlers:
            for function in Template().functions():
                module = importlib.import_module("seller_accounts.routes." + function.handler.partition(".")[0])
                handler = module.make_handler(self.environment)
                self._handlers |= {f"{route.method} {route.path}": handler for route in function.routes}
        return self._handlers[route_key]


@contextlib.contextmanager
def running_service(has_aws: bool = True) -> Iterator[Service]:
    """Yield a new service. Without `has_aws`, its secrets and its table don't exist."""
    service = Service()
    with (
        mock_aws(),
        responses.RequestsMock(assert_all_requests_are_fired=False) as mock,
        patch.dict("os.environ", AWS_DEFAULT_REGION=aws.REGION),
        patch.object(link_state.LinkStates.__init__, "__defaults__", (lambda: service.now,)),
        patch.object(table.Table.__init__, "__defaults__", (lambda: service.now, time.sleep)),
        patch("seller_accounts.links.link_state.uuid7", service.uuid7),
        patch("seller_accounts.notice_store.uuid7", service.uuid7),
        contextlib.redirect_stdout(io.StringIO()),  # the functions' logs
    ):
        mock.add_callback(responses.GET, IMIN, service.respond_as_imin)
        if has_aws:
            aws.make_secrets(secret.make_client(), {service.environment[name]: value for name, value in KEYS.items()})
            (table_properties,) = Template().resources("AWS::DynamoDB::Table").values()
            aws.make_tables(table.make_client(), {service.environment["LINKS_TABLE"]: table_properties})
        yield service


def _context(timeout_seconds: float) -> Context:
    return Context({"functionName": "example", "memoryMb": 1024, "requestId": "example", "timeoutSeconds": timeout_seconds})
