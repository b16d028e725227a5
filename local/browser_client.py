"""The API's client for browsers: an ES module, generated from `openapi.json` when the local stack starts, without a build step.

It has a function for each operation that accepts a bearer token. `static/app/http.js`, written by hand, sends the requests and
defines the errors. A real app uses a generated, typed client in its own language.
"""

import json
import re
from typing import Any

Json = dict[str, Any]

HEAD = """\
// The operations of the API that an app may call, generated from openapi.json when the local stack starts.
// Each takes `api` ({ baseUrl, token }) and parameters, and returns the result of `send`.
import { send } from "./http.js"
"""


def make_browser_client(document: Json) -> str:
    """Return the text of the module. Raises `KeyError` if `document` isn't structured like `openapi.json`."""
    functions = [
        _function(document, method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if {"bearerAuth": []} in operation["security"]
    ]
    return "\n".join([HEAD, *functions])


def _function(document: Json, method: str, path: str, operation: Json) -> str:
    parameters = [
        document["components"]["parameters"][reference["$ref"].rpartition("/")[2]] for reference in operation["parameters"]
    ]
    names = ", ".join(_camel_case(parameter["name"]) for parameter in parameters)
    query, headers = _format_members(parameters, "query"), _format_members(parameters, "header")
    lines = [
        "/**",
        f" * {_single_line(operation['summary'])}.",
        " * @param {{ baseUrl: string, token: string }} api",
        *(_format_parameter(parameter) for parameter in parameters),
        f" * @returns {{ReturnType<typeof send>}} with the `body` {_body_type(operation['responses'])}",
        " */",
        f"export const {operation['operationId']} = (api, {{ {names} }}) =>",
        f"  send(api, {json.dumps(method.upper())}, {_format_path(path)}, {query}, {headers})",
        "",
    ]
    return "\n".join(lines)


def _format_parameter(parameter: Json) -> str:
    kind = "number" if parameter["schema"]["type"] == "integer" else "string"
    name = f"parameters.{_camel_case(parameter['name'])}"
    return f" * @param {{{kind}}} {name if parameter.get('required') else f'[{name}]'} {_single_line(parameter['description'])}"


def _format_path(path: str) -> str:
    """Return `/a/{b}` as a template literal that encodes its parameters."""
    return "`" + re.sub(r"\{(\w+)\}", lambda match: f"${{encodeURIComponent({_camel_case(match[1])})}}", path) + "`"


def _format_members(parameters: list[Json], location: str) -> str:
    """Return the parameters in one location as an object literal from HTTP names to JavaScript names."""
    members = [
        f"{json.dumps(parameter['name'])}: {_camel_case(parameter['name'])}"
        for parameter in parameters
        if parameter["in"] == location
    ]
    return f"{{ {', '.join(members)} }}" if members else "{}"


def _body_type(responses: Json) -> str:
    """Return the schema name of the JSON in a successful response."""
    schema = responses.get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return str(schema.get("$ref", "")).rpartition("/")[2] or "missing"


def _camel_case(name: str) -> str:
    """Return `If-None-Match` as `ifNoneMatch`."""
    first, *others = name.split("-")
    return first[:1].lower() + first[1:] + "".join(other.capitalize() for other in others)


def _single_line(text: str) -> str:
    """Return `text` on one line, without the characters that end a comment."""
    return " ".join(text.split()).replace("*/", "* /")
