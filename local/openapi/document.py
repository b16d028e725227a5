"""Assemble `openapi.json`. Routes, methods and path parameters come from the template.

The local stack puts its own address first when it serves the document.
"""

import json
import re
import tomllib

from local.openapi.examples import make_examples
from local.openapi.responses import make_responses
from local.openapi.schemas import IDENTIFIER, UUID, make_schemas
from local.openapi.service import ROOT, ExampleResponse
from local.openapi.words import Json, WordsError, compare, read_words
from local.template import Route, Template
from seller_accounts.http.problems import PROBLEM_TYPES
from seller_accounts.routes.accounts import CACHE_NO_STORE, CACHE_PRIVATE, STATUSES
from seller_accounts.routes.links import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE

PATH = ROOT / "openapi.json"
PARAMETERS: Json = {
    "customerIdentifier": IDENTIFIER,
    "linkId": UUID,
    "status": {"type": "string", "enum": list(STATUSES)},
    "limit": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": DEFAULT_PAGE_SIZE},
}
"""Schemas of the parameters that are defined in code."""
REFERENCE = re.compile(r'"\$ref": "#/components/(\w+)/([^"]+)"')
HEADERS: Json = {"AccountsCacheControl": {"type": "string", "enum": [CACHE_PRIVATE, CACHE_NO_STORE]}}


def make_document(template: Template) -> Json:
    """Return the document for the routes of `template`. Raises `WordsError` unless exactly these routes are described."""
    words = read_words()
    routes = {f"{route.method} {route.path}": route for function in template.functions() for route in function.routes}
    compare("operations", routes, words["operations"])
    examples = make_examples()
    paths: Json = {}
    for key, operation in words["operations"].items():
        route = routes[key]
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, operation, words, examples)
    document = {
        "openapi": "3.1.1",
        "info": {**words["info"], "version": _version()},
        "servers": words["servers"],
        "tags": words["tags"],
        "paths": paths,
        "components": {
            "schemas": make_schemas(words),
            "parameters": _parameters(words),
            "headers": _headers(words, examples),
            "examples": _examples(words, examples),
            "securitySchemes": words["securitySchemes"],
        },
    }
    _check_references(document)
    return document


def render(document: Json) -> str:
    """Return the text of the file."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _check_references(document: Json) -> None:
    """Raise `WordsError` if a referenced component is missing."""
    for kind, name in REFERENCE.findall(json.dumps(document)):
        if name not in document["components"][kind]:
            hints = {"schemas": "is not in BODIES of schemas.py", "examples": "has no title under examples in words.yaml"}
            raise WordsError(f"{name} {hints.get(kind, f'is not among the {kind} in words.yaml')}")


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def _operation(route: Route, description: Json, words: Json, examples: dict[str, ExampleResponse]) -> Json:
    path_parameters = {name for name in description["parameters"] if words["parameters"][name]["in"] == "path"}
    compare(f"{route.method} {route.path}", re.findall(r"{(\w+)}", route.path), path_parameters)
    scheme = "bearerAuth" if route.authorized else description.get("security")
    body = description.get("requestBody")
    return {
        "operationId": description["operationId"],
        "tags": [description["tag"]],
        "summary": description["summary"],
        "description": description["description"].strip(),
        "security": [{scheme: []}] if scheme else [],
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in description["parameters"]],
        **({"requestBody": _request_body(body)} if body else {}),
        "responses": make_responses(route, description, words, examples),
    }


def _request_body(body: Json) -> Json:
    examples = {name: {"$ref": f"#/components/examples/{name}"} for name in body["examples"]}
    content = {"schema": {"$ref": f"#/components/schemas/{body['schema']}"}, "examples": examples}
    return {"description": body["description"], "required": True, "content": {"application/json": content}}


def _parameters(words: Json) -> Json:
    return {name: {"name": name, "schema": PARAMETERS.get(name), **parameter} for name, parameter in words["parameters"].items()}


def _headers(words: Json, examples: dict[str, ExampleResponse]) -> Json:
    """Return all headers, each with a value from an example response."""
    headers: Json = {}
    for name, header in words["headers"].items():
        schema = header.get("schema") or HEADERS[name]
        values = [response.headers[header["name"]] for response in examples.values() if header["name"] in response.headers]
        example = header.get("example") or schema.get("const") or values[0]
        headers[name] = {key: value for key, value in header.items() if key not in {"name", "example", "schema"}}
        headers[name] |= {"schema": schema, "example": int(example) if schema["type"] == "integer" else example}
    return headers


def _examples(words: Json, examples: dict[str, ExampleResponse]) -> Json:
    """Return all bodies with their titles. Responses without a title are examples only of their headers."""
    bodies: Json = {}
    for name, response in examples.items():
        code = name.rpartition(".")[2]
        summary = PROBLEM_TYPES[code].title if code in PROBLEM_TYPES else words["examples"].get(name)
        if summary and response.content:
            bodies[name] = {"summary": summary, "value": response.content}
    notice = json.loads(json.loads((ROOT / "events/webhook-post.json").read_text())["body"])
    bodies["receiveIminNotice.request"] = {"summary": words["examples"]["receiveIminNotice.request"], "value": notice}
    for status, error in words["gateway"].items():
        bodies[f"gateway.{status}"] = {"summary": "From API Gateway", "value": {"message": error["message"]}}
    compare("examples", [name for name in bodies if name in words["examples"]], words["examples"])
    return bodies
