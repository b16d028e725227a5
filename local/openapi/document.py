"""The whole of `openapi.json`, put together. Routes, methods and path parameters are the template's.

Where it is served is not known here: the local stack puts its own address first.
"""

import json
import re
import tomllib

from local.openapi.examples import make_examples
from local.openapi.responses import make_responses
from local.openapi.schemas import IDENTIFIER, UUID, make_schemas
from local.openapi.service import ROOT, Answer
from local.openapi.words import Json, compare, read_words
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
"""Schemas of parameters that the code knows of."""
HEADERS: Json = {"AccountsCacheControl": {"type": "string", "enum": [CACHE_PRIVATE, CACHE_NO_STORE]}}


def make_document(template: Template) -> Json:
    """Build the document for the routes of `template`. Raises `WordsError` for a route without words, or words without a route."""
    words = read_words()
    routes = {f"{route.method} {route.path}": route for function in template.functions() for route in function.routes}
    compare("operations", routes, words["operations"])
    examples = make_examples()
    paths: Json = {}
    for key, operation in words["operations"].items():
        route = routes[key]
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, operation, words, examples)
    return {
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


def render(document: Json) -> str:
    """Return the text of the file."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def _operation(route: Route, about: Json, words: Json, examples: dict[str, Answer]) -> Json:
    in_path = {name for name in about["parameters"] if words["parameters"][name]["in"] == "path"}
    compare(f"{route.method} {route.path}", re.findall(r"{(\w+)}", route.path), in_path)
    scheme = "bearerAuth" if route.authorized else about.get("security")
    body = about.get("requestBody")
    return {
        "operationId": about["operationId"],
        "tags": [about["tag"]],
        "summary": about["summary"],
        "description": about["description"].strip(),
        "security": [{scheme: []}] if scheme else [],
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in about["parameters"]],
        **({"requestBody": _request_body(body)} if body else {}),
        "responses": make_responses(route, about, words, examples),
    }


def _request_body(about: Json) -> Json:
    examples = {name: {"$ref": f"#/components/examples/{name}"} for name in about["examples"]}
    content = {"schema": {"$ref": f"#/components/schemas/{about['schema']}"}, "examples": examples}
    return {"description": about["description"], "required": True, "content": {"application/json": content}}


def _parameters(words: Json) -> Json:
    return {name: {"name": name, "schema": PARAMETERS.get(name), **about} for name, about in words["parameters"].items()}


def _headers(words: Json, examples: dict[str, Answer]) -> Json:
    """Headers, each with what an example has in it."""
    made: Json = {}
    for name, about in words["headers"].items():
        schema = about.get("schema") or HEADERS[name]
        seen = [answer.headers[about["name"]] for answer in examples.values() if about["name"] in answer.headers]
        example = about.get("example") or schema.get("const") or seen[0]
        made[name] = {key: value for key, value in about.items() if key not in {"name", "example", "schema"}}
        made[name] |= {"schema": schema, "example": int(example) if schema["type"] == "integer" else example}
    return made


def _examples(words: Json, examples: dict[str, Answer]) -> Json:
    """Bodies, each with a title; what is there for its headers alone has none."""
    made: Json = {}
    for name, answer in examples.items():
        code = name.rpartition(".")[2]
        summary = PROBLEM_TYPES[code].title if code in PROBLEM_TYPES else words["examples"].get(name)
        if summary and answer.content:
            made[name] = {"summary": summary, "value": answer.content}
    notice = json.loads(json.loads((ROOT / "events/webhook-post.json").read_text())["body"])
    made["receiveIminNotice.request"] = {"summary": words["examples"]["receiveIminNotice.request"], "value": notice}
    for status, about in words["gateway"].items():
        made[f"gateway.{status}"] = {"summary": "API Gateway's own", "value": {"message": about["message"]}}
    compare("examples", [name for name in made if name in words["examples"]], words["examples"])
    return made
