"""The local imin's home page: it lists accounts, disconnects them, and chooses the return style and the fault.

Disconnecting calls the webhook, as imin does. Customers connect accounts on the pages of `connect.py`.
Assumption (not in imin's documentation): the webhook has an agreed `X-Api-Key`, and 204 acknowledges a notice.
"""

from dataclasses import dataclass

import requests
from flask import Blueprint, Response, request

from local.connect import RETURN_STYLES
from local.faults import FAULTS
from local.imin_pages import make_pages, page, see_other
from local.imin_state import CONTEXT, Json, State

WEBHOOK_TIMEOUT_SECONDS = (2, 10)  # to connect, and to respond: a function may have to start


@dataclass(frozen=True)
class Webhook:
    """The broker's webhook, which receives notices that a customer's accounts changed."""

    url: str
    key: str

    def notify(self, customer_url: str, customer_identifier: str) -> str | None:
        """Post a notice. Return an error text, or None."""
        notice = {"@context": CONTEXT, "@type": "CustomerAccount", "@id": customer_url, "identifier": customer_identifier}
        with requests.Session() as session:
            session.trust_env = False  # a proxy can't reach this machine
            try:
                response = session.post(
                    self.url,
                    json=notice,
                    headers={"X-Api-Key": self.key},
                    timeout=WEBHOOK_TIMEOUT_SECONDS,
                    allow_redirects=False,
                )
            except requests.RequestException:
                return "The webhook could not be reached or did not respond."
        return None if response.status_code == 204 else f"The webhook responded with {response.status_code} instead of 204."


def make_home(state: State, webhook: Webhook | None) -> Blueprint:
    """Return the home page and the actions of its buttons."""
    pages = make_pages("home")

    @pages.get("/")
    def home() -> Response:
        with state.lock:
            customers = {name: (customer, _accounts(customer)) for name, customer in state.customers.items()}
            return page("imin_home.html", customers=customers, styles=RETURN_STYLES, faults=FAULTS, state=state)

    @pages.post("/local/return-style")
    def choose_return_style() -> Response:
        style = request.form.get("style")
        if style not in RETURN_STYLES:
            return _message(400, "This return style does not exist", f"Choose one of {', '.join(RETURN_STYLES)}.")
        with state.lock:
            state.return_style = style
        return see_other("/")

    @pages.post("/local/fault")
    def choose_fault() -> Response:
        fault = request.form.get("fault")
        if fault not in FAULTS:
            return _message(400, "This fault does not exist", f"Choose one of {', '.join(FAULTS)}.")
        with state.lock:
            state.fault = fault
        return see_other("/")

    @pages.post("/local/disconnect")
    def disconnect() -> Response:
        identifier, seller = request.form.get("customer", ""), request.form.get("seller", "")
        with state.lock:
            customer = state.customers.get(identifier)
            if customer is None or not state.is_connected(customer, seller):
                return _message(404, "This account is not connected", "It may have been disconnected already.")
            state.disconnect(customer, seller)
        error = webhook.notify(f"{request.host_url}api/v2/customers/{identifier}", identifier) if webhook else None
        return _message(502, "Disconnected, but the webhook failed", error) if error else see_other("/")

    def _accounts(customer: Json) -> list[Json]:
        """Return the accounts to list; generated sellers are too many."""
        return [
            {
                "seller": seller,
                "name": details["name"],
                "dateLinked": customer["accounts"].get(seller, {}).get("dateLinked"),
                "login": state.login(customer, seller),
            }
            for seller, details in ({} if "sellers" in customer else state.visible_sellers(customer)).items()
        ]

    return pages


def _message(status: int, title: str, text: str) -> Response:
    return page("message.html", status, title=title, text=text, home="/")
