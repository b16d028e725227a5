"""Schemas out of the code's own types: what JSON Schema makes of them, less what our JSON never has, plus words.

A field with nothing in it is left out, so nothing is nullable and nothing has a default. Enumerations are open: their values are
`examples` and no `enum`, so that a client made from the document survives a new one. For the same reason the union of accounts has
no discriminator, which knows its values once and for all: `Unknown` takes every status that the other cases don't have.
Source: OpenAPI 3.1.1, JSON Schema 2020-12; Zalando's RESTful API guidelines, rule 112, for open enumerations.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args, get_type_hints

import msgspec

from local.openapi.words import Json, WordsError, compare
from seller_accounts.http import problems, shapes
from seller_accounts.http.identity import CUSTOMER_IDENTIFIER
from seller_accounts.routes import webhook

REF = "#/components/schemas/"
BODIES: list[type[msgspec.Struct]] = [shapes.Accounts, shapes.Links, shapes.Notices]

TIME = {"type": "string", "format": "date-time", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
IDENTIFIER = {"type": "string", "pattern": f"^{CUSTOMER_IDENTIFIER.pattern.replace(chr(92) + 'Z', '$')}$"}
UUID = {"type": "string", "format": "uuid"}
FIELDS: Mapping[tuple[str, str], Json] = {
    ("Accounts", "customerIdentifier"): IDENTIFIER,
    ("IminNotice", "identifier"): IDENTIFIER,
    ("Link", "id"): UUID,
    ("LinkRecord", "id"): UUID,
    ("Notice", "id"): UUID,
}
"""Fields that are more than their type says."""


def make_schemas(words: Json) -> dict[str, Json]:
    """Build the schemas of all types by name, and those written by hand in `words`. Raises `WordsError`."""
    _, schemas = msgspec.json.schema_components(BODIES, ref_template=f"{REF}{{name}}")
    schemas["Account"], statuses = _take_union_out(schemas["Accounts"])
    schemas["Problem"] = _schema_of(problems.ProblemBody)
    schemas["IminNotice"] = _schema_of(webhook.NoticePayload) | {"additionalProperties": True}
    times = {struct.__name__: _times(struct) for struct in _structs()}
    by_hand = {name: about["schema"] for name, about in words["schemas"].items() if "schema" in about}
    compare("schemas", [*schemas, *by_hand], words["schemas"])
    _add_codes(words)
    for name, schema in schemas.items():
        _describe(name, schema, words["schemas"][name], times.get(name, set()))
    _take_others(schemas["Unknown"]["properties"]["status"], statuses)
    return {name: (schemas | by_hand)[name] for name in words["schemas"]}


def _schema_of(struct: type[msgspec.Struct]) -> Json:
    """Build the schema of a type that contains no other. A member of any type (of imin's notice) is used if it is a text."""
    _, schemas = msgspec.json.schema_components([struct], schema_hook=lambda _: {"type": "string"})
    schema: Json = schemas[struct.__name__]
    return schema


def _structs() -> list[type[msgspec.Struct]]:
    """All types of the app's JSON."""
    return [each for each in vars(shapes).values() if isinstance(each, type) and issubclass(each, shapes.Shape)]


def _times(struct: type[msgspec.Struct]) -> set[str]:
    """Return the fields that are times, which msgspec describes as any text unless they have a time zone."""
    hints = get_type_hints(struct)
    names = zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True)
    return {encoded for field, encoded in names if datetime in (hints[field], *get_args(hints[field]))}


def _take_union_out(accounts: Json) -> tuple[Json, list[str]]:
    """Name the union of accounts, so that generated clients have a type for it; return it with its statuses."""
    union = accounts["properties"]["accounts"]["items"]
    accounts["properties"]["accounts"]["items"] = {"$ref": f"{REF}Account"}
    return {"oneOf": union["anyOf"]}, list(union["discriminator"]["mapping"])


def _take_others(status: Json, statuses: list[str]) -> None:
    """Let `Unknown` have any `status` except `statuses`, so that exactly one case fits any response."""
    own = status.pop("const")
    status |= {"not": {"enum": [each for each in statuses if each != own]}, "examples": [own]}


def _add_codes(words: Json) -> None:
    """Build the values of a problem's code from the words about each problem, in the table's order."""
    compare("problems", problems.PROBLEM_TYPES, words["problems"])
    text = words["schemas"]["Problem"]["fields"]["code"]
    values = {code: words["problems"][code] for code in problems.PROBLEM_TYPES}
    words["schemas"]["Problem"]["fields"]["code"] = {"description": text, "values": values}


def _describe(name: str, schema: Json, words: Json, times: set[str]) -> None:
    """Add words to a schema and its fields, and the rules of this API's JSON to the fields."""
    schema.pop("title", None)
    schema["description"] = words["description"].strip()
    fields = schema.get("properties", {})
    compare(f"schema {name}", fields, words.get("fields", {}))
    for field, made in fields.items():
        known = TIME if field in times else FIELDS.get((name, field)) or _never_null(made)
        fields[field] = _with_words(f"{name}.{field}", known, words["fields"][field])


def _never_null(schema: Json) -> Json:
    kinds = [each for each in schema.get("anyOf", [schema]) if each != {"type": "null"}]
    (only,) = kinds
    return {key: value for key, value in only.items() if key != "default"}


def _with_words(where: str, schema: Json, words: Any) -> Json:
    text = words if isinstance(words, str) else words["description"]
    values = schema.get("enum")
    if values is None:
        return {**schema, "description": text}
    if len(values) == 1:  # the tag of a union
        return {"type": "string", "const": values[0], "description": text}
    if isinstance(words, str):
        raise WordsError(f"{where}: words.yaml does not say what its values mean")
    compare(where, values, words["values"])
    listed = "\n".join(f"- `{value}`: {meaning}" for value, meaning in words["values"].items())
    return {
        "type": "string",
        "examples": list(words["values"]),
        "description": f"{text} There may be more values than these:\n\n{listed}",
    }
