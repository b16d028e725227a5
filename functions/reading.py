"""Reads imin's answer tolerantly: what can be read is kept, what can't is told as a warning, and nothing costs its neighbours.

What fits `imin`'s models is decoded without any of this. Only an account that does not is taken apart here, field by field.
A warning names fields, places and JSON types, and never a value: values can be personal.
Source: imin asks those who call it to read defensively (absent, null, "" and [] all mean nothing).
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec
from msgspec import Raw, Struct

import imin
from problems import Problem
from shapes import Warning
from telemetry import count

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
EXPECTED = {str: "a string", datetime: "a date and time", bool: "true or false"}
FOUND = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}

Warn = Callable[[str], None]

_collection_decoder = msgspec.json.Decoder(imin.RawCollection)


class _Unexpected(ValueError):
    """A value is not what its place asks for; the message may be shown."""


def read_collection(body: bytes) -> tuple[imin.RawCollection, list[Warning]]:
    """The answer around the accounts, and what could not be read of it. Raises `Problem` `upstream_invalid_response`."""
    body = body.removeprefix(BYTE_ORDER_MARK)
    try:
        return _collection_decoder.decode(body), []
    except (ValueError, RecursionError):
        return _unusual_collection(body)


def salvage(item: Raw, index: int, warnings: list[Warning]) -> imin.Account | None:
    """What can be read of an account that does not fit the model; None if it is no object or has no seller object."""
    try:
        value = _json(bytes(item))
        if not isinstance(value, dict):
            raise _unexpected("account", (imin.Account,), value)
        if not isinstance(value.get("seller"), dict):
            raise _unexpected("seller", (imin.Seller,), value.get("seller"))
    except (ValueError, RecursionError) as error:
        detail = str(error) if isinstance(error, _Unexpected) else "account: can't be read as JSON"
        warnings.append(Warning(index=index, code="unreadable_account", detail=detail))
        return None
    warn = _warner(index, warnings)
    return msgspec.convert({"seller": {}} | _readable_fields(value, imin.Account, "", warn), imin.Account)


def unreadable(detail: str = "The booking platform gave an answer that can't be used.") -> Problem:
    """The problem of an answer that nothing can be made of; it is counted."""
    count("UpstreamInvalidResponse")
    return Problem("upstream_invalid_response", detail)


def utc_seconds(moment: datetime | None) -> datetime | None:
    """`moment` in UTC and whole seconds; without an offset it is taken for UTC. Raises `OverflowError` at the ends of time."""
    if moment is None or (moment.tzinfo is UTC and not moment.microsecond):
        return moment
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.replace(microsecond=0)


def _json(text: bytes) -> Any:
    """The value of a JSON text. Bytes that are no UTF-8 become lone surrogates, for which only the string around them pays."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    return json.loads(text.decode(errors="surrogateescape"), parse_constant=refuse)


def _unusual_collection(body: bytes) -> tuple[imin.RawCollection, list[Warning]]:
    """The same for an answer with a single account in place of a list, or with an unreadable field or string."""
    try:
        answer = _json(body)
        items = answer["imin:item"]
        items = [items] if isinstance(items, dict) else items
        if not isinstance(items, list):
            raise _unexpected("imin:item", (imin.Account, list[imin.Account]), items)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise unreadable() from error
    warnings: list[Warning] = []
    fields = _readable_fields(answer | {"imin:item": None}, imin.RawCollection, "", _warner(None, warnings))
    raw = [Raw(json.dumps(item).encode()) for item in items]
    return imin.RawCollection(raw, fields.get("imin:entitlementFilter")), warnings


def _warner(index: int | None, warnings: list[Warning]) -> Warn:
    return lambda detail: warnings.append(Warning(index=index, code="unreadable_field", detail=detail))


def _readable_fields(value: dict[str, Any], kind: type[Struct], path: str, warn: Warn) -> dict[str, Any]:
    readable = {}
    for field in msgspec.structs.fields(kind):
        kept = _readable(value.get(field.encode_name), field.type, f"{path}{field.encode_name}", warn)
        if kept is not None:
            readable[field.encode_name] = kept
    return readable


def _readable(value: Any, kind: Any, path: str, warn: Warn) -> Any:
    """As much of `value` as a field of type `kind` takes; None for nothing. What is cut off is told to `warn`, by its path."""
    if value is None or value in ("", []):
        return None
    options = get_args(kind) if get_origin(kind) in {Union, UnionType} else (kind,)
    for option in options:
        if isinstance(value, dict) and _name(option) == "an object":
            return _readable_fields(value, option, f"{path}.", warn)
        if isinstance(value, list) and _name(option) == "a list":
            (each,) = get_args(option)
            kept = (_readable(member, each, f"{path}[{place}]", warn) for place, member in enumerate(value))
            return [member for member in kept if member is not None]
    try:
        leaf = msgspec.convert(value, kind)
        if isinstance(leaf, datetime):
            utc_seconds(leaf)
        elif isinstance(leaf, str):
            leaf.encode()
    except (ValueError, OverflowError):
        warn(str(_unexpected(path, options, value)))
        return None
    return value


def _unexpected(path: str, options: tuple[Any, ...], value: object) -> _Unexpected:
    expected = " or ".join(name for name in map(_name, options) if name)
    return _Unexpected(f"{path}: expected {expected}, got {FOUND.get(type(value), 'nothing')}")


def _name(option: Any) -> str | None:
    """How a warning calls one of the types that a field takes; None for those that it needn't name."""
    if get_origin(option) is list:
        return "a list"
    if isinstance(option, type) and issubclass(option, Struct):
        return "an object"
    return EXPECTED.get(option)
