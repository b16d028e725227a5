"""Convert imin's accounts into the app's: the case of each account, and the mapping of each field.

Source: imin's page "Get Seller Accounts" for the three cases. An account that fits none of them is `unknown`.
"""

import functools
from collections.abc import Callable
from typing import Literal, NamedTuple, TypeVar

import msgspec

from seller_accounts.http import shapes
from seller_accounts.imin import imin_schema
from seller_accounts.imin.tolerant_parser import Case, is_plain_url, is_web_url, last_part, parse_moment, read_collection, salvage

NO_REQUEST = imin_schema.EvidenceRequestAction()
NO_TYPE = imin_schema.EntitlementType()
EMPTY_EVIDENCE_REQUEST = shapes.EvidenceRequest(status="unknown")

S = TypeVar("S")
T = TypeVar("T")

_collection_decoder = msgspec.json.Decoder(imin_schema.Collection)
_account_decoder = msgspec.json.Decoder(imin_schema.Account)


class NotPlainError(ValueError):
    """An account fits the models but must be read by `tolerant_parser.salvage`.

    It has a URL that an app must not open, or an object without any known field, which may have another form.
    """


class Reshaped(NamedTuple):
    """imin's response in the app's shapes and in imin's order."""

    entitlement_filter: str | None
    accounts: list[shapes.Account]
    warnings: list[shapes.Warning]


def reshape(body: bytes) -> Reshaped:
    """Convert imin's response. Raises `Problem` (`upstream_invalid_response`) if nothing in it is readable."""
    try:
        collection = _collection_decoder.decode(body)
        return Reshaped(collection.entitlement_filter or None, [_account(item) for item in collection.items], [])
    except (ValueError, OverflowError, RecursionError):
        return _reshape_one_by_one(body)


def _reshape_one_by_one(body: bytes) -> Reshaped:
    """Convert a response in which something doesn't fit the models."""
    collection, warnings = read_collection(body)
    accounts = []
    for index, item in enumerate(collection.items):
        try:
            accounts.append(_account(_account_decoder.decode(item)))
        except (ValueError, OverflowError, RecursionError):
            salvaged = salvage(item, index, warnings)
            if salvaged:
                accounts.append(_account(*salvaged, is_salvaged=True))
    return Reshaped(collection.entitlement_filter or None, accounts, warnings)


def _account(account: imin_schema.Account, case: Case | None = None, *, is_salvaged: bool = False) -> shapes.Account:
    """Convert an account. Without a `case`, every field was readable and the fields determine it. Raises `NotPlainError`."""
    seller = _seller(account.seller)
    if seller.id is None and seller.name is None and not is_salvaged:
        raise NotPlainError
    if account.date_linked or case == "connected":
        return _connected(account, seller)
    email_matches = _parse_flag(account.matching_email_exists)
    if email_matches is not None or account.potential_action or case == "not_connected":
        connect = _connect(account.potential_action, bool(email_matches)) if account.potential_action else None
        return shapes.NotConnected(seller=seller, email_matches=email_matches, connect=connect)
    if case is None and (
        account.customer
        or account.access_pass
        or account.entitlement_errors
        or account.evidence_requests
        or account.hidden_entitlements is not None
        or account.has_hidden_entitlements is not None
    ):
        return _connected(account, seller)
    return shapes.Unknown(seller=seller)


def _parse_flag(value: bool | Literal["true", "false"] | None) -> bool | None:
    if isinstance(value, str):
        return value == "true"
    return value


def _url(value: str | imin_schema.UrlObject) -> str:
    """Return a URL for the app. Raises `NotPlainError` unless the app may open it."""
    if isinstance(value, str):
        if is_plain_url(value) or is_web_url(value):
            return value
        raise NotPlainError
    url = value.url or value.content_url or value.url_template or value.at_id or value.id
    if url:
        return _url(url)
    raise NotPlainError


_public_url = functools.lru_cache(maxsize=4096)(_url)  # sellers are the same for every customer; other URLs are secrets


