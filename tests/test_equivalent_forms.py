"""Metamorphic tests of the parser: a document rewritten into any equivalent form reads the same, without a warning.

Source: JSON-LD 1.1, schema.org's data model, RFC 3339; docs/reading.md lists the forms.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from seller_accounts.http import shapes
from seller_accounts.imin.reshape import reshape

URL = "https://example.com/a"
TEXTS = st.sampled_from(["Acme", "Neun", "0012", "a: b / c # d"])
URLS = st.sampled_from([URL, "https://example.com/b?c=d", "http://[::1]:3000/@e"])
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(lambda moment: f"{moment:%Y-%m-%dT%H:%M:00Z}")  # noqa: DTZ001 - the Z makes it UTC
PREFIXES = ["", "schema:", "https://schema.org/", "http://schema.org/", "https://schema.org/vocab#"]
TEXT, LINK, TERM, MOMENT, FLAG = "text", "url", "term", "moment", "flag"
ACCOUNT_SHAPE: dict[str, Any] = {
    "seller": {"@id": TEXT, "name": TEXT, "url": LINK, "logo": {"url": LINK}, "email": TEXT, "telephone": TEXT, "sameAs": [LINK]},
    "potentialAction": [{"@type": TERM, "target": LINK}],
    "imin:matchingEmailExists": FLAG,
    "dateLinked": MOMENT,
    "hiddenEntitlements": FLAG,
    "customer": {"email": TEXT, "dateModified": MOMENT},
    "accessPass": [{"text": TEXT, "url": LINK, "dateModified": MOMENT}],
    "imin:entitlementUpdateErrors": [{"@type": TERM, "name": TEXT, "description": TEXT}],
    "imin:evidenceRequests": [
        {
            "@id": TEXT,
            "expires": MOMENT,
            "evidenceRequest": {"url": LINK, "expiry": MOMENT, "actionStatus": TERM},
            "entitlementType": {"@id": TEXT, "prefLabel": TEXT, "inScheme": TEXT},
        }
    ],
}
TERMS = {
    "potentialAction": ["RegisterAction", "CreateAction", "SearchAction"],
    "imin:entitlementUpdateErrors": ["EntitlementConflict", "Surprise"],
    "imin:evidenceRequests": ["ActiveActionStatus", "CompletedActionStatus", "Surprise"],
}
Draw = Callable[[Any], Any]


def draw_plain(draw: Draw, shape: Any, terms: list[str]) -> Any:
    """Draw a value in its plain form."""
    if isinstance(shape, dict):
        return {name: draw_plain(draw, field, terms) for name, field in shape.items() if name == "@type" or draw(st.booleans())}
    if isinstance(shape, list):
        return [draw_plain(draw, shape[0], terms) for _ in range(draw(st.integers(0, 2)))]
    values = {TEXT: TEXTS, LINK: URLS, TERM: st.sampled_from(terms or [""]), MOMENT: MOMENTS, FLAG: st.booleans()}
    return draw(values[shape])


def rewrite(draw: Draw, shape: Any, value: Any) -> Any:
    """Rewrite a plain value into an equivalent form."""
    if isinstance(shape, list):
        members = [rewrite(draw, shape[0], member) for member in value]
        return draw(st.sampled_from([members, {"@set": members}, {"@list": members}, members[0] if len(members) == 1 else members]))
    if isinstance(shape, dict):
        fields = {name: rewrite(draw, shape[name], field) for name, field in value.items()}
        absent = {name: draw(st.sampled_from([None, "", [], {}])) for name in shape if name not in value and draw(st.booleans())}
        if set(shape) == {"url"} and value and draw(st.booleans()):
            return fields["url"]  # a URL may replace an object with only a URL
        return draw(st.sampled_from([fields | absent, [fields | absent]]))
    form = draw(st.sampled_from([value, *REWRITERS[shape](draw, value)]))
    return draw(st.sampled_from([form, [form], [None, form]]))


def _rewrite_text(_draw: Draw, text: str) -> list[Any]:
    return [{"@value": text}, {"@value": text, "@language": "en"}]


def _rewrite_link(_draw: Draw, url: str) -> list[Any]:
    objects = [{name: url} for name in ("url", "contentUrl", "urlTemplate", "@id", "@value")]
    return [f" {url}\n", {"@type": "EntryPoint", "url": "", "urlTemplate": url}, *objects]


def _rewrite_term(draw: Draw, term: str) -> list[Any]:
    named = draw(st.sampled_from(PREFIXES)) + term
    return [named, {"@id": named}, {"@value": named}]


def _rewrite_moment(draw: Draw, moment: str) -> list[Any]:
    hours = draw(st.integers(-12, 14))
    at_offset = datetime.fromisoformat(moment).astimezone(timezone(timedelta(hours=hours)))
    local = f"{at_offset:%Y-%m-%dT%H:%M}"
    dates = [moment[:10]] if moment.endswith("T00:00:00Z") else []
    return [
        f"{moment[:16]}Z",
        f"{moment[:19]}.9999999Z",
        f"{local}{hours:+03d}:00",
        f"{local}:00{hours:+03d}",
        f"{local}:00.5{hours:+03d}00",
        {"@type": "xsd:dateTime", "@value": moment},
        *dates,
    ]


def _rewrite_flag(draw: Draw, flag: bool) -> list[Any]:
    name = draw(st.sampled_from(PREFIXES)) + str(flag)
    return [str(flag).lower(), name, {"@value": flag}, {"@id": name}]


REWRITERS: dict[str, Callable[[Draw, Any], list[Any]]] = {
    TEXT: _rewrite_text,
    LINK: _rewrite_link,
    TERM: _rewrite_term,
    MOMENT: _rewrite_moment,
    FLAG: _rewrite_flag,
}


@st.composite
def document_pairs(draw: Draw) -> tuple[Any, Any]:
    """Draw an account in its plain form and in an equivalent one."""
    names = [name for name in ACCOUNT_SHAPE if name == "seller" or draw(st.booleans())]
    item = {name: draw_plain(draw, ACCOUNT_SHAPE[name], TERMS.get(name, [])) for name in names}
    if item.get("hiddenEntitlements") is False and draw(st.booleans()):
        del item["hiddenEntitlements"]
    return item, {name: rewrite(draw, ACCOUNT_SHAPE[name], value) for name, value in item.items()}


def read_item(item: Any) -> tuple[Any, Any]:
    """Return the accounts and warnings of a document with one item."""
    reshaped = reshape(json.dumps({"imin:item": [item]}).encode())
    return msgspec.to_builtins(reshaped.accounts), msgspec.to_builtins(reshaped.warnings)


def fill(shape: Any) -> Any:
    """Build a value with every field of `shape`."""
    if isinstance(shape, dict):
        return {name: fill(field) for name, field in shape.items()}
    if isinstance(shape, list):
        return [fill(shape[0])]
    return {TEXT: "Acme", LINK: URL, TERM: "CompletedActionStatus", MOMENT: "2026-01-01T12:00:00Z", FLAG: True}[shape]


def find_empty_fields(value: Any) -> list[str]:
    """Return the names of all empty fields in the app's models, at any depth."""
    if isinstance(value, list):
        return [name for member in value for name in find_empty_fields(member)]
    if not isinstance(value, msgspec.Struct):
        return []
    fields = msgspec.structs.asdict(value)
    empty = [f"{type(value).__name__}.{name}" for name, member in fields.items() if member is None or member == []]
    return empty + find_empty_fields(list(fields.values()))


