"""The local imin's data: sellers, customers and their accounts, in memory, seeded from `customers.yaml`.

`imin.py` and its pages handle requests and check permissions.
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
    """The data, and the lock to hold while reading or changing it.

    `return_style` is one of `connect.RETURN_STYLES`, `fault` one of `faults.FAULTS`.
    """

    def __init__(self, seed: Path = CUSTOMERS) -> None:
        data = yaml.safe_load(seed.read_text())
        self.lock = threading.Lock()
        self.return_style = "plain"
        self.fault = "nothing"
        self.sellers: dict[str, Json] = data["sellers"]
        self.customers: dict[str, Json] = data["customers"]
        for customer in self.customers.values():
            self._generate_sellers(customer)

    def visible_sellers(self, customer: Json) -> dict[str, Json]:
        """Return the sellers shown to `customer`, by their short names."""
        return customer.get("ownSellers") or self.sellers

    def login(self, customer: Json, seller: str) -> Json | None:
        """Return the e-mail and password of the customer's account with `seller`, or None if there is no account."""
        account = customer["accounts"].get(seller)
        return (
            None
            if account is None
            else {"email": customer["email"], "password": customer.get("password"), **account.get("login", {})}
        )

    def is_connected(self, customer: Json, seller: str) -> bool:
        """Return whether the customer's account with `seller` is connected."""
        return "dateLinked" in customer["accounts"].get(seller, {})

    def connect(self, customer: Json, seller: str, login: Json, now: float) -> None:
        """Connect the customer's account with `seller`. Create the account if necessary."""
        timestamp = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}"
        customer["accounts"][seller] = {
            "login": login,
            "dateLinked": timestamp,
            "hiddenEntitlements": False,
            "customer": {"@type": "Person", "email": login["email"], "dateModified": timestamp},
            "accessPass": {"@type": "Barcode", "text": f"{secrets.randbelow(10**11):013}", "dateModified": timestamp},
        }

    def disconnect(self, customer: Json, seller: str) -> None:
        """Disconnect the customer's account with `seller`. The account and its password remain."""
        customer["accounts"][seller] = {"login": self.login(customer, seller)}

    def _generate_sellers(self, customer: Json) -> None:
        """Generate N sellers for `sellers: N`, and the customer's accounts with them."""
        own_sellers = customer.setdefault("ownSellers", {})
        for number in range(1, customer.get("sellers", 0) + 1):
            model = list(self.sellers)[number % len(self.sellers)]
            seller_id = f"https://id.bookingsystem.example.com/organizers/{1000 + number}"
            own_sellers[f"seller-{number}"] = {**self.sellers[model], "@id": seller_id, "name": f"Leisure Centre {number}"}
            if model in self.customers["rosie"]["accounts"]:
                customer["accounts"][f"seller-{number}"] = copy.deepcopy(self.customers["rosie"]["accounts"][model])
