"""Typed models of imin's Get Seller Accounts response, as documented and with known deviations.

`tolerant_parser` reads fields by their annotated `Kind`; `reshape` converts the models into the app's. Any field may be missing;
unknown fields are ignored. Fields are in imin's order, because the decoder tries the next field first; alternative names come last.
Source: imin's page "Get Seller Accounts"; public pages of OpenActive and imin for alternative names.
"""

from enum import Enum
from typing import Annotated, Literal, TypeAlias, TypeVar

from msgspec import Raw, Struct, field


class Kind(Enum):
    """The meaning of a field whose JSON type alone doesn't determine how it is read."""

    URL = "an http or https URL"
    MOMENT = "a date and time"
    TERM = "a type or an enumeration member"
    REFERENCE = "an IRI"


ACTION_STATUSES: dict[str, Literal["potential", "active", "completed", "failed"]] = {
    "PotentialActionStatus": "potential",
    "ActiveActionStatus": "active",
    "CompletedActionStatus": "completed",
    "FailedActionStatus": "failed",
}
"""schema.org's action statuses and the app's names for them."""

T = TypeVar("T")
OneOrList: TypeAlias = T | list[T] | None
Text = str | None
Term = Annotated[str | None, Kind.TERM]
"""A type or an enumeration member, of which only the last part of a name or IRI counts."""
Reference = Annotated[str | None, Kind.REFERENCE]
"""An IRI, or an object with that `@id`."""
Flag = bool | Literal["true", "false"] | None
Moment = Annotated[str | None, Kind.MOMENT]
"""An ISO 8601 date, or date and time; UTC if it has no offset."""


class UrlObject(Struct, gc=False, frozen=True):
    """An object that has a URL, in the order of preference: an `ImageObject`, an `EntryPoint`, a reference."""

    url: Text = None
    content_url: Text = field(name="contentUrl", default=None)
    url_template: Text = field(name="urlTemplate", default=None)
    at_id: Text = field(name="@id", default=None)
    id: Text = None


Url = Annotated[str | UrlObject, Kind.URL]


class Seller(Struct, gc=False):
    """A schema.org `Organization`."""

    at_id: Text = field(name="@id", default=None)
    name: Text = None
    url: Url | None = None
    logo: Url | None = None
    email: Text = None
    telephone: Text = None
    same_as: OneOrList[Url] = field(name="sameAs", default=None)
    id: Text = None


class Action(Struct, gc=False):
    """A `RegisterAction` (connect an account that exists) or a `CreateAction` (create one); `target` is a bearer secret."""

    at_type: Term = field(name="@type", default=None)
    target: Url | None = None
    type: Term = None


class Person(Struct, gc=False):
    """The customer's details as held by the seller."""

    email: Text = None
    date_modified: Moment = field(name="dateModified", default=None)


class Barcode(Struct, gc=False):
    """An access pass. The leading zeros of `text` matter; `url` is a rendered image."""

    text: Text = None
    url: Url | None = None
    date_modified: Moment = field(name="dateModified", default=None)


class EntitlementError(Struct, gc=False):
    """Why an entitlement could not be applied at the seller."""

    at_type: Term = field(name="@type", default=None)
    name: Text = None
    description: Text = None
    type: Term = None


class EvidenceRequestAction(Struct, gc=False):
    """Where and until when evidence can be uploaded; `actionStatus` is one of schema.org's."""

    url: Url | None = None
    expiry: Moment = None
    action_status: Term = field(name="actionStatus", default=None)


class EntitlementType(Struct, gc=False):
    """A SKOS `Concept`."""

    at_id: Text = field(name="@id", default=None)
    pref_label: Text = field(name="prefLabel", default=None)
    in_scheme: Reference = field(name="inScheme", default=None)
    id: Text = None


class Entitlement(Struct, gc=False):
    """An entitlement that requires evidence."""

    at_id: Text = field(name="@id", default=None)
    expires: Moment = None
    evidence_request: EvidenceRequestAction | None = field(name="evidenceRequest", default=None)
    entitlement_type: EntitlementType | None = field(name="entitlementType", default=None)
    id: Text = None
    valid_until: Moment = field(name="validUntil", default=None)
    evidence_request_action: EvidenceRequestAction | None = field(name="evidenceRequestAction", default=None)


class Account(Struct, gc=False):
    """The customer's account with one seller."""

    seller: Seller
    potential_action: OneOrList[Action] = field(name="potentialAction", default=None)
    matching_email_exists: Flag = field(name="imin:matchingEmailExists", default=None)
    date_linked: Moment = field(name="dateLinked", default=None)
    hidden_entitlements: Flag = field(name="hiddenEntitlements", default=None)
    has_hidden_entitlements: Flag = field(name="hasHiddenEntitlements", default=None)
    customer: Person | None = None
    access_pass: OneOrList[Barcode] = field(name="accessPass", default=None)
    entitlement_errors: OneOrList[EntitlementError] = field(name="imin:entitlementUpdateErrors", default=None)
    evidence_requests: OneOrList[Entitlement] = field(name="imin:evidenceRequests", default=None)


class Collection(Struct, gc=False):
    """The response, if every field fits."""

    items: list[Account] = field(name="imin:item")
    entitlement_filter: Text = field(name="imin:entitlementFilter", default=None)


class RawCollection(Struct, gc=False):
    """The response with undecoded accounts, so that an unreadable account doesn't affect the others."""

    items: list[Raw] = field(name="imin:item")
    entitlement_filter: Text = field(name="imin:entitlementFilter", default=None)
