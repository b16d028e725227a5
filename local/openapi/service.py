"""The functions, called without a server and with a programmed imin, so that their responses can be examples.

AWS is moto's, with what the template declares; time stands at the events' own, and ids are counted. So the same code gives the same
answers, each time and on each machine. Nothing is checked here: that is for the tests.
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


class Answer(NamedTuple):
    """An answer as a client sees it; `content` is what JSON stands for, or a text."""

    status: int
    headers: dict[str, str]
    content: Any


class Service:
    """All functions as they are deployed, with what they call. `now` is the time, in seconds since 1970."""

    def __init__(self) -> None:
        self.now = NOW.timestamp()
        self.connected: dict[str, Any] = {}
        self.asked: list[Any] = []
        self.imin: Callable[[], tuple[int, dict[str, str], str]] = lambda: (200, {}, json.dumps(self._page()))
        self._numbers = itertools.count(1)
        self.environment: dict[str, str] = {}
        for function in Template().functions():
            self.environment |= function.environment
        self.environment |= SETTINGS
        self._handlers: dict[str, Any] = {}

    def ask(self, name: str, timeout_seconds: float = 15, headers: dict[str, str] | None = None, **changes: Any) -> Answer:
        """Return the response to the event of `events/{name}.json` with `headers` and `changes`.

        Of these, `path` changes path parameters and `authorizer` what API Gateway verified; any other is a member of the event.
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
        return Answer(response["statusCode"], response["headers"], json.loads(content) if is_json else content.decode())

    def state(self) -> str:
        """Return the state that imin received last."""
        return str(self.asked[-1].params["redirectUri"].rpartition("/")[2])

    def uuid7(self, now: float) -> uuid.UUID:
        """Replace `uuid7.uuid7`: the time, and a counter instead of random bits."""
        return uuid.UUID(int=int(now * 1000) << 80 | 0x7 << 76 | 0x2 << 62 | next(self._numbers))

    def take(self, request: Any) -> tuple[int, dict[str, str], str]:
        """Answers as imin."""
        self.asked.append(request)
        return self.imin()

    def _page(self) -> dict[str, Any]:
        """Return imin's documented example: without a redirect URI it has no actions, and connected accounts have a date."""
        page: dict[str, Any] = json.loads((ROOT / "tests/data/sample-response.json").read_text())
        for item in page["imin:item"]:
            if "redirectUri" not in self.asked[-1].params:
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
def service(has_aws: bool = True) -> Iterator[Service]:
    """Start a new service; without `has_aws`, Secrets Manager and DynamoDB are empty."""
    made = Service()
    with (
        mock_aws(),
        responses.RequestsMock(assert_all_requests_are_fired=False) as mock,
        patch.dict("os.environ", AWS_DEFAULT_REGION=aws.REGION),
        patch.object(link_state.LinkStates.__init__, "__defaults__", (lambda: made.now,)),
        patch.object(table.Table.__init__, "__defaults__", (lambda: made.now, time.sleep)),
        patch("seller_accounts.links.link_state.uuid7", made.uuid7),
        patch("seller_accounts.notice_store.uuid7", made.uuid7),
        contextlib.redirect_stdout(io.StringIO()),  # the functions' logs
    ):
        mock.add_callback(responses.GET, IMIN, made.take)
        if has_aws:
            aws.make_secrets(secret.make_client(), {made.environment[name]: value for name, value in KEYS.items()})
            (records,) = Template().resources("AWS::DynamoDB::Table").values()
            aws.make_tables(table.make_client(), {made.environment["LINKS_TABLE"]: records})
        yield made


def _context(timeout_seconds: float) -> Context:
    return Context({"functionName": "example", "memoryMb": 1024, "requestId": "example", "timeoutSeconds": timeout_seconds})
