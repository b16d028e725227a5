"""The functions between an imin and an issuer on loopback and moto, for one call at a time that leaves a function.

`Rig` has one customer after the other do what the app, the browser and imin do. It knows no faults.
"""

import contextlib
import functools
import inspect
import io
import json
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from moto import mock_aws

from local import aws as local_aws
from seller_accounts.aws import secret, table
from seller_accounts.network import transport
from seller_accounts.routes import accounts, link_callback, links, webhook
from tests.aws import records_of
from tests.conftest import API_KEY, LOCAL, STATE_KEY, TEMPLATE, WEBHOOK_KEY, Answer, App, event
from tests.faults.clock import Clock, ticking
from tests.loopback import Script, Server, answer, serve

KEYS = {"IMIN_API_KEY_SECRET": API_KEY, "LINK_STATE_SECRET": STATE_KEY, "IMIN_WEBHOOK_SECRET": WEBHOOK_KEY}
TLS = ssl.create_default_context()  # both made once: that takes longer than most scenarios
SIGNING_KEY = ec.generate_private_key(ec.SECP256R1())
MODULES = {"accounts": accounts, "callbacks": link_callback, "links": links, "webhook": webhook}


class Rig:
    """The parts of a scenario. `imin` and `issuer` are the faults of their next requests; None is a valid response."""

    def __init__(self, clock: Clock, released: threading.Event) -> None:
        self.clock = clock
        self.released = released
        self.imin: list[Script | None] = []
        self.issuer: list[Script | None] = []
        self.asked: list[str] = []
        self.customer = ""
        self._customers = 0
        self._is_connected = False
        self.server: Server
        self.environment: dict[str, str] = {}
        self.dynamodb: Any = None
        self.secrets: Any = None
        self.apps: dict[str, App] = {}

    def next_customer(self) -> None:
        """Start environments of all functions without a cached key, and a customer without records."""
        self._customers += 1
        self.customer = f"customer-{self._customers}"
        self._is_connected = False
        self.imin, self.issuer = [], []
        self.apps = {name: App(module.make_handler(self.environment)) for name, module in MODULES.items()}

    def serve(self, connection: Any, request: bytes) -> None:
        """Serve a request to imin or the issuer with its fault; the last fault applies to all further requests."""
        path = request.split()[1].decode()
        if path.startswith("/api/"):
            self.asked.append(path)
            self._befall(self.imin, answer(self._accounts()), connection, request)
            return
        issuer = f"{self.server.url}/issuer"
        key = {**ECAlgorithm.to_jwk(SIGNING_KEY.public_key(), as_dict=True), "kid": "1", "alg": "ES256"}
        document: Any = {"keys": [key]} if path.endswith("/keys") else {"issuer": issuer, "jwks_uri": f"{issuer}/keys"}
        self._befall(self.issuer, answer(json.dumps(document).encode()), connection, request)

    def _befall(self, scripts: list[Script | None], good: Script, connection: Any, request: bytes) -> None:
        script = scripts.pop(0) if len(scripts) > 1 else (scripts or [None])[0]
        (script or good)(connection, request)

    def _accounts(self) -> bytes:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        how = {"dateLinked": now} if self._is_connected else {"imin:matchingEmailExists": True}
        return json.dumps({"imin:item": [{"seller": {"@id": "1"}, **how}]}).encode()

    def asks(self, app: str, name: str, query: str = "", *, is_verified: bool = True, **path: str) -> Answer:
        """Send an event of `events/` as the customer, with a token that API Gateway verified or not."""
        asked = event(name)
        asked["pathParameters"] = {"customerIdentifier": "me", **path}
        asked["rawQueryString"] = query
        asked["requestContext"]["authorizer"] = {"jwt": {"claims": {"sub": self.customer}}}
        if not is_verified:
            del asked["requestContext"]["authorizer"]
            claims = {"iss": f"{self.server.url}/issuer", "aud": LOCAL["OIDC_AUDIENCE"], "exp": time.time() + 60}
            token = jwt.encode(claims | {"sub": self.customer}, SIGNING_KEY, "ES256", {"kid": "1"})
            asked["headers"]["authorization"] = f"Bearer {token}"
        return self.apps[app].send(asked)

    def lists(self, query: str = "", *, is_verified: bool = True) -> Answer:
        """Get accounts."""
        return self.asks("accounts", "accounts-get", query, is_verified=is_verified)

    def gets_link(self) -> str:
        """Return a link's state, and connect the customer immediately."""
        assert self.lists("redirectUri=brokerapp://linked").status == 200
        self._is_connected = True
        return parse_qs(urlsplit(self.asked[-1]).query)["redirectUri"][0].rpartition("/")[2]

    def comes_back(self, state: str) -> Answer:
        """Open the callback."""
        asked = event("link-callback-get")
        asked["pathParameters"]["state"] = state
        asked["rawPath"] = f"/v1/link-callbacks/{state}"
        return self.apps["callbacks"].send(asked)

    def has_issued_link(self) -> str:
        """Get a link, connect an account, and let the browser be closed. Returns the link's id."""
        link_id: str = self.lists("redirectUri=brokerapp://linked").json["link"]["id"]
        self._is_connected = True
        return link_id

    def has_received_link(self) -> str:
        """Return the id of a link that imin couldn't settle."""
        state = self.gets_link()
        self.imin = [answer(status="500 Broken")]
        location = self.comes_back(state).headers["location"]
        self.imin = []
        return parse_qs(urlsplit(location).query)["linkId"][0]

    def notifies(self) -> Answer:
        """Lets imin tell that something changed."""
        asked = event("webhook-post")
        asked["headers"]["x-api-key"] = WEBHOOK_KEY
        asked["body"] = json.dumps({"identifier": self.customer})
        return self.apps["webhook"].send(asked)

    def records(self) -> list[dict[str, Any]]:
        """Return the customer's stored records."""
        return records_of(self.dynamodb, self.customer, self.environment["LINKS_TABLE"])


@contextlib.contextmanager
def running_rig() -> Iterator[Rig]:
    """Make a rig with its own clients and AWS."""
    released = threading.Event()
    with ticking() as clock, mock_aws(), pytest.MonkeyPatch.context() as patch:
        rig = Rig(clock, released)
        with serve(rig.serve) as rig.server:
            settings = {**LOCAL, "IMIN_BASE_URL": rig.server.url, "OIDC_ISSUER": f"{rig.server.url}/issuer"}
            declared = [each.environment for each in TEMPLATE.functions()]
            rig.environment = {name: settings.get(name, value) for each in declared for name, value in each.items()}
            rig.dynamodb, rig.secrets = inspect.unwrap(table.make_client)(), inspect.unwrap(secret.make_client)()
            patch.setattr(table, "make_client", lambda: rig.dynamodb)
            patch.setattr(secret, "make_client", lambda: rig.secrets)
            patch.setattr(transport, "make_session", functools.partial(transport.make_session, TLS))
            (records,) = TEMPLATE.resources("AWS::DynamoDB::Table").values()
            local_aws.make_secrets(rig.secrets, {rig.environment[name]: value for name, value in KEYS.items()})
            local_aws.make_tables(rig.dynamodb, {rig.environment["LINKS_TABLE"]: records})
            yield rig
            released.set()


@contextlib.contextmanager
def captured_log_lines() -> Iterator[list[dict[str, Any]]]:
    """Capture the lines that are logged in this context."""
    lines: list[dict[str, Any]] = []
    with contextlib.redirect_stdout(io.StringIO()) as output:
        yield lines
    lines += [json.loads(line) for line in output.getvalue().splitlines()]
