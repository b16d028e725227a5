"""The JSON that the app receives, as typed models: the contract with app developers.

Keys are camelCase. An empty field is left out, but a list that belongs to a case is always present. Times are RFC 3339 in UTC with
whole seconds.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct

EvidenceStatus = Literal["potential", "active", "completed", "failed", "unknown"]


class Shape(Struct, rename="camel", omit_defaults=True, gc=False):
    """The base of all models: camelCase keys, empty fields left out."""


class Seller(Shape, kw_only=True):
    """A leisure operator."""

    id: str | None = None
    name: str | None = None
    url: str | None = None
    logo_url: str | None = None
    email: str | None = None
    telephone: str | None = None
    links: list[str]


class Connect(Shape, kw_only=True):
    """URLs where the customer can connect an account. They are bearer secrets, valid once and for a short time."""

    suggested: Literal["existing", "new"]
    existing_account_url: str | None = None
    new_account_url: str | None = None


class Customer(Shape, kw_only=True):
    """The customer's details as held by the seller."""

    email: str | None = None
    updated_at: datetime | None = None


class AccessPass(Shape, kw_only=True):
    """A barcode that opens a door; `text` has its digits, including leading zeros."""

    text: str | None = None
    image_url: str | None = None
    updated_at: datetime | None = None


class EntitlementError(Shape, kw_only=True):
    """Why an entitlement could not be applied at the seller."""

    type: str | None = None
    name: str | None = None
    description: str | None = None


class EvidenceRequest(Shape, kw_only=True):
    """Evidence that the seller requires before it grants an entitlement."""

    entitlement_id: str | None = None
    entitlement_name: str | None = None
    entitlement_type_id: str | None = None
    entitlement_scheme: str | None = None
    expires_at: datetime | None = None
    upload_url: str | None = None
    upload_expires_at: datetime | None = None
    status: EvidenceStatus


class Connected(Shape, kw_only=True, tag_field="status", tag="connected"):
    """The customer has connected their account with this seller."""

    seller: Seller
    connected_at: datetime | None = None
    hidden_entitlements: bool | None = None
    customer: Customer | None = None
    access_passes: list[AccessPass]
    entitlement_errors: list[EntitlementError]
    evidence_requests: list[EvidenceRequest]


class NotConnected(Shape, kw_only=True, tag_field="status", tag="not_connected"):
    """The customer has no connected account; `email_matches` is whether the seller knows their e-mail address."""

    seller: Seller
    email_matches: bool | None = None
    connect: Connect | None = None


class Unknown(Shape, kw_only=True, tag_field="status", tag="unknown"):
    """imin doesn't say whether the customer has an account."""

    seller: Seller


Account = Connected | NotConnected | Unknown


class Warning(Shape, kw_only=True):
    """An unreadable part of imin's response; `index` is the position in imin's list."""

    index: int | None = None
    code: Literal["unreadable_account", "unreadable_field"]
    detail: str


class Link(Shape, kw_only=True):
    """The link that will record a connection that starts from these URLs."""

    id: str
    expires_at: datetime


class Accounts(Shape, kw_only=True):
    """The body of `GET …/accounts`."""

    customer_identifier: str
    entitlement_filter: str | None = None
    link: Link | None = None
    accounts: list[Account]
    warnings: list[Warning]


class LinkedSeller(Shape, kw_only=True):
    """A seller with whom an account was connected under a link."""

    id: str
    name: str | None = None
    connected_at: datetime | None = None


class LinkRecord(Shape, kw_only=True):
    """A stored link: `issued` until a callback arrives, then `received` until its outcome is known."""

    id: str
    status: Literal["issued", "received", "confirmed", "not_confirmed"]
    issued_at: datetime
    expires_at: datetime
    first_callback_at: datetime | None = None
    last_callback_at: datetime | None = None
    callback_count: int
    sellers: list[LinkedSeller]


class Links(Shape, kw_only=True):
    """The body of `GET …/links`, newest first."""

    links: list[LinkRecord]
    next_cursor: str | None = None


class Notice(Shape, kw_only=True):
    """A notice from imin that the customer's accounts changed."""

    id: str
    received_at: datetime
    type: str | None = None


class Notices(Shape, kw_only=True):
    """The body of `GET …/notices`, newest first."""

    notices: list[Notice]
    next_cursor: str | None = None
