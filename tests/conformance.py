"""Check responses against `openapi.json`: a response that it doesn't describe exactly fails its test.

The document is tolerant, so that a client made from it is. Here it is taken strictly: no other field, header, value or code than
those it has, and nothing empty. What was asked is not checked.
"""

import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openapi_schema_validator import OAS31Validator, oas31_format_checker

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parent.parent / "openapi.json").read_text())
UNDESCRIBED_HEADERS = {"content-type", "content-length", "connection", "date", "server", "transfer-encoding"}
"""Headers of any answer of HTTP."""


def check_answer(route_key: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Raise `AssertionError` unless `openapi.json` describes the response of `route_key` (`GET /v1/health`). `body` is decoded."""
    method, _, path = route_key.partition(" ")
    operation = DOCUMENT["paths"].get(path, {}).get(method.lower())
    found = {name.lower(): value for name, value in headers.items()}
    if operation is None:
        _check_unrouted(route_key, status, found, body)
        return
    assert str(status) in operation["responses"], f"{route_key} does not describe {status}"
    response = operation["responses"][str(status)]
    where = f"{route_key} {status}"
    _check_headers(where, response.get("headers", {}), found)
    _check_body(where, response.get("content", {}), status, found, body)


def route_of(method: str, path: str) -> str:
    """Return the route key of a path; the path itself if there is none."""
    for known in DOCUMENT["paths"]:
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(known)), path.partition("?")[0]):
            return f"{method} {known}"
    return f"{method} {path}"


def _check_unrouted(route_key: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Check the response to an unrouted request: of API Gateway, or of a function that was called anyway."""
    kind = headers["content-type"]
    schema = {"application/json": "GatewayMessage", "application/problem+json": "Problem"}.get(kind)
    assert schema, f"{route_key}, which is not routed, is answered by {kind}"
    assert status in {404, 405}, f"{route_key} is not routed, and answered by {status}"
    _check_value(f"{route_key} {status}", _strict({"$ref": f"#/components/schemas/{schema}"}), json.loads(body))


def _check_headers(where: str, described: Mapping[str, Any], found: Mapping[str, str]) -> None:
    components = DOCUMENT["components"]["headers"]
    known = {name.lower(): components[about["$ref"].rpartition("/")[2]] for name, about in described.items()}
    undescribed = set(found) - set(known) - UNDESCRIBED_HEADERS
    assert not undescribed, f"{where} has headers that are not described: {undescribed}"
    missing = {name for name, header in known.items() if header.get("required")} - set(found)
    assert not missing, f"{where} lacks headers that it should have: {missing}"
    for name in set(known) & set(found):
        schema = known[name]["schema"]
        value = int(found[name]) if schema["type"] == "integer" else found[name]
        _check_value(f"{where} {name}", _strict(schema), value)


def _check_body(where: str, described: Mapping[str, Any], status: int, headers: Mapping[str, str], body: bytes) -> None:
    if not described:
        assert not body, f"{where} has a body"
        assert "content-type" not in headers, f"{where} has a type, but no body"
        return
    kind = headers["content-type"].partition(";")[0]
    assert kind in described, f"{where} does not describe {kind}"
    value: Any = json.loads(body) if kind.endswith("json") else body.decode()
    _check_value(where, _strict(described[kind]["schema"]), value)
    if kind == "application/problem+json":
        assert value["status"] == status
        assert value["code"] in described[kind]["examples"], f"{where} does not describe {value['code']}"


def _check_value(where: str, schema: dict[str, Any], value: Any) -> None:
    errors = _validator(json.dumps(schema)).iter_errors(value)
    texts = [f"{error.json_path}: {error.message}" for each in errors for error in (each.context or [each])]
    assert not texts, f"{where}: {texts}"


@functools.cache
def _validator(schema: str) -> Any:
    return OAS31Validator({**json.loads(schema), "components": _components()}, format_checker=oas31_format_checker)


@functools.cache
def _components() -> dict[str, Any]:
    return {"schemas": {name: _strict(schema) for name, schema in DOCUMENT["components"]["schemas"].items()}}


def _strict(schema: Any) -> Any:
    """Return the schema without its tolerance."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _strict(value) for key, value in schema.items()}
    if "examples" in schema:  # the values of an open enumeration
        made["enum"] = schema["examples"]
    if schema.get("type") == "object":
        made = {"additionalProperties": False, "minProperties": 1, **made}
    if schema.get("type") == "string":
        made = {"minLength": 1, **made}
    return made
