"""An imin of our own: a working model of the upstream, as its page and what is known around it say.

The API key, the three cases, connect URLs only with a `redirectUri`, errors, and a state that changes, in memory, seeded from
`customers.yaml`. It shares no code with the functions that call it.
Source: imin's page "Get Seller Accounts"; OpenActive's Open Booking API for the errors' shape.
"""

import copy
import secrets
import threading
import time
from pathlib import Path
from typing import Any

import jwt
import yaml
from flask import Flask, Response, jsonify, request

CUSTOMERS = Path(__file__).parent / "customers.yaml"
CONNECT_TTL_SECONDS = 900
CONTEXT = ["https://openactive.io/", "https://schema.imin.co/"]

Json = dict[str, Any]


class State:
    """What imin knows, and the lock to hold while it is read or changed."""

    def __init__(self, seed: Path = CUSTOMERS) -> None:
        known = yaml.safe_load(seed.read_text())
        self.lock = threading.Lock()
        self.sellers: dict[str, Json] = known["sellers"]
        self.customers: dict[str, Json] = known["customers"]
        for customer in self.customers.values():
            self._add_sellers(customer)

    def sellers_of(self, customer: Json) -> dict[str, Json]:
        """The sellers that `customer` is shown, by their short names."""
        return customer.get("madeUpSellers") or self.sellers

    def _add_sellers(self, customer: Json) -> None:
        """Makes up the sellers that `sellers: N` asks for, and the customer's accounts with them."""
        made_up = customer["madeUpSellers"] = {}
        for number in range(1, customer.get("sellers", 0) + 1):
            like = list(self.sellers)[number % len(self.sellers)]
            seller_id = f"https://id.bookingsystem.example.com/organizers/{1000 + number}"
            made_up[f"seller-{number}"] = {**self.sellers[like], "@id": seller_id, "name": f"Leisure Centre {number}"}
            if like in self.customers["rosie"]["accounts"]:
                customer["accounts"][f"seller-{number}"] = copy.deepcopy(self.customers["rosie"]["accounts"][like])


def make_imin(api_key: str, state: State | None = None) -> Flask:
    """An imin as an application that wants `api_key`."""
    app = Flask("imin")
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # the default provider has it
    state = state or State()
    signing_key = secrets.token_hex(32)

    @app.get("/api/v2/customers/<customer_identifier>/accounts")
    def accounts(customer_identifier: str) -> Response:
        if not secrets.compare_digest(request.headers.get("X-Api-Key", "").encode(), api_key.encode()):
            return _error(401, "UnauthenticatedError", "The API key is missing or wrong.")
        with state.lock:
            customer = state.customers.get(customer_identifier)
            if customer is None:
                return _error(404, "UnknownCustomerError", "There is no such customer.")
            if "answer" not in customer:
                return jsonify(_collection(customer_identifier, customer))
        return _failing(customer["answer"]) or jsonify(_collection(customer_identifier, customer))

    def _collection(customer_identifier: str, customer: Json) -> Json:
        return {
            "@context": CONTEXT,
            "@id": request.base_url,
            "@type": "imin:Collection",
            "imin:entitlementFilter": f"opaque-{customer_identifier}",
            "imin:item": [_item(customer_identifier, customer, name) for name in state.sellers_of(customer)],
        }

    def _item(customer_identifier: str, customer: Json, name: str) -> Json:
        item: Json = {"@type": "Account", "seller": state.sellers_of(customer)[name]}
        account = customer["accounts"].get(name)
        if account is not None and "dateLinked" in account:
            return {**item, **account}
        redirect_uri = request.args.get("redirectUri")
        if redirect_uri:
            item["potentialAction"] = [
                {"@type": kind, "target": _connect_url(customer_identifier, name, kind, redirect_uri)}
                for kind in ("RegisterAction", "CreateAction")
            ]
        item["imin:matchingEmailExists"] = account is not None
        return item

    def _connect_url(customer_identifier: str, seller: str, kind: str, redirect_uri: str) -> str:
        claims = {
            "jti": secrets.token_urlsafe(12),
            "exp": int(time.time()) + CONNECT_TTL_SECONDS,
            "customer": customer_identifier,
            "seller": seller,
            "action": kind,
            "redirectUri": redirect_uri,
        }
        return f"{request.host_url}auth/connect-account?jwt={jwt.encode(claims, signing_key, 'HS256')}"

    return app


def _failing(answer: Json) -> Response | None:
    """The answer of an upstream that fails as `answer` says; None when it is only late."""
    time.sleep(answer.get("delaySeconds", 0))
    if "status" not in answer:
        return None
    response = Response(answer["body"], answer["status"], content_type=answer["contentType"])
    if "retryAfterSeconds" in answer:
        response.headers["Retry-After"] = str(answer["retryAfterSeconds"])
    return response


def _error(status: int, kind: str, description: str) -> Response:
    response = jsonify({"@context": CONTEXT, "@type": kind, "statusCode": status, "description": description})
    response.status_code = status
    return response
