"""A fake imin server, modelled on imin's documentation and, where that is silent, on stated assumptions.

It checks the API key, returns the three cases, has connect URLs (only with a `redirectUri`) with their pages, errors and a webhook.
It shares no code with the functions that call it, and prints nothing because its URLs are secrets.
Source: imin's page "Get Seller Accounts"; OpenActive's Open Booking API for the structure of errors.
"""

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin

from flask import Flask, Response, jsonify, request

from local.connect import make_connect_pages
from local.connect_urls import Connection, ConnectUrls
from local.faults import IMIN_RESPONSES
from local.imin_home import Webhook, make_home
from local.imin_state import CONTEXT, Json, State
from local.imin_variants import vary


def make_imin(
    api_key: str,
    state: State | None = None,
    *,
    clock: Callable[[], float] = time.time,
    webhook_url: str | None = None,
    webhook_key: str = "",
) -> Flask:
    """Return the server as an application. It requires `api_key`, and posts changes to `webhook_url`, if given."""
    app = Flask("imin", root_path=str(Path(__file__).parent))
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # the default provider has it
    state = state or State()
    urls = ConnectUrls(clock)
    app.register_blueprint(make_connect_pages(state, urls, clock))
    app.register_blueprint(make_home(state, Webhook(webhook_url, webhook_key) if webhook_url else None))

    @app.get("/api/v2/customers/<customer_identifier>/accounts")
    def accounts(customer_identifier: str) -> Response:
        if not secrets.compare_digest(request.headers.get("X-Api-Key", "").encode(), api_key.encode()):
            return _error(401, "UnauthenticatedError", "The API key is missing or wrong.")
        customer = state.customers.get(customer_identifier)
        if customer is None:
            return _error(404, "UnknownCustomerError", "There is no such customer.")
        failure = _failure(IMIN_RESPONSES.get(state.fault) or customer.get("response", {}))
        if failure is not None:
            return failure
        with state.lock:
            return jsonify(_collection(customer_identifier, customer))

    def _collection(customer_identifier: str, customer: Json) -> Json:
        return {
            "@context": CONTEXT,
            "@id": request.base_url,
            "@type": "imin:Collection",
            "imin:entitlementFilter": f"opaque-{customer_identifier}",
            "imin:item": [
                vary(item) if customer.get("varied") else item
                for item in (_item(customer_identifier, customer, name) for name in state.visible_sellers(customer))
            ],
        }

    def _item(customer_identifier: str, customer: Json, name: str) -> Json:
        item: Json = {"@type": "Account", "seller": _with_absolute_logo(state.visible_sellers(customer)[name])}
        if state.is_connected(customer, name):
            account = customer["accounts"][name]
            return {**item, **{member: account[member] for member in account if member != "login"}}
        redirect_uri = request.args.get("redirectUri")
        if redirect_uri:
            connections = [
                Connection(customer_identifier, name, action, redirect_uri) for action in ("RegisterAction", "CreateAction")
            ]
            item["potentialAction"] = [
                {"@type": connection.action, "target": f"{request.host_url}auth/connect-account?jwt={urls.issue(connection)}"}
                for connection in connections
            ]
        login = state.login(customer, name)
        item["imin:matchingEmailExists"] = login is not None and login["email"].casefold() == customer["email"].casefold()
        return item

    return app


def _with_absolute_logo(seller: Json) -> Json:
    """Return the seller with an absolute logo URL. A relative one is a path on this server."""
    if "logo" not in seller:
        return seller
    return {**seller, "logo": {**seller["logo"], "url": urljoin(request.host_url, seller["logo"]["url"])}}


def _failure(settings: Json) -> Response | None:
    """Return the failed response described by `settings`, after their delay. Return None if they have only a delay."""
    time.sleep(settings.get("delaySeconds", 0))
    if "status" not in settings:
        return None
    response = Response(settings["body"], settings["status"], content_type=settings["contentType"])
    if "retryAfterSeconds" in settings:
        response.headers["Retry-After"] = str(settings["retryAfterSeconds"])
    return response


def _error(status: int, error_type: str, description: str) -> Response:
    response = jsonify({"@context": CONTEXT, "@type": error_type, "statusCode": status, "description": description})
    response.status_code = status
    return response
