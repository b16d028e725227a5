"""Parse imin's response tolerantly: keep every readable field, report the rest as warnings, and never drop a valid account.

Most accounts fit the models and never reach this module. An account that doesn't fit is rewritten here, field by field, into the
plain form that the models describe; docs/reading.md lists the forms. A warning names fields, places and JSON types, but never a
value: values can be personal.
Source: JSON-LD 1.1 (value objects, sets and lists), schema.org's data model; imin asks its users to read defensively.
"""

import functools
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from types import UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

import msgspec
from msgspec import Raw, Struct

from seller_accounts.http.problems import Problem
from seller_accounts.http.shapes import Warning
from seller_accounts.imin import imin_schema
from seller_accounts.telemetry import count

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
JSON_TYPES = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
URL_MEMBERS = tuple(field.encode_name for field in msgspec.structs.fields(imin_schema.UrlObject))
TERM_MEMBERS = ("@id", "id", "@value")
KNOWN_TERMS = frozenset({"RegisterAction", "CreateAction"} | imin_schema.ACTION_STATUSES.keys())
NOTHING: tuple[Any, ...] = (None, "", [], {})
WEB_URL = re.compile(
    r"[Hh][Tt][Tt][Pp][Ss]?://"
    r"(?:[^\s/?#\\@]*@)?[^\s/?#\\@:][^\s/?#\\@]*"  # a host, with or without user information before it
    r"(?:[/?#][^\x00-\x1f\x7f]*)?(?<!\s)"
)

Case = Literal["connected", "not_connected", "unknown"]
Warn = Callable[[str], None]
Reader = Callable[[Any], Any]

is_plain_url = re.compile(r"https?://[A-Za-z0-9][!-?A-Z^-~]*").fullmatch  # most URLs, in a third of WEB_URL's time: no @, no \
_collection_decoder = msgspec.json.Decoder(imin_schema.RawCollection)
_json_decoder = msgspec.json.Decoder()


class _Unreadable(ValueError):
    """A value isn't what its field requires. The message can be shown."""

    def __init__(self, expected: str, value: object) -> None:
        super().__init__(f"expected {expected}, got {JSON_TYPES.get(type(value), 'nothing')}")


class _Field(NamedTuple):
    """How a field of a model is read: one value by `read`, an object by the fields of `struct`, and a list of them if `many`.

    A string for which `is_plain` holds needs no reading.
    """

    name: str
    is_plain: Callable[[str], object]
    read: Reader
    struct: type[Struct] | None
    many: bool


class Salvaged(NamedTuple):
    """The readable part of an account, and the case of its fields if some are unreadable."""

    account: imin_schema.Account
    case: Case | None


def read_collection(body: bytes) -> tuple[imin_schema.RawCollection, list[Warning]]:
    """Read the response around the accounts. Returns warnings too. Raises `Problem` (`upstream_invalid_response`)."""
    body = body.removeprefix(BYTE_ORDER_MARK)
    try:
        return _collection_decoder.decode(body), []
    except (ValueError, RecursionError):
        return _read_unusual_collection(body)


def salvage(item: Raw, index: int, warnings: list[Warning]) -> Salvaged | None:
    """Read what is readable of an account that doesn't fit the model; None if it isn't an object or has no seller object."""
    try:
        value = _decode_json(bytes(item))
        if not isinstance(value, dict):
            warnings.append(_unreadable_account(index, f"account: {_Unreadable('an object', value)}"))
            return None
        seller = _read_seller(value.get("seller"))
    except _Unreadable as error:
        warnings.append(_unreadable_account(index, f"seller: {error}"))
        return None
    except (ValueError, RecursionError):
        warnings.append(_unreadable_account(index, "account: can't be read as JSON"))
        return None
    known = len(warnings)
    plain = _read_fields(value | {"seller": seller}, imin_schema.Account, "", _warner(index, warnings))
    case = _case(value) if len(warnings) > known else None
    return Salvaged(msgspec.convert({"seller": {}} | plain, imin_schema.Account), case)


def invalid_upstream_response(detail: str = "The booking platform's response is invalid.") -> Problem:
    """Make the problem for a response that can't be used, and count it."""
    count("UpstreamInvalidResponse")
    return Problem("upstream_invalid_response", detail)


def is_web_url(text: str) -> bool:
    """Whether an app may open `text`: an `http` or `https` URL with a host."""
    return bool(is_plain_url(text) or (WEB_URL.fullmatch(text) and text.isprintable()))


def parse_moment(text: str | None) -> datetime | None:
    """Parse an ISO 8601 date, or date and time, as UTC in whole seconds; fractions are cut. None for nothing.

    Raises `ValueError`, and `OverflowError` at the ends of the calendar.
    """
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.replace(microsecond=0) if moment.microsecond else moment