def test_complete_accounts_fill_every_field_of_the_app() -> None:
    connected = fill(ACCOUNT_SHAPE)
    actions = [{"@type": action, "target": URL} for action in ("RegisterAction", "CreateAction")]
    not_connected = {"seller": connected["seller"], "imin:matchingEmailExists": True, "potentialAction": actions}
    accounts = reshape(json.dumps({"imin:item": [connected, not_connected]}).encode()).accounts
    assert [type(account) for account in accounts] == [shapes.Connected, shapes.NotConnected]
    assert find_empty_fields(accounts) == []


@given(document_pairs())
def test_every_equivalent_form_reads_the_same_without_a_warning(pair: tuple[Any, Any]) -> None:
    item, form = pair
    assert read_item(item)[1] == []
    assert read_item(form) == read_item(item)


@given(document_pairs(), st.data())
def test_damage_affects_only_the_damaged_part(pair: tuple[Any, Any], data: st.DataObject) -> None:
    item, form = pair
    field = data.draw(st.sampled_from(sorted(form)))
    damaged = form | {field: data.draw(st.sampled_from([5, 1.5, [5], "\ud800"]))}
    neighbour = {"seller": {"@id": "neighbour"}, "imin:matchingEmailExists": True}
    reshaped = reshape(json.dumps({"imin:item": [neighbour, damaged, neighbour]}).encode())
    accounts = msgspec.to_builtins(reshaped.accounts)
    codes = [(warning.index, warning.code) for warning in reshaped.warnings]
    assert [account["seller"].get("id") for account in accounts].count("neighbour") == 2
    if field == "seller":
        is_object = isinstance(damaged["seller"], dict)
        assert codes == ([] if is_object else [(1, "unreadable_account")])
        return
    assert codes == [(1, "unreadable_field")]
    (expected,), _ = read_item(item)
    assert accounts[1]["seller"] == expected["seller"]
    if accounts[1]["status"] == expected["status"]:
        fields = {"accessPasses", "entitlementErrors", "evidenceRequests", "customer", "connectedAt", "emailMatches", "connect"}
        changed = {key for key in fields if accounts[1].get(key) != expected.get(key)}
        assert len(changed) <= 2  # without `emailMatches`, the suggestion in `connect` changes too
