"""A test rig for outbound calls: all functions, with imin and the issuer on loopback, and moto's AWS.

`Rig` sends the requests of the app, the browser and imin for one customer at a time. The faults are defined elsewhere.
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
from tests.aws import read_records
from tests.conftest import API_KEY, STATE_KEY, TEMPLATE, TEST_SETTINGS, WEBHOOK_KEY, App, Response, event
from tests.faults.clock import Clock, use_fake_clock
from tests.loopback import Script, Server, respond, serve

KEYS = {"IMIN_API_KEY_SECRET": API_KEY, "LINK_STATE_SECRET": STATE_KEY, "IMIN_WEBHOOK_SECRET": WEBHOOK_KEY}
TLS = ssl.create_default_context()  # made once, like the signing key, because making one takes longer than most scenarios
SIGNING_KEY = ec.generate_private_key(ec.SECP256R1())
MODULES = {"accounts": accounts, "callbacks": link_callback, "links": links, "webhook": webhook}


class Rig:
    """The functions and their dependencies. `imin` and `issuer` list the faults of the next requests; None means no fault."""

    def __init__(self, clock: Clock, released: threading.Event) -> None:
        self.clock = clock
        self.released = released
        self.imin: list[Script | None] = []
        self.issuer: list[Script | None] = []
        self.imin_paths: list[str] = []
        self.customer = ""
        self._customers = 0
        self._is_connected = False
        self.server: Server
        self.environment: dict[str, str] = {}
        self.dynamodb: Any = None
        self.secrets: Any = None
        self.apps: dict[str, App] = {}

    def next_customer(self) -> None:
        """Build new functions, without cached keys, for a new customer without records."""
        self._customers += 1
        self.customer = f"customer-{self._customers}"
        self._is_connected = False
        self.imin, self.issuer = [], []
        self.apps = {name: App(module.make_handler(self.environment)) for name, module in MODULES.items()}

    def serve(self, connection: Any, request: bytes) -> None:
        """Serve a request to imin or the issuer with its fault; the last fault applies to all further requests."""
        path = request.split()[1].decode()
        if path.startswith("/api/"):
            self.imin_paths.append(path)
            self._run_next_script(self.imin, respond(self._accounts()), connection, request)
            return
        issuer = f"{self.server.url}/issuer"
        key = {**ECAlgorithm.to_jwk(SIGNING_KEY.public_key(), as_dict=True), "kid": "1", "alg": "ES256"}
        document: Any = {"keys": [key]} if path.endswith("/keys") else {"issuer": issuer, "jwks_uri": f"{issuer}/keys"}
        self._run_next_script(self.issuer, respond(json.dumps(document).encode()), connection, request)

    def _run_next_script(self, scripts: list[Script | None], default: Script, connection: Any, request: bytes) -> None:
        script = scripts.pop(0) if len(scripts) > 1 else (scripts or [None])[0]
        (script or default)(connection, request)

    def _accounts(self) -> bytes:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        status = {"dateLinked": now} if self._is_connected else {"imin:matchingEmailExists": True}
        return json.dumps({"imin:item": [{"seller": {"@id": "1"}, **status}]}).encode()

    def send_event(self, app: str, name: str, query: str = "", *, is_verified: bool = True, **path: str) -> Response:
        """Send an event from `events/` as the customer. API Gateway has verified the token if `is_verified`."""
        request = event(name)
        request["pathParameters"] = {"customerIdentifier": "me", **path}
        request["rawQueryString"] = query
        request["requestContext"]["authorizer"] = {"jwt": {"claims": {"sub": self.customer}}}
        if not is_verified:
            del request["requestContext"]["authorizer"]
            claims = {"iss": f"{self.server.url}/issuer", "aud": TEST_SETTINGS["OIDC_AUDIENCE"], "exp": time.time() + 60}
            token = jwt.encode(claims | {"sub": self.customer}, SIGNING_KEY, "ES256", {"kid": "1"})
            request["headers"]["authorization"] = f"Bearer {token}"
        return self.apps[app].send(request)

    def get_accounts(self, query: str = "", *, is_verified: bool = True) -> Response:
        """Get accounts."""
        return self.send_event("accounts", "accounts-get", query, is_verified=is_verified)

    def get_link_state(self) -> str:
        """Get a link and connect an account; return the link's state."""
        assert self.get_accounts("redirectUri=brokerapp://linked").status == 200
        self._is_connected = True
        return parse_qs(urlsplit(self.imin_paths[-1]).query)["redirectUri"][0].rpartition("/")[2]

    def open_callback(self, state: str) -> Response:
        """Open the callback."""
        request = event("link-callback-get")
        request["pathParameters"]["state"] = state
        request["rawPath"] = f"/v1/link-callbacks/{state}"
        return self.apps["callbacks"].send(request)

    def create_issued_link(self) -> str:
        """Get a link and connect an account without opening the callback; return the link's id."""
        link_id: str = self.get_accounts("redirectUri=brokerapp://linked").json["link"]["id"]
        self._is_connected = True
        return link_id

    def create_received_link(self) -> str:
        """Create a link that stays unsettled because imin failed during the callback; return its id."""
        state = self.get_link_state()
        self.imin = [respond(status="500 Broken")]
        location = self.open_callback(state).headers["location"]
        self.imin = []
        return parse_qs(urlsplit(location).query)["linkId"][0]

    def notify(self) -> Response:
        """Send a notice from imin to the webhook."""
        request = event("webhook-post")
        request["headers"]["x-api-key"] = WEBHOOK_KEY
        request["body"] = json.dumps({"identifier": self.customer})
        return self.apps["webhook"].send(request)

    def read_records(self) -> list[dict[str, Any]]:
        """Return the customer's stored records."""
        return read_records(self.dynamodb, self.customer, self.environment["LINKS_TABLE"])


@contextlib.contextmanager
def start_rig() -> Iterator[Rig]:
    """Start a rig with its own AWS and AWS clients."""
    released = threading.Event()
    with use_fake_clock() as clock, mock_aws(), pytest.MonkeyPatch.context() as patch:
        rig = Rig(clock, released)
        with serve(rig.serve) as rig.server:
            settings = {**TEST_SETTINGS, "IMIN_BASE_URL": rig.server.url, "OIDC_ISSUER": f"{rig.server.url}/issuer"}
            declared = [function.environment for function in TEMPLATE.functions()]
            rig.environment = {name: settings.get(name, value) for variables in declared for name, value in variables.items()}
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
def capture_log_lines() -> Iterator[list[dict[str, Any]]]:
    """Capture the lines logged in this context; the list is filled when the context ends."""
    lines: list[dict[str, Any]] = []
    with contextlib.redirect_stdout(io.StringIO()) as output:
        yield lines
    lines += [json.loads(line) for line in output.getvalue().splitlines()]
