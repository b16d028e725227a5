"""What the local imin knows: sellers, customers and their accounts, in memory, seeded from `customers.yaml`.

It decides nothing about who may change it, and answers no requests: `imin.py` and its pages do.
"""

import copy
import secrets
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

CUSTOMERS = Path(__file__).parent / "customers.yaml"
CONTEXT = ["https://openactive.io/", "https://schema.imin.co/"]

Json = dict[str, Any]


class State:
    """What imin knows, and the lock to hold while it is read or changed.

    `return_style` is one of `connect.RETURN_STYLES`, `fault` one of `faults.FAULTS`.
    """

    def __init__(self, seed: Path = CUSTOMERS) -> None:
        known = yaml.safe_load(seed.read_text())
        self.lock = threading.Lock()
        self.return_style = "plain"
        self.fault = "nothing"
        self.sellers: dict[str, Json] = known["sellers"]
        self.customers: dict[str, Json] = known["customers"]
        for customer in self.customers.values():
            self._make_up_sellers(customer)

    def sellers_of(self, customer: Json) -> dict[str, Json]:
        """Return the sellers that `customer` sees, by their short names."""
        return customer.get("ownSellers") or self.sellers

    def login(self, customer: Json, seller: str) -> Json | None:
        """Return the e-mail address and password of the customer's account with `seller`; None if there is no account."""
        account = customer["accounts"].get(seller)
        return (
            None
            if account is None
            else {"email": customer["email"], "password": customer.get("password"), **account.get("login", {})}
        )

    def is_connected(self, customer: Json, seller: str) -> bool:
        """Whether the customer's account with `seller` is connected."""
        return "dateLinked" in customer["accounts"].get(seller, {})

    def connect(self, customer: Json, seller: str, login: Json, now: float) -> None:
        """Connect the customer's account with `seller`, creating it if necessary."""
        moment = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}"
        customer["accounts"][seller] = {
            "login": login,
            "dateLinked": moment,
            "hiddenEntitlements": False,
            "customer": {"@type": "Person", "email": login["email"], "dateModified": moment},
            "accessPass": {"@type": "Barcode", "text": f"{secrets.randbelow(10**11):013}", "dateModified": moment},
        }

    def disconnect(self, customer: Json, seller: str) -> None:
        """Leaves the customer with an account with `seller` that is not connected, and has the password that it had."""
        customer["accounts"][seller] = {"login": self.login(customer, seller)}

    def _make_up_sellers(self, customer: Json) -> None:
        """Generate the sellers of `sellers: N`, and the customer's accounts with them."""
        made_up = customer.setdefault("ownSellers", {})
        for number in range(1, customer.get("sellers", 0) + 1):
            like = list(self.sellers)[number % len(self.sellers)]
            seller_id = f"https://id.bookingsystem.example.com/organizers/{1000 + number}"
            made_up[f"seller-{number}"] = {**self.sellers[like], "@id": seller_id, "name": f"Leisure Centre {number}"}
            if like in self.customers["rosie"]["accounts"]:
                customer["accounts"][f"seller-{number}"] = copy.deepcopy(self.customers["rosie"]["accounts"][like])
