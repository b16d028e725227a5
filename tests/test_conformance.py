"""The check of every response against `openapi.json`: it fails for deviations, and passes examples and any imin data."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conformance import DOCUMENT, check_response, find_route_key
from tests.conftest import App, Imin, event

ACCOUNTS = "GET /v1/customers/{customerIdentifier}/accounts"
HEALTH = "GET /v1/health"
OPERATIONS = {
    f"{method.upper()} {path}": operation for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
}


class TestExamples:
    @pytest.mark.parametrize("key", OPERATIONS)
    def test_examples_conform_to_their_routes(self, key: str) -> None:
        for status, response in OPERATIONS[key]["responses"].items():
            for media_type, description in response.get("content", {}).items():
                for reference in description["examples"].values():
                    value = DOCUMENT["components"]["examples"][reference["$ref"].rpartition("/")[2]]["value"]
                    content = value if isinstance(value, str) else json.dumps(value)
                    headers = {"Content-Type": media_type} | _example_required_headers(response)
                    check_response(key, int(status), headers, content.encode())


def _example_required_headers(response: Any) -> dict[str, str]:
    components = DOCUMENT["components"]["headers"]
    headers = {name: components[reference["$ref"].rpartition("/")[2]] for name, reference in response["headers"].items()}
    return {name: header["example"] for name, header in headers.items() if header.get("required")}


def _check_health(status: int = 200, body: Any = None, **headers: str) -> None:
    """Check a valid response of the health route with the given changes."""
    merged = {"Content-Type": "application/json", "Cache-Control": "no-store"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    content = {"status": "ok"} if body is None else body
    check_response(HEALTH, status, {name: value for name, value in merged.items() if value}, json.dumps(content).encode())


class TestConformance:
    """The check through which `App.send` and `Stack.send` pass every response."""

    def test_valid_response_passes(self) -> None:
        _check_health()
        _check_health(Date="Thu, 01 Jan 2026 12:00:00 GMT", apigw_requestid="JKJaXmPLvHcESHA=")

    def test_undescribed_status_fails(self) -> None:
        with pytest.raises(AssertionError, match="does not describe 202"):
            _check_health(202)

    @pytest.mark.parametrize("body", [{}, {"status": "ill"}, {"status": "ok", "more": 1}, {"status": None}, [], "ok"])
    def test_undescribed_body_fails(self, body: Any) -> None:
        with pytest.raises(AssertionError, match="GET /v1/health 200"):
            _check_health(body=body)

    @pytest.mark.parametrize("headers", [{"Cache_Control": ""}, {"Cache_Control": "public"}, {"X_More": "1"}, {"ETag": '"1"'}])
    def test_missing_wrong_or_undescribed_header_fails(self, headers: dict[str, str]) -> None:
        with pytest.raises(AssertionError, match="GET /v1/health 200"):
            _check_health(200, None, **headers)

    def test_undescribed_media_type_fails(self) -> None:
        with pytest.raises(AssertionError, match="does not describe text/html"):
            _check_health(Content_Type="text/html")

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (["accounts", 0, "status"], "maybe"),
            (["accounts", 0, "connect", "suggested"], "neither"),
            (["accounts", 0, "seller", "name"], ""),
            (["accounts", 0, "seller", "name"], None),
            (["accounts", 0, "seller", "nickname"], "Acme"),
            (["accounts", 2, "connectedAt"], "2021-01-27T12:00:00.5Z"),
            (["accounts", 2, "connectedAt"], "2021-02-30T12:00:00Z"),
            (["accounts", 2, "customer"], {}),
            (["link", "id"], "1"),
            (["warnings"], None),
        ],
    )
    def test_undescribed_part_of_an_account_fails(self, path: list[Any], value: Any) -> None:
        body = copy.deepcopy(DOCUMENT["components"]["examples"]["getAccounts.link"]["value"])
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store", "Vary": "Accept"}
        check_response(ACCOUNTS, 200, headers, json.dumps(body).encode())
        part = body
        for step in path[:-1]:
            part = part[step]
        part[path[-1]] = value
        with pytest.raises(AssertionError):
            check_response(ACCOUNTS, 200, headers, json.dumps(body).encode())

    def test_problem_of_another_route_fails(self) -> None:
        problem = DOCUMENT["components"]["examples"]["redirect_uri_not_allowed"]["value"]
        headers = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
        check_response(ACCOUNTS, 400, headers, json.dumps(problem).encode())
        with pytest.raises(AssertionError, match="does not describe redirect_uri_not_allowed"):
            check_response("GET /v1/customers/{customerIdentifier}/links", 400, headers, json.dumps(problem).encode())

    def test_unexpected_body_fails(self) -> None:
        key = "DELETE /v1/customers/{customerIdentifier}/records"
        check_response(key, 204, {"Cache-Control": "no-store"}, b"")
        with pytest.raises(AssertionError, match="has a body"):
            check_response(key, 204, {"Cache-Control": "no-store"}, b"{}")

    def test_response_of_an_unrouted_request_is_404(self) -> None:
        assert find_route_key("GET", "/v1/customers/me/links?limit=1") == "GET /v1/customers/{customerIdentifier}/links"
        assert find_route_key("GET", "/v1/nothing") == "GET /v1/nothing"
        check_response("GET /v1/nothing", 404, {"Content-Type": "application/json"}, b'{"message": "Not Found"}')
        with pytest.raises(AssertionError, match="the status is 200"):
            check_response("GET /v1/nothing", 200, {"Content-Type": "application/json"}, b'{"message": "Hello"}')

    def test_every_response_in_the_tests_is_checked(self, app: App, imin: Imin, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(DOCUMENT["paths"]["/v1/health"]["get"]["responses"], "200")
        with pytest.raises(AssertionError, match="does not describe 200"):
            app.send(event("health-get"))


NONSENSE: list[Any] = [
    None,
    "",
    [],
    {},
    " ",
    0,
    1.5,
    True,
    "x",
    ["x"],
    [None],
    {"@id": ""},
    [[]],
    [{}],
    "2021-13-01",
    "2021-01-27T12:00:00.5+01:00",
]


class TestArbitraryIminResponses:
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(rng=st.randoms(use_true_random=False), changes=st.integers(1, 4))
    def test_any_imin_response_leads_to_a_described_response(
        self, app: App, imin: Imin, sample: dict[str, Any], rng: random.Random, changes: int
    ) -> None:
        page = copy.deepcopy(sample)
        for _ in range(changes):
            container, key = rng.choice(list(_find_locations(page)))
            container[key] = copy.deepcopy(rng.choice(NONSENSE))
        imin.respond_with(page)
        assert app.get(query=rng.choice([None, {"redirectUri": "brokerapp://linked"}])).status in {200, 502}


def _find_locations(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the container and the key of everything nested in `value`."""
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from _find_locations(value[key])
