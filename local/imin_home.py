"""The local imin's home page, for anyone who tries the stack: accounts, how customers return, what fails, and disconnecting.

Disconnecting fires the webhook, as the real imin's does. Connecting is for the customer's own pages, in `connect.py`.
Source: what is known around imin's page: an `X-Api-Key` agreed beforehand, the answer 204.
"""

from dataclasses import dataclass

import requests
from flask import Blueprint, Response, request

from local.connect import RETURN_STYLES
from local.faults import FAULTS
from local.imin_pages import make_pages, page, see_other
from local.imin_state import CONTEXT, Json, State

WEBHOOK_TIMEOUT_SECONDS = (2, 10)  # to connect, and for an answer: a function may have to start


@dataclass(frozen=True)
class Webhook:
    """The broker's server, which receives notices that something about a customer changed."""

    url: str
    key: str

    def notify(self, customer_url: str, customer_identifier: str) -> str | None:
        """Send a notice; return an error message, if any."""
        notice = {"@context": CONTEXT, "@type": "CustomerAccount", "@id": customer_url, "identifier": customer_identifier}
        with requests.Session() as session:
            session.trust_env = False  # a proxy of this machine would not reach it
            try:
                response = session.post(
                    self.url,
                    json=notice,
                    headers={"X-Api-Key": self.key},
                    timeout=WEBHOOK_TIMEOUT_SECONDS,
                    allow_redirects=False,
                )
            except requests.RequestException:
                return "The webhook could not be reached, or gave no answer."
        return None if response.status_code == 204 else f"The webhook answered {response.status_code}, not 204."


def make_home(state: State, webhook: Webhook | None) -> Blueprint:
    """Make the home page and the actions of its buttons."""
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
            return _message(400, "There is no such return style", f"It can be {', '.join(RETURN_STYLES)}.")
        with state.lock:
            state.return_style = style
        return see_other("/")

    @pages.post("/local/fault")
    def choose_fault() -> Response:
        fault = request.form.get("fault")
        if fault not in FAULTS:
            return _message(400, "There is no such fault", f"It can be {', '.join(FAULTS)}.")
        with state.lock:
            state.fault = fault
        return see_other("/")

    @pages.post("/local/disconnect")
    def disconnect() -> Response:
        identifier, seller = request.form.get("customer", ""), request.form.get("seller", "")
        with state.lock:
            customer = state.customers.get(identifier)
            if customer is None or not state.is_connected(customer, seller):
                return _message(404, "There is no such connected account", "It may have been disconnected already.")
            state.disconnect(customer, seller)
        error = webhook.notify(f"{request.host_url}api/v2/customers/{identifier}", identifier) if webhook else None
        return _message(502, "Disconnected, but the webhook failed", error) if error else see_other("/")

    def _accounts(customer: Json) -> list[Json]:
        """Return the customer's accounts for the page; generated sellers would be too many."""
        return [
            {
                "seller": seller,
                "name": known["name"],
                "dateLinked": customer["accounts"].get(seller, {}).get("dateLinked"),
                "login": state.login(customer, seller),
            }
            for seller, known in ({} if "sellers" in customer else state.sellers_of(customer)).items()
        ]

    return pages


def _message(status: int, title: str, text: str) -> Response:
    return page("message.html", status, title=title, text=text, home="/")