def _seller(seller: imin_schema.Seller) -> shapes.Seller:
    return shapes.Seller(
        id=seller.at_id or seller.id or None,
        name=seller.name or None,
        url=_public_url(seller.url) if seller.url else None,
        logo_url=_public_url(seller.logo) if seller.logo else None,
        email=seller.email or None,
        telephone=seller.telephone or None,
        links=[_public_url(link) for link in _as_list(seller.same_as) if link] if seller.same_as else [],
    )


def _connect(actions: imin_schema.Action | list[imin_schema.Action], email_matches: bool) -> shapes.Connect | None:
    existing = new = None
    for action in _as_list(actions):
        term = action.at_type or action.type or ""
        if not (term or action.target):
            raise NotPlainError
        kind = last_part(term)
        if action.target and kind == "RegisterAction":
            existing = existing or _url(action.target)
        elif action.target and kind == "CreateAction":
            new = new or _url(action.target)
    if not (existing or new):
        return None
    return shapes.Connect(
        suggested="existing" if existing and (email_matches or not new) else "new",
        existing_account_url=existing or None,
        new_account_url=new or None,
    )


def _connected(account: imin_schema.Account, seller: shapes.Seller) -> shapes.Connected:
    hidden = account.hidden_entitlements if account.hidden_entitlements is not None else account.has_hidden_entitlements
    return shapes.Connected(
        seller=seller,
        connected_at=parse_moment(account.date_linked),
        hidden_entitlements=_parse_flag(hidden),
        customer=_customer(account.customer) if account.customer else None,
        access_passes=_map_present(_access_pass, account.access_pass),
        entitlement_errors=_map_present(_entitlement_error, account.entitlement_errors),
        evidence_requests=_map_present(_evidence_request, account.evidence_requests),
    )


def _customer(person: imin_schema.Person) -> shapes.Customer:
    if not (person.email or person.date_modified):
        raise NotPlainError
    return shapes.Customer(email=person.email or None, updated_at=parse_moment(person.date_modified))


def _access_pass(barcode: imin_schema.Barcode) -> shapes.AccessPass:
    if not (barcode.text or barcode.url or barcode.date_modified):
        raise NotPlainError
    updated_at = parse_moment(barcode.date_modified)
    return shapes.AccessPass(text=barcode.text or None, image_url=_url(barcode.url) if barcode.url else None, updated_at=updated_at)


def _entitlement_error(error: imin_schema.EntitlementError) -> shapes.EntitlementError:
    kind = error.at_type or error.type
    if not (kind or error.name or error.description):
        raise NotPlainError
    return shapes.EntitlementError(
        type=(last_part(kind) or None) if kind else None, name=error.name or None, description=error.description or None
    )


def _evidence_request(entitlement: imin_schema.Entitlement) -> shapes.EvidenceRequest | None:
    request = entitlement.evidence_request or entitlement.evidence_request_action or NO_REQUEST
    kind = entitlement.entitlement_type or NO_TYPE
    if NO_REQUEST in (entitlement.evidence_request, entitlement.evidence_request_action) or entitlement.entitlement_type == NO_TYPE:
        raise NotPlainError
    shape = shapes.EvidenceRequest(
        entitlement_id=entitlement.at_id or entitlement.id or None,
        entitlement_name=kind.pref_label or None,
        entitlement_type_id=kind.at_id or kind.id or None,
        entitlement_scheme=kind.in_scheme or None,
        expires_at=parse_moment(entitlement.expires or entitlement.valid_until),
        upload_url=_url(request.url) if request.url else None,
        upload_expires_at=parse_moment(request.expiry),
        status=imin_schema.ACTION_STATUSES.get(last_part(request.action_status or ""), "unknown"),
    )
    if shape == EMPTY_EVIDENCE_REQUEST:
        if not request.action_status:
            raise NotPlainError
        return None  # an unknown status of an unknown entitlement
    return shape


def _map_present(shape: Callable[[T], S | None], values: T | list[T] | None) -> list[S]:
    """Convert one value or a list of them, leaving out empty results."""
    if not values:
        return []
    if isinstance(values, list):
        return [shaped for value in values if (shaped := shape(value))]
    only = shape(values)
    return [only] if only else []


def _as_list(values: T | list[T]) -> list[T]:
    return values if isinstance(values, list) else [values]
