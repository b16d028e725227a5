"""A strict check of responses against `openapi.json`, so an undescribed response fails its test.

`openapi.json` allows unknown fields and values, so that generated clients tolerate newer services. This check doesn't: it rejects
undescribed fields, headers, values and codes, and empty strings and objects. It doesn't check requests.
"""

import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openapi_schema_validator import OAS31Validator, oas31_format_checker

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parent.parent / "openapi.json").read_text())
TRANSPORT_HEADERS = {"content-type", "content-length", "connection", "date", "server", "transfer-encoding"}
"""Headers that any HTTP response may have; `openapi.json` doesn't describe them."""


def check_response(route_key: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Raise `AssertionError` unless `openapi.json` describes the response of a route (e.g. `GET /v1/health`). `body` is decoded."""
    method, _, path = route_key.partition(" ")
    operation = DOCUMENT["paths"].get(path, {}).get(method.lower())
    lower_case = {name.lower(): value for name, value in headers.items()}
    if operation is None:
        _check_unrouted(route_key, status, lower_case, body)
        return
    assert str(status) in operation["responses"], f"{route_key} does not describe {status}"
    response = operation["responses"][str(status)]
    label = f"{route_key} {status}"
    _check_headers(label, response.get("headers", {}), lower_case)
    _check_body(label, response.get("content", {}), status, lower_case, body)


def find_route_key(method: str, path: str) -> str:
    """Return the route key for a request: with the described path that matches, otherwise with the path itself."""
    for template in DOCUMENT["paths"]:
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path.partition("?")[0]):
            return f"{method} {template}"
    return f"{method} {path}"


def _check_unrouted(route_key: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Check the response to a request without a route, sent by API Gateway or by a function that was called directly."""
    content_type = headers["content-type"]
    schema = {"application/json": "GatewayMessage", "application/problem+json": "Problem"}.get(content_type)
    assert schema, f"{route_key} has no route, but a response of type {content_type}"
    assert status in {404, 405}, f"{route_key} has no route, but the status is {status}"
    _check_value(f"{route_key} {status}", _make_strict({"$ref": f"#/components/schemas/{schema}"}), json.loads(body))


def _check_headers(label: str, described: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    components = DOCUMENT["components"]["headers"]
    expected = {name.lower(): components[reference["$ref"].rpartition("/")[2]] for name, reference in described.items()}
    undescribed = set(headers) - set(expected) - TRANSPORT_HEADERS
    assert not undescribed, f"{label} has undescribed headers: {undescribed}"
    missing = {name for name, header in expected.items() if header.get("required")} - set(headers)
    assert not missing, f"{label} lacks required headers: {missing}"
    for name in set(expected) & set(headers):
        schema = expected[name]["schema"]
        value = int(headers[name]) if schema["type"] == "integer" else headers[name]
        _check_value(f"{label} {name}", _make_strict(schema), value)


def _check_body(label: str, described: Mapping[str, Any], status: int, headers: Mapping[str, str], body: bytes) -> None:
    if not described:
        assert not body, f"{label} has a body"
        assert "content-type" not in headers, f"{label} has a content type but no body"
        return
    content_type = headers["content-type"].partition(";")[0]
    assert content_type in described, f"{label} does not describe {content_type}"
    value: Any = json.loads(body) if content_type.endswith("json") else body.decode()
    _check_value(label, _make_strict(described[content_type]["schema"]), value)
    if content_type == "application/problem+json":
        assert value["status"] == status
        assert value["code"] in described[content_type]["examples"], f"{label} does not describe {value['code']}"


def _check_value(label: str, schema: dict[str, Any], value: Any) -> None:
    errors = _make_validator(json.dumps(schema)).iter_errors(value)
    messages = [f"{error.json_path}: {error.message}" for branch in errors for error in (branch.context or [branch])]
    assert not messages, f"{label}: {messages}"


@functools.cache
def _make_validator(schema: str) -> Any:
    return OAS31Validator({**json.loads(schema), "components": _strict_components()}, format_checker=oas31_format_checker)


@functools.cache
def _strict_components() -> dict[str, Any]:
    return {"schemas": {name: _make_strict(schema) for name, schema in DOCUMENT["components"]["schemas"].items()}}


def _make_strict(schema: Any) -> Any:
    """Return a copy of the schema that allows only described fields and values, and nothing empty."""
    if isinstance(schema, list):
        return [_make_strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: _make_strict(value) for key, value in schema.items()}
    if "examples" in schema:  # the values of an open enumeration
        strict["enum"] = schema["examples"]
    if schema.get("type") == "object":
        strict = {"additionalProperties": False, "minProperties": 1, **strict}
    if schema.get("type") == "string":
        strict = {"minLength": 1, **strict}
    return strict
