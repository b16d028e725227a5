"""Helpers for linking tests: a customer who gets links and opens their callbacks, with an imin that connects accounts."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from seller_accounts.routes import accounts, link_callback, links, webhook
from tests.conftest import EVENT_NAMES, ROUTES, WEBHOOK_KEY, App, Imin, Response, event

REDIRECT_URI = "brokerapp://linked?from=list"
CUSTOMER_EVENTS = [name for name in EVENT_NAMES if "{customerIdentifier}" in event(name)["routeKey"]]


@dataclass
class Customer:
    """Rosie, with apps that call all functions, and a programmable imin."""

    environment: dict[str, str]
    imin: Imin
    connected: dict[str, str] = field(default_factory=dict)
    """Connection dates by seller id."""

    def __post_init__(self) -> None:
        self.accounts = App(accounts.make_handler(self.environment))
        self.callbacks = App(link_callback.make_handler(self.environment))
        self.links = App(links.make_handler(self.environment))
        self.webhook = App(webhook.make_handler(self.environment))
        self.apps = {
            "AccountsFunction": self.accounts,
            "LinkCallbackFunction": self.callbacks,
            "LinksFunction": self.links,
            "WebhookFunction": self.webhook,
        }
        self.program_imin()

    def send(self, request: dict[str, Any]) -> Response:
        """Send an event to the function that has its route."""
        return self.apps[ROUTES[request["routeKey"]]].send(request)

    def program_imin(self) -> None:
        """Program imin to return three sellers, with the connected accounts."""
        items: list[dict[str, Any]] = []
        for seller in ("1", "2", "3"):
            status = {"dateLinked": self.connected[seller]} if seller in self.connected else {"imin:matchingEmailExists": True}
            items.append({"seller": {"@id": seller, "name": f"Seller {seller}"}, **status})
        self.imin.respond_with({"imin:item": items})

    def connect(self, seller: str, moment: datetime | None = None) -> None:
        """Connect an account, now or at `moment`."""
        self.connected[seller] = f"{moment or datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        self.program_imin()

    def get_link(self, redirect_uri: str = REDIRECT_URI) -> tuple[str, str]:
        """List accounts with connect URLs; return the link's id and state."""
        response = self.accounts.get(query={"redirectUri": redirect_uri})
        state = self.imin.calls[-1].params["redirectUri"].rpartition("/")[2]
        return response.json["link"]["id"], state

    def open_callback(self, state: str, query: str = "") -> Response:
        """Open the callback after a redirect from imin."""
        request = event("link-callback-get")
        request["pathParameters"]["state"] = state
        request["rawPath"] = f"/v1/link-callbacks/{state}"
        request["rawQueryString"] = query
        return self.callbacks.send(request)

    def notify(self, body: Any = None, key: str = WEBHOOK_KEY, **changes: Any) -> Response:
        """Send a notice to the webhook, with the sample event's body or another one (text, or an object to encode as JSON)."""
        request = event("webhook-post") | changes
        request["headers"]["x-api-key"] = key
        if body is not None:
            request["body"] = body if isinstance(body, str) else json.dumps(body)
        return self.webhook.send(request)

    def read(self, name: str = "links-get", claims: Any = None, query: str = "", **path: str) -> Response:
        """Send a request for stored records, based on an event from `events/`."""
        request = event(name)
        request["pathParameters"] |= path
        request["rawQueryString"] = query
        if claims:
            request["requestContext"]["authorizer"]["jwt"]["claims"] = claims
        return self.links.send(request)

    def read_link(self, link_id: str) -> Any:
        """Return one link's JSON."""
        return self.read("link-get", linkId=link_id).json


def parse_query(response: Response) -> dict[str, str]:
    """Parse the query of the URL to which a response redirects."""
    return dict(parse_qsl(urlsplit(response.headers["location"]).query))