@functools.lru_cache(maxsize=256)
def last_part(term: str) -> str:
    """Cut the prefix or IRI off a type or an enumeration member: `schema:RegisterAction` is `RegisterAction`."""
    return re.split(r"[/#:]", term.strip().rstrip("/#:"))[-1]


def _decode_json(text: bytes) -> Any:
    """Decode JSON that may hold `NaN`, control characters, or bytes that aren't UTF-8: only the value around them pays for it."""
    try:
        return _json_decoder.decode(text)
    except ValueError:
        return json.loads(text.decode(errors="surrogateescape"), strict=False)


def _read_unusual_collection(body: bytes) -> tuple[imin_schema.RawCollection, list[Warning]]:
    """Read a response with a single account instead of a list, or with something unreadable around or in its accounts."""
    try:
        collection = _decode_json(body)
        items = _unwrap(collection["imin:item"])
        items = [items] if isinstance(items, dict) else items
        if not isinstance(items, list):
            raise _Unreadable("an object or a list", items)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise invalid_upstream_response() from error
    warnings: list[Warning] = []
    name = "imin:entitlementFilter"
    entitlement_filter = _read_member(collection.get(name), READERS[str], None, name, _warner(None, warnings))
    raw = [Raw(json.dumps(item).encode()) for item in items]
    return imin_schema.RawCollection(raw, entitlement_filter), warnings


def _warner(index: int | None, warnings: list[Warning]) -> Warn:
    return lambda detail: warnings.append(Warning(index=index, code="unreadable_field", detail=detail))


def _unreadable_account(index: int, detail: str) -> Warning:
    return Warning(index=index, code="unreadable_account", detail=detail)


def _case(item: dict[str, Any]) -> Case:
    """Determine the case by the presence of non-empty fields, readable or not."""
    present = {field.name for field in _plan(imin_schema.Account) if _holds_something(field, item.get(field.name))}
    if "dateLinked" in present:
        return "connected"
    if present & {"imin:matchingEmailExists", "potentialAction"}:
        return "not_connected"
    return "connected" if present - {"seller"} else "unknown"


def _holds_something(field: _Field, value: Any) -> bool:
    """Whether `value` holds something for `field`, readable or not."""
    value = _unwrap(value)
    try:
        if isinstance(value, list):
            return any(_holds_something(field, member) for member in value)
        if field.struct and isinstance(value, dict):
            return _fills(field.struct, value)
        return field.read(value) is not None
    except (_Unreadable, RecursionError):
        return True


def _fills(model: type[Struct], value: Any) -> bool:
    """Whether `value` holds something for any field of `model`."""
    if not isinstance(value, dict):
        return value not in NOTHING
    return any(_holds_something(field, value.get(field.name)) for field in _plan(model))


@functools.cache
def _plan(model: type[Struct]) -> list[_Field]:
    return [_field(field.encode_name, field.type) for field in msgspec.structs.fields(model)]


def _field(name: str, kind: Any) -> _Field:
    """Derive how to read a field from its type in the model."""
    options = list(get_args(kind)) if get_origin(kind) in {Union, UnionType} else [kind]
    many = any(get_origin(option) is list for option in options)
    option = options[0]
    if isinstance(option, type) and issubclass(option, Struct):
        return _Field(name, _never_plain, _one(_read_object, functools.partial(_fills, option)), option, many)
    key = next(iter(getattr(option, "__metadata__", ())), option)
    return _Field(name, PLAIN.get(key, _never_plain), READERS[key], None, many)


def _never_plain(_text: str) -> bool:
    return False


def _read_fields(value: dict[str, Any], model: type[Struct], path: str, warn: Warn) -> dict[str, Any]:
    """Rewrite the fields of `model` in `value` into their plain form, without those that hold nothing, however deep."""
    plain = {}
    for name, is_plain, read, struct, many in _plan(model):
        raw = value.get(name)
        if raw is None:
            continue
        if type(raw) is str and raw and is_plain(raw):
            plain[name] = raw
            continue
        members = _unwrap(raw) if many else raw
        if many and isinstance(members, list):
            listed = (_read_member(member, read, struct, f"{path}{name}[{place}]", warn) for place, member in enumerate(members))
            readable: Any = [member for member in listed if member is not None]
        else:
            readable = _read_member(raw, read, struct, f"{path}{name}", warn)
        if readable is not None:
            plain[name] = readable
    return plain


