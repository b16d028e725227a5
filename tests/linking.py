"""What tests of linking share: a customer who gets a link, comes back with it, and an imin that connects accounts."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from seller_accounts.routes import accounts, link_callback, links, webhook
from tests.conftest import WEBHOOK_KEY, Answer, App, Imin, event

REDIRECT_URI = "brokerapp://linked?from=list"


@dataclass
class Customer:
    """Rosie, with an app that calls all functions, and a programmable imin."""

    environment: dict[str, str]
    imin: Imin
    connected: dict[str, str] = field(default_factory=dict)
    """Connection dates by seller id."""

    def __post_init__(self) -> None:
        self.accounts = App(accounts.make_handler(self.environment))
        self.callbacks = App(link_callback.make_handler(self.environment))
        self.links = App(links.make_handler(self.environment))
        self.webhook = App(webhook.make_handler(self.environment))
        self.show()

    def show(self) -> None:
        """Let imin return the connected accounts."""
        names = ["1", "2", "3"]
        items: list[dict[str, Any]] = []
        for name in names:
            status = {"dateLinked": self.connected[name]} if name in self.connected else {"imin:matchingEmailExists": True}
            items.append({"seller": {"@id": name, "name": f"Seller {name}"}, **status})
        self.imin.answers({"imin:item": items})

    def connects(self, seller: str, moment: datetime | None = None) -> None:
        """Connect an account, now or at `moment`."""
        self.connected[seller] = f"{moment or datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        self.show()

    def gets_link(self, redirect_uri: str = REDIRECT_URI) -> tuple[str, str]:
        """List accounts with connect URLs; return the link's id and state."""
        answer = self.accounts.get(query={"redirectUri": redirect_uri})
        state = self.imin.calls[-1].params["redirectUri"].rpartition("/")[2]
        return answer.json["link"]["id"], state

    def comes_back(self, state: str, query: str = "") -> Answer:
        """Open the callback after a redirect from imin."""
        asked = event("link-callback-get")
        asked["pathParameters"]["state"] = state
        asked["rawPath"] = f"/v1/link-callbacks/{state}"
        asked["rawQueryString"] = query
        return self.callbacks.send(asked)

    def notifies(self, body: Any = None, key: str = WEBHOOK_KEY, **changes: Any) -> Answer:
        """Lets imin call the webhook: with the event's own body, or another (JSON, or a text as it is)."""
        asked = event("webhook-post") | changes
        asked["headers"]["x-api-key"] = key
        if body is not None:
            asked["body"] = body if isinstance(body, str) else json.dumps(body)
        return self.webhook.send(asked)

    def reads(self, name: str = "links-get", claims: Any = None, query: str = "", **path: str) -> Answer:
        """Asks for what is on record, by one of `events/`."""
        asked = event(name)
        asked["pathParameters"] |= path
        asked["rawQueryString"] = query
        if claims:
            asked["requestContext"]["authorizer"]["jwt"]["claims"] = claims
        return self.links.send(asked)

    def reads_link(self, link_id: str) -> Any:
        """One link's JSON."""
        return self.reads("link-get", linkId=link_id).json


def query_of(answer: Answer) -> dict[str, str]:
    """Return the query of the URL to which a response redirects."""
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))
