"""Schemas generated from the code's types, without nulls and defaults, and with descriptions from words.yaml.

Empty fields are left out of responses, so nothing is nullable or has a default. Enumerations are open: their values are `examples`,
not an `enum`, so a generated client survives a new value. For the same reason the union of accounts has no discriminator, which
would fix the list of values: `Unknown` accepts every status that the other cases don't have.
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
IDENTIFIER_PATTERN = CUSTOMER_IDENTIFIER.pattern.replace(r"\Z", "$")  # JSON Schema has JavaScript's syntax
IDENTIFIER = {"type": "string", "pattern": f"^{IDENTIFIER_PATTERN}$"}
UUID = {"type": "string", "format": "uuid"}
FIELDS: Mapping[tuple[str, str], Json] = {
    ("Accounts", "customerIdentifier"): IDENTIFIER,
    ("IminNotice", "identifier"): IDENTIFIER,
    ("Link", "id"): UUID,
    ("LinkRecord", "id"): UUID,
    ("Notice", "id"): UUID,
}
"""Schemas of fields that are narrower than their Python types."""


def make_schemas(words: Json) -> dict[str, Json]:
    """Return all schemas by name: generated ones, and those written out in `words`. Raises `WordsError`."""
    _, schemas = msgspec.json.schema_components(BODIES, ref_template=f"{REF}{{name}}")
    schemas["Account"], statuses = _extract_union(schemas["Accounts"])
    schemas["Problem"] = _make_schema(problems.ProblemBody)
    schemas["IminNotice"] = _make_schema(webhook.NoticePayload) | {"additionalProperties": True}
    time_fields = {struct.__name__: _time_fields(struct) for struct in _structs()}
    written = {name: entry["schema"] for name, entry in words["schemas"].items() if "schema" in entry}
    compare("schemas", [*schemas, *written], words["schemas"])
    _add_codes(words)
    for name, schema in schemas.items():
        _describe(name, schema, words["schemas"][name], time_fields.get(name, set()))
    _accept_other_statuses(schemas["Unknown"]["properties"]["status"], statuses)
    return {name: (schemas | written)[name] for name in words["schemas"]}


def _make_schema(struct: type[msgspec.Struct]) -> Json:
    """Return the schema of a type without nested types. Untyped fields of imin's notice are read only if they are strings."""
    _, schemas = msgspec.json.schema_components([struct], schema_hook=lambda _: {"type": "string"})
    schema: Json = schemas[struct.__name__]
    return schema


def _structs() -> list[type[msgspec.Struct]]:
    """Return all types of the app's JSON."""
    return [shape for shape in vars(shapes).values() if isinstance(shape, type) and issubclass(shape, shapes.Shape)]


def _time_fields(struct: type[msgspec.Struct]) -> set[str]:
    """Return the names of the time fields. msgspec gives a time without a declared time zone no format."""
    hints = get_type_hints(struct)
    names = zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True)
    return {encoded for field, encoded in names if datetime in (hints[field], *get_args(hints[field]))}


def _extract_union(accounts: Json) -> tuple[Json, list[str]]:
    """Move the union of accounts into a schema of its own, so that generated clients name it. Return it and its statuses."""
    union = accounts["properties"]["accounts"]["items"]
    accounts["properties"]["accounts"]["items"] = {"$ref": f"{REF}Account"}
    return {"oneOf": union["anyOf"]}, list(union["discriminator"]["mapping"])


def _accept_other_statuses(status: Json, statuses: list[str]) -> None:
    """Let a case's `status` be any text except the statuses of the other cases, so that every account fits exactly one case."""
    own_status = status.pop("const")
    status |= {"not": {"enum": [name for name in statuses if name != own_status]}, "examples": [own_status]}


def _add_codes(words: Json) -> None:
    """List the problems and their descriptions as values of a problem's `code`, in the order of the table."""
    compare("problems", problems.PROBLEM_TYPES, words["problems"])
    text = words["schemas"]["Problem"]["fields"]["code"]
    values = {code: words["problems"][code] for code in problems.PROBLEM_TYPES}
    words["schemas"]["Problem"]["fields"]["code"] = {"description": text, "values": values}


def _describe(name: str, schema: Json, words: Json, time_fields: set[str]) -> None:
    """Add descriptions to a schema and its fields, and narrow the fields."""
    schema.pop("title", None)
    schema["description"] = words["description"].strip()
    fields = schema.get("properties", {})
    compare(f"schema {name}", fields, words.get("fields", {}))
    for field, generated in fields.items():
        narrowed = TIME if field in time_fields else FIELDS.get((name, field)) or _without_null(generated)
        fields[field] = _describe_field(f"{name}.{field}", narrowed, words["fields"][field])


def _without_null(schema: Json) -> Json:
    (option,) = [option for option in schema.get("anyOf", [schema]) if option != {"type": "null"}]
    return {key: value for key, value in option.items() if key != "default"}


def _describe_field(where: str, schema: Json, words: Any) -> Json:
    text = words if isinstance(words, str) else words["description"]
    values = schema.get("enum")
    if values is None:
        return {**schema, "description": text}
    if len(values) == 1:  # the tag of a union member
        return {"type": "string", "const": values[0], "description": text}
    if isinstance(words, str):
        raise WordsError(f"{where}: words.yaml has no descriptions of its values")
    compare(where, values, words["values"])
    value_list = "\n".join(f"- `{value}`: {meaning}" for value, meaning in words["values"].items())
    return {
        "type": "string",
        "examples": list(words["values"]),
        "description": f"{text} More values may be added to these:\n\n{value_list}",
    }