def _read_member(value: Any, read: Reader, struct: type[Struct] | None, path: str, warn: Warn) -> Any:
    try:
        plain = read(value)
    except _Unreadable as error:
        warn(f"{path}: {error}")
        return None
    except RecursionError:
        warn(f"{path}: nested too deeply")
        return None
    return plain if plain is None or struct is None else _read_fields(plain, struct, f"{path}.", warn) or None


def _unwrap(value: Any) -> Any:
    """Return the members of a JSON-LD set or list; any other value as it is."""
    if isinstance(value, dict):
        return value.get("@set", value.get("@list", value))
    return value


def _one(read: Reader, is_present: Callable[[Any], bool] = lambda value: value not in NOTHING) -> Reader:
    """Make a reader of one value or a list of them: the first that can be read and has something in it counts."""

    def read_one(value: Any) -> Any:
        value = _unwrap(value)
        if not isinstance(value, list):
            return None if value in NOTHING else read(value)
        unreadable_member: _Unreadable | None = None
        for member in value:
            try:
                plain = read_one(member) if is_present(member) else None
            except _Unreadable as error:
                unreadable_member = unreadable_member or error
                continue
            if plain is not None:
                return plain
        if unreadable_member:
            raise unreadable_member
        return None

    return read_one


def _read_seller(value: Any) -> dict[str, Any]:
    """Read the seller's object, which may be empty. Raises `_Unreadable`."""
    value = _unwrap(value)
    objects = [member for member in (value if isinstance(value, list) else [value]) if isinstance(member, dict)]
    if not objects:
        raise _Unreadable("an object", value)
    return next(filter(None, objects), objects[0])


def _read_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Unreadable("an object", value)
    return value


def _read_text(value: Any) -> str | None:
    if isinstance(value, dict) and "@value" in value:
        value = value["@value"]
        if value in NOTHING:
            return None
    try:
        if isinstance(value, str) and value.encode():
            return value
    except UnicodeEncodeError:  # half a character
        pass
    raise _Unreadable("a string", value)


def _read_url(value: Any) -> Any:
    """Read a URL, or an object that has one. An object without any holds nothing."""
    if isinstance(value, dict):
        if "@value" in value:
            return _read_one_url(value["@value"])
        return _read_one_url([value.get(name) for name in URL_MEMBERS])
    text = value.strip() if isinstance(value, str) else ""
    if not is_web_url(text):
        raise _Unreadable("an http or https URL", value)
    return text


def _read_term(value: Any) -> str | None:
    """Read a type or an enumeration member; of several, the first that means something here."""
    value = _unwrap(value)
    terms: list[str] = []
    unreadable_term: _Unreadable | None = None
    for member in value if isinstance(value, list) else [value]:
        named = next((member[name] for name in TERM_MEMBERS if name in member), member) if isinstance(member, dict) else member
        try:
            terms.append("" if named in NOTHING else _read_text(named) or "")
        except _Unreadable as error:
            unreadable_term = unreadable_term or error
    terms = list(filter(None, terms))
    if not terms and unreadable_term:
        raise unreadable_term
    return next((term for term in terms if last_part(term) in KNOWN_TERMS), terms[0] if terms else None)


def _read_reference(value: Any) -> str | None:
    """Read an IRI, or an object that has one."""
    if isinstance(value, dict) and "@value" not in value:
        value = value.get("@id", value.get("id", value))
    return _read_text(value)


def _read_flag(value: Any) -> bool:
    """Read a boolean, or the name of one, behind any prefix or IRI (`https://schema.org/True`)."""
    named = next((value[name] for name in TERM_MEMBERS if name in value), None) if isinstance(value, dict) else value
    flag = {"true": True, "false": False}.get(last_part(named).lower()) if isinstance(named, str) else named
    if not isinstance(flag, bool):
        raise _Unreadable("true or false", value)
    return flag


def _read_moment(value: Any) -> str:
    """Read a date, or a date and time."""
    text = value.get("@value") if isinstance(value, dict) else value
    try:
        moment = parse_moment(text.strip().upper()) if isinstance(text, str) else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise _Unreadable("a date and time", value)
    return moment.isoformat()


_read_one_url = _one(_read_url)
PLAIN: dict[Any, Callable[[str], object]] = {
    imin_schema.Kind.URL: is_plain_url,
    imin_schema.Kind.TERM: str.isascii,
    imin_schema.Kind.REFERENCE: str.isascii,
    str: str.isascii,
}
READERS: dict[Any, Reader] = {
    imin_schema.Kind.URL: _one(_read_url),
    imin_schema.Kind.MOMENT: _one(_read_moment),
    imin_schema.Kind.TERM: _read_term,
    imin_schema.Kind.REFERENCE: _one(_read_reference),
    bool: _one(_read_flag),
    str: _one(_read_text),
}
