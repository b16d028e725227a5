"""The API's client for browsers: an ES module, made from `openapi.json` when the local stack starts; the demo app needs no build.

A function for each operation that an app may call, which is one that takes its bearer token. How a call is made, and what comes of
it, is written by hand in `static/app/http.js`; an app that ships has a typed client in its own language.
"""

import json
import re
from typing import Any

Json = dict[str, Any]

HEAD = """\
// The operations of the API that an app may call, made from openapi.json by the local stack when it starts.
// Each takes `api` ({ baseUrl, token }) and parameters, and gives what `send` gives.
import { send } from "./http.js"
"""


def make_browser_client(document: Json) -> str:
    """Return the module's text. Raises `KeyError` if `document` isn't written like this project's."""
    functions = [
        _function(document, method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if {"bearerAuth": []} in operation["security"]
    ]
    return "\n".join([HEAD, *functions])


def _function(document: Json, method: str, path: str, operation: Json) -> str:
    parameters = [document["components"]["parameters"][each["$ref"].rpartition("/")[2]] for each in operation["parameters"]]
    names = ", ".join(_camel(each["name"]) for each in parameters)
    query, headers = _members(parameters, "query"), _members(parameters, "header")
    lines = [
        "/**",
        f" * {_comment(operation['summary'])}.",
        " * @param {{ baseUrl: string, token: string }} api",
        *(_documented(each) for each in parameters),
        f" * @returns {{ReturnType<typeof send>}} whose `body` is {_body(operation['responses'])}",
        " */",
        f"export const {operation['operationId']} = (api, {{ {names} }}) =>",
        f"  send(api, {json.dumps(method.upper())}, {_path(path)}, {query}, {headers})",
        "",
    ]
    return "\n".join(lines)


def _documented(parameter: Json) -> str:
    kind = "number" if parameter["schema"]["type"] == "integer" else "string"
    name = f"parameters.{_camel(parameter['name'])}"
    return f" * @param {{{kind}}} {name if parameter.get('required') else f'[{name}]'} {_comment(parameter['description'])}"


def _path(path: str) -> str:
    """`/a/{b}` as a template literal that encodes its parameters."""
    return "`" + re.sub(r"\{(\w+)\}", lambda found: f"${{encodeURIComponent({_camel(found[1])})}}", path) + "`"


def _members(parameters: list[Json], place: str) -> str:
    """Return the parameters of one place, as an object keyed by their HTTP names."""
    found = [f"{json.dumps(each['name'])}: {_camel(each['name'])}" for each in parameters if each["in"] == place]
    return f"{{ {', '.join(found)} }}" if found else "{}"


def _body(responses: Json) -> str:
    """Return the schema name of a successful JSON response."""
    schema = responses.get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return str(schema.get("$ref", "")).rpartition("/")[2] or "missing"


def _camel(name: str) -> str:
    """`If-None-Match` as `ifNoneMatch`."""
    first, *others = name.split("-")
    return first[:1].lower() + first[1:] + "".join(other.capitalize() for other in others)


def _comment(text: str) -> str:
    """Words on one line, of which none ends the comment that they are in."""
    return " ".join(text.split()).replace("*/", "* /")
