"""`openapi.json`: up to date with the code, valid and complete. `test_conformance.py` checks responses against it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from local.openapi import document as openapi
from local.openapi.examples import make_examples
from local.openapi.words import WordsError, compare, read_words
from local.template import Template
from seller_accounts.http.http_api import Request
from seller_accounts.http.problems import PROBLEM_TYPES
from tests.conftest import ROUTES, Imin, event
from tests.linking import Customer

DOCUMENT = json.loads(openapi.PATH.read_text())
OPERATIONS = {
    f"{method.upper()} {path}": operation for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
}
UNREACHABLE = {"not_found", "method_not_allowed"}  # returned only if a function's routes differ from API Gateway's


class TestDocument:
    def test_document_is_up_to_date(self) -> None:
        rendered = openapi.render(openapi.make_document(Template()))
        assert rendered == openapi.PATH.read_text(), "openapi.json is stale: run `make openapi`"

    def test_document_is_valid(self) -> None:
        validate(DOCUMENT)

    def test_document_has_the_routes_of_the_template(self) -> None:
        assert set(OPERATIONS) == set(ROUTES)

    def test_every_reachable_problem_is_on_a_route_with_its_status(self) -> None:
        described: dict[str, set[str]] = {}
        for operation in OPERATIONS.values():
            for status, response in operation["responses"].items():
                for code in response.get("content", {}).get("application/problem+json", {}).get("examples", {}):
                    described.setdefault(code, set()).add(status)
        assert described == {
            code: {str(problem_type.status)} for code, problem_type in PROBLEM_TYPES.items() if code not in UNREACHABLE
        }

    def test_document_contains_no_null(self) -> None:
        assert "null" not in {*_iterate_scalars(DOCUMENT["components"]["schemas"])}
        assert None not in {*_iterate_scalars(DOCUMENT)}


def _iterate_scalars(value: Any) -> Iterator[Any]:
    """Yield all scalars in `value`, at any depth."""
    if isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _iterate_scalars(member)
    else:
        yield value


class TestTolerance:
    """Future values that clients generated from the document must accept."""

    def test_account_with_a_new_status_is_valid(self) -> None:
        account = {"status": "suspended", "seller": {"links": []}, "suspendedAt": "2030-01-01T00:00:00Z"}
        OAS31Validator({"$ref": "#/components/schemas/Account", "components": DOCUMENT["components"]}).validate(account)

    def test_no_field_has_a_closed_list_of_values(self) -> None:
        schemas = DOCUMENT["components"]["schemas"].values()
        fields = [field for schema in schemas for field in schema.get("properties", {}).values()]
        assert fields
        assert not [field for field in fields if "enum" in field]


class TestWords:
    def test_route_without_words_fails(self) -> None:
        template = Template()
        events = template.document["Resources"]["AccountsFunction"]["Properties"]["Events"]
        events["New"] = {"Type": "HttpApi", "Properties": {"Method": "GET", "Path": "/v1/new"}}
        with pytest.raises(WordsError, match="GET /v1/new"):
            openapi.make_document(template)

    @pytest.mark.parametrize("name", ["listLinks", "forbidden"])
    def test_missing_example_of_a_response_or_a_problem_fails(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        examples = {key: example for key, example in make_examples().items() if key != name}
        monkeypatch.setattr(openapi, "make_examples", lambda: examples)
        with pytest.raises(WordsError, match=f"no example {name}"):
            openapi.make_document(Template())

    def test_body_of_an_unlisted_type_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        words = read_words()
        operation = words["operations"]["GET /v1/customers/{customerIdentifier}/links"]
        operation["responses"]["200"]["content"]["application/json"]["schema"] = "NoSuchType"
        monkeypatch.setattr(openapi, "read_words", lambda: words)
        with pytest.raises(WordsError, match="NoSuchType is not in BODIES"):
            openapi.make_document(Template())

    def test_words_without_a_route_or_field_fail(self) -> None:
        with pytest.raises(WordsError, match="unknown names: gone"):
            compare("fields", ["here"], ["here", "gone"])


class TestParameters:
    def test_every_query_parameter_is_described(
        self, environment: dict[str, str], imin: Imin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rosie = Customer(environment, imin)
        queried: set[tuple[str, str]] = set()
        query_value = Request.query_value

        def record_parameter(request: Request, name: str) -> str | None:
            queried.add((request.route_key, name))
            return query_value(request, name)

        monkeypatch.setattr(Request, "query_value", record_parameter)
        rosie.accounts.send(event("accounts-get"))
        rosie.read("links-get")
        rosie.read("link-get")
        rosie.read("notices-get")
        rosie.read("records-delete")

        parameters = DOCUMENT["components"]["parameters"]
        assert queried == {
            (key, parameter["name"])
            for key, operation in OPERATIONS.items()
            for reference in operation["parameters"]
            if (parameter := parameters[reference["$ref"].rpartition("/")[2]])["in"] == "query"
        }
