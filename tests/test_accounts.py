"""GET …/accounts and GET /v1/health, as the app sees them."""

import hashlib
import json
import os
import runpy
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

import pytest
from itsdangerous import TimestampSigner

from seller_accounts import telemetry
from seller_accounts.aws import table
from seller_accounts.routes import accounts
from tests.conftest import API_KEY, App, Context, Imin, Output, event

REDIRECT = {"redirectUri": "brokerapp://linked?from=list"}


def test_list_without_redirect_uri_has_no_connect_urls(app: App) -> None:
    accounts = app.get().json["accounts"]
    assert [account["status"] for account in accounts] == ["not_connected", "not_connected", "connected"]
    assert not any("connect" in account for account in accounts)


def test_sample_response_is_reshaped_exactly(app: App) -> None:
    response = app.get(query={"redirectUri": "brokerapp://linked"})

    assert response.status == 200
    assert response.headers["content-type"] == "application/json"
    body = response.json
    assert {key: value for key, value in body.items() if key not in {"accounts", "link"}} == {
        "customerIdentifier": "rosie",
        "entitlementFilter": "b3BhcXVlIHRva2Vu",
        "warnings": [],
    }
    assert body["accounts"] == [
        {
            "status": "not_connected",
            "seller": {
                "id": "https://id.bookingsystem.example.com/organizers/1",
                "name": "Everyone Active",
                "url": "https://www.everyoneactive.com/",
                "logoUrl": "https://s3-eu-west-2.amazonaws.com/prod-everyoneactive-wp/wp-content/uploads/2017/10/26092236/Ea-Image2.jpg",
                "email": "customerservices@gll.org",
                "telephone": "01455 890508",
                "links": ["https://www.facebook.com/everyoneactive/", "https://twitter.com/everyoneactive"],
            },
            "emailMatches": True,
            "connect": {
                "suggested": "existing",
                "existingAccountUrl": "https://book.imin.co/auth/connect-account?jwt=register.opaque.token",
                "newAccountUrl": "https://book.imin.co/auth/connect-account?jwt=create.opaque.token",
            },
        },
        {
            "status": "not_connected",
            "seller": {
                "id": "https://id.bookingsystem.example.com/organizers/2",
                "name": "Acme Leisure Centre",
                "url": "https://acme.example.com/",
                "links": [],
            },
            "emailMatches": False,
            "connect": {
                "suggested": "new",
                "existingAccountUrl": "https://book.imin.co/auth/connect-account?jwt=register2.opaque.token",
                "newAccountUrl": "https://book.imin.co/auth/connect-account?jwt=create2.opaque.token",
            },
        },
        {
            "status": "connected",
            "seller": {
                "id": "https://id.bookingsystem.example.com/organizers/3",
                "name": "Better Leisure",
                "url": "https://better.example.com/",
                "email": "hello@better.example.com",
                "links": [],
            },
            "connectedAt": "2021-01-27T12:00:00Z",
            "hiddenEntitlements": True,
            "customer": {"email": "rosie@example.com", "updatedAt": "2021-01-27T12:00:00Z"},
            "accessPasses": [{"text": "0012345678905", "updatedAt": "2021-01-27T12:00:00Z"}],
            "entitlementErrors": [
                {
                    "type": "EntitlementConflict",
                    "name": "The entitlement cannot be applied due to other entitlements already associated with the Customer.",
                    "description": "This customer already has a paid monthly membership",
                }
            ],
            "evidenceRequests": [
                {
                    "entitlementId": "https://id.example.com/entitlements/1234",
                    "entitlementName": "MCRactive Adult Resident",
                    "entitlementTypeId": "https://gll.example.com/openactive/entitlement-list#5e78bcbe-36db-425a-9064-bf96d09cc351",
                    "entitlementScheme": "https://gll.example.com/openactive/entitlement-list",
                    "expiresAt": "2021-05-10T10:45:33Z",
                    "uploadUrl": "https://legend.example.com/upload-form/1234/magic-link/abc",
                    "uploadExpiresAt": "2021-07-10T10:45:33Z",
                    "status": "completed",
                }
            ],
        },
    ]


def test_imin_is_called_with_the_key_and_without_redirect_uri(app: App, imin: Imin) -> None:
    app.get()

    (call,) = imin.calls
    assert call.headers["X-Api-Key"] == API_KEY
    assert call.params == {}


class TestFilters:
    def test_seller_id_filters_accounts(self, app: App) -> None:
        body = app.get(query={"sellerId": "https://id.bookingsystem.example.com/organizers/2"}).json
        assert [account["seller"]["name"] for account in body["accounts"]] == ["Acme Leisure Centre"]

    @pytest.mark.parametrize(("status", "names"), [("connected", ["Better Leisure"]), ("unknown", [])])
    def test_status_filters_accounts(self, app: App, status: str, names: list[str]) -> None:
        body = app.get(query={"status": status}).json
        assert [account["seller"]["name"] for account in body["accounts"]] == names

    def test_seller_id_and_status_filter_together(self, app: App) -> None:
        query = {"status": "connected", "sellerId": "https://id.bookingsystem.example.com/organizers/2"}
        assert app.get(query=query).json["accounts"] == []

    def test_warning_keeps_its_index_in_a_filtered_list(self, app: App, imin: Imin, sample: dict[str, Any]) -> None:
        sample["imin:item"].insert(1, "rubbish")
        imin.respond_with(sample)

        body = app.get(query={"status": "connected"}).json

        assert [account["seller"]["name"] for account in body["accounts"]] == ["Better Leisure"]
        assert body["warnings"] == [
            {"index": 1, "code": "unreadable_account", "detail": "account: expected an object, got a string"},
        ]

    @pytest.mark.parametrize(
        "query",
        [
            {"status": "maybe"},
            {"status": ""},
            {"sellerId": ""},
            [("sellerId", "a"), ("sellerId", "a")],
            [("status", "connected"), ("status", "unknown")],
            [("redirectUri", "brokerapp://linked"), ("redirectUri", "brokerapp://linked")],
        ],
    )
    def test_invalid_or_repeated_parameter_is_400(self, app: App, imin: Imin, query: Any) -> None:
        response = app.get(query=query)
        assert (response.status, response.json["code"]) == (400, "invalid_request")
        assert imin.calls == []

    def test_unknown_parameter_is_ignored(self, app: App) -> None:
        assert app.get(query=[("page", "1"), ("page", "2")]).json == app.get().json


class TestCaching:
    def test_list_has_a_strong_etag_and_is_private(self, app: App) -> None:
        response = app.get()
        assert response.headers["cache-control"] == "private, max-age=0, stale-if-error=86400"
        assert response.headers["etag"].startswith('"')
        assert response.headers["vary"] == "Accept, Accept-Encoding"

    def test_matching_etag_is_304_without_a_body(self, app: App) -> None:
        etag = app.get().headers["etag"]

        response = app.get(if_none_match=f'"other", W/{etag}')

        assert (response.status, response.body) == (304, b"")
        assert response.headers["etag"] == etag
        assert response.headers["cache-control"] == "private, max-age=0, stale-if-error=86400"
        assert response.headers["vary"] == "Accept, Accept-Encoding"

    def test_changed_list_is_sent_again(self, app: App, imin: Imin, sample: dict[str, Any]) -> None:
        etag = app.get().headers["etag"]
        sample["imin:item"].pop()
        imin.respond_with(sample)

        response = app.get(if_none_match=etag)

        assert response.status == 200
        assert response.headers["etag"] != etag

    def test_each_encoding_and_media_type_has_its_own_etag(self, app: App) -> None:
        variants: list[dict[str, str]] = [
            {},
            {"accept_encoding": "gzip"},
            {"accept": "application/ld+json"},
            {"accept": "application/ld+json", "accept_encoding": "gzip"},
        ]
        etags = [app.get(**headers).headers["etag"] for headers in variants]
        assert len(set(etags)) == len(variants)
        assert [app.get(if_none_match=etag, **headers).status for etag, headers in zip(etags, variants, strict=True)] == [304] * 4


class TestCompression:
    def test_body_over_1_kib_is_gzipped_for_a_client_that_accepts_it(self, app: App) -> None:
        response = app.get(accept_encoding="br, gzip;q=0.8")
        assert response.headers["content-encoding"] == "gzip"
        assert response.json == app.get().json

    @pytest.mark.parametrize("accept_encoding", ["", "br", "gzip;q=0", "identity", "gzip;q=rubbish", "*;q=0"])
    def test_body_is_not_gzipped_for_any_other_client(self, app: App, accept_encoding: str) -> None:
        response = app.get(accept_encoding=accept_encoding)
        assert "content-encoding" not in response.headers
        assert response.json["customerIdentifier"] == "rosie"

    def test_small_body_is_not_gzipped(self, app: App, imin: Imin) -> None:
        imin.respond_with({"imin:item": []})
        assert "content-encoding" not in app.get(accept_encoding="gzip").headers

    def test_small_body_is_gzipped_for_a_client_that_accepts_nothing_else(self, app: App, imin: Imin) -> None:
        imin.respond_with({"imin:item": []})
        assert app.get(accept_encoding="gzip, identity;q=0").headers["content-encoding"] == "gzip"

    @pytest.mark.parametrize(
        ("accept_encoding", "is_gzipped"),
        [
            ("x-gzip", True),
            ("GZIP", True),
            ("gzip;q=0.001", True),
            ("*", True),
            ("br, *;q=0.5", True),
            ("gzip, identity", True),
            ("gzip;q=0, x-gzip", True),
            ("gzip;q=0, *", False),
            ("gzip;q=0.5, identity", False),
            ("gzip;q=0.5, identity;q=0.4", True),
            ("*;q=0.5, identity;q=0.6", False),
            ("identity;q=0, *", True),
            ("identity;q=0", False),
            ("gzip;q=inf", False),
            ("gzip;q=1_0", False),
            ("gzip;q=nan", False),
            ("gzip;q=2", False),
            ("gzip;q=-1", False),
            ("gzip;q=0.0001", False),
            ("gzip;q=1.000", True),
            ("gzip ; q=1", True),
        ],
    )
    def test_encoding_follows_the_weights(self, app: App, accept_encoding: str, is_gzipped: bool) -> None:
        response = app.get(accept_encoding=accept_encoding)
        assert (response.headers.get("content-encoding") == "gzip") is is_gzipped


class TestJsonLd:
    def test_json_ld_is_passed_through_unchanged(self, app: App, imin: Imin) -> None:
        body = b'\xef\xbb\xbf{ "imin:item" : [],\r\n "x": "\\u00e9\xc3\xa9" }\n'
        imin.respond_with(body)

        response = app.get(accept="application/ld+json")

        assert response.headers["content-type"] == "application/ld+json"
        assert response.body == body

    @pytest.mark.parametrize("query", [{"sellerId": "a"}, {"status": "connected"}])
    def test_json_ld_cannot_be_filtered(self, app: App, query: dict[str, str]) -> None:
        response = app.get(query=query, accept="application/ld+json")
        assert (response.status, response.json["code"]) == (400, "invalid_request")

    @pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"imin:item": null}'])
    def test_invalid_json_ld_is_502(self, app: App, imin: Imin, body: bytes) -> None:
        imin.respond_with(body)
        assert app.get(accept="application/ld+json").json["code"] == "upstream_invalid_response"

    @pytest.mark.parametrize(
        ("accept", "media_type"),
        [
            ("application/ld+json, application/json;q=0.9", "application/ld+json"),
            ("application/json, application/ld+json;q=0.9", "application/json"),
            ("application/json, application/ld+json", "application/json"),
            ("Application/LD+JSON", "application/ld+json"),
            ("application/ld+json;q=0", "application/json"),
            ("text/html", "application/json"),
            ("*/*", "application/json"),
            ("", "application/json"),
            (",;q=,", "application/json"),
            (";", "application/json"),
            ("application/ld+json;q=0.1, */*", "application/json"),
            ("application/ld+json;q=0.1, application/*;q=0.2", "application/json"),
            ("application/ld+json;q=0.5, */*;q=0.5", "application/ld+json"),
            ("application/ld+json, */*", "application/ld+json"),
            ("*/*, application/ld+json", "application/ld+json"),
            ("application/json;q=0.1, */*", "application/ld+json"),
            ("application/json;q=0, */*;q=0.1", "application/ld+json"),
            ("application/ld+json;q=0.5, */*;q=0.9, application/*;q=0.1", "application/ld+json"),
            ("application/json;q=0, application/ld+json;q=0", "application/json"),
            ("application/ld+json;q=inf, application/json;q=0.1", "application/json"),
            ("application/ld+json;q=1_0", "application/json"),
            ("application/ld+json;q=nan, */*;q=0.1", "application/json"),
            ('application/ld+json;profile="a,b;q=0";q=0.9, application/json;q=0.5', "application/ld+json"),
            ('application/ld+json;profile="a, application/json;q=1"', "application/ld+json"),
            (r'text/html;x="\", application/ld+json', "application/json"),
            ('"""",,"\\', "application/json"),
            ("application/ld+json ; Q=0.9 , application/json ; q=0.8", "application/ld+json"),
        ],
    )
    def test_accept_selects_json_ld_and_defaults_to_json(self, app: App, accept: str, media_type: str) -> None:
        response = app.get(accept=accept)
        assert (response.status, response.headers["content-type"]) == (200, media_type)


class TestBasePath:
    """Requests through a custom domain with a base path, which API Gateway reports only as the start of `rawPath`."""

    @pytest.fixture
    def mapped_payload(self) -> dict[str, Any]:
        """Build a list request with a redirect URI through such a domain."""
        payload = event("accounts-get")
        return payload | {"rawPath": f"/booking{payload['rawPath']}", "rawQueryString": urlencode(REDIRECT)}

    def test_link_without_public_base_url_is_a_deployment_error(
        self, app: App, imin: Imin, mapped_payload: dict[str, Any], output: Output
    ) -> None:
        assert app.send(mapped_payload).json["code"] == "internal_error"
        (line,) = output.lines()
        assert (line["level"], line["reason"], line["Faults"]) == ("ERROR", "public_base_url_missing", [1])
        assert imin.calls == []

    def test_list_without_a_link_works_without_public_base_url(self, app: App, mapped_payload: dict[str, Any]) -> None:
        assert app.send(mapped_payload | {"rawQueryString": ""}).status == 200

    def test_link_with_public_base_url_has_the_base_path(
        self, imin: Imin, mapped_payload: dict[str, Any], environment: dict[str, str]
    ) -> None:
        app = App(accounts.make_handler(environment | {"PUBLIC_BASE_URL": "https://api.example.com/booking"}))
        assert app.send(mapped_payload).status == 200
        assert "redirectUri=https%3A%2F%2Fapi.example.com%2Fbooking%2Fv1%2F" in imin.calls[0].url


class TestLinks:
    def test_imin_gets_a_callback_url_with_a_signed_state(self, app: App, imin: Imin) -> None:
        app.get(query=REDIRECT)

        redirect_uri = imin.calls[-1].params["redirectUri"]
        base, _, state = redirect_uri.rpartition("/")
        assert base == "https://abc123.execute-api.eu-west-2.amazonaws.com/v1/link-callbacks"
        signer = TimestampSigner("state-key-of-the-tests", salt="seller-accounts.link-state", digest_method=hashlib.sha256)
        assert signer.validate(state)
        assert not signer.validate(state[:-1])

    def test_callback_url_is_below_public_base_url(self, environment: dict[str, str], imin: Imin) -> None:
        app = App(accounts.make_handler(environment | {"PUBLIC_BASE_URL": "https://api.example.com/"}))
        app.get(query=REDIRECT)
        assert imin.calls[-1].params["redirectUri"].startswith("https://api.example.com/v1/link-callbacks/")

    def test_response_with_a_link_is_no_store(self, app: App) -> None:
        response = app.get(query=REDIRECT)
        assert set(response.json["link"]) == {"id", "expiresAt"}
        assert response.headers["cache-control"] == "no-store"
        assert "etag" not in response.headers

    def test_response_with_a_link_ignores_if_none_match(self, app: App) -> None:
        assert app.get(query=REDIRECT, if_none_match="*").status == 200

    def test_every_list_with_redirect_uri_has_its_own_link(self, app: App) -> None:
        assert app.get(query=REDIRECT).json["link"]["id"] != app.get(query=REDIRECT).json["link"]["id"]

    def test_list_with_redirect_uri_calls_imin_once(self, app: App, imin: Imin) -> None:
        app.get(query=REDIRECT)
        assert [sorted(call.params) for call in imin.calls] == [["redirectUri"]]

    def test_redirect_uri_stays_short_with_many_connected_sellers(self, app: App, imin: Imin) -> None:
        imin.respond_with({"imin:item": [{"seller": {"@id": str(n)}, "dateLinked": "2021-01-27T12:00:00Z"} for n in range(500)]})
        app.get(query=REDIRECT)
        assert len(imin.calls[-1].params["redirectUri"]) <= 600

    def test_table_client_is_made_only_for_the_first_link(
        self, imin: Imin, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clients_made: list[object] = []
        make_client = table.make_client

        def make_and_count() -> object:
            clients_made.append(1)
            return make_client()

        monkeypatch.setattr(table, "make_client", make_and_count)
        app = App(accounts.make_handler(environment))
        assert app.get().status == 200
        assert clients_made == []
        for _ in range(2):
            assert app.get(query=REDIRECT).status == 200
        assert clients_made == [1]

    @pytest.mark.parametrize(
        "redirect_uri",
        [
            "brokerapp://linked",
            "brokerapp://linked?a=b&c=d%20e",
            "https://app.example.com/linked?x=https://other.example.com/",
        ],
    )
    def test_allowed_redirect_uri_may_have_any_query(self, app: App, redirect_uri: str) -> None:
        assert app.get(query={"redirectUri": redirect_uri}).status == 200

    @pytest.mark.parametrize(
        "redirect_uri",
        [
            "https://evil.example.com/",
            "https://app.example.com/linked/",
            "https://app.example.com/linked#fragment",
            "https://app.example.com/linked?a=b#fragment",
            "https://app.example.com/linked/../evil",
            "https://app.example.com@evil.example.com/linked",
            "HTTPS://app.example.com/linked",
            "brokerapp://linked?a=b\r\nX: y",
            "brokerapp://linked?a=<script>",
            "brokerapp://linked?a=é",
            "brokerapp://linked?a=%zz",
            "brokerapp://linked?" + "a" * 2048,
            " brokerapp://linked",
            "brokerapp:linked",
        ],
    )
    def test_disallowed_redirect_uri_is_400(self, app: App, imin: Imin, redirect_uri: str) -> None:
        response = app.get(query={"redirectUri": redirect_uri})
        assert (response.status, response.json["code"]) == (400, "redirect_uri_not_allowed")
        assert imin.calls == []

    def test_empty_redirect_uri_is_400(self, app: App) -> None:
        response = app.get(query={"redirectUri": ""})
        assert (response.status, response.json["code"]) == (400, "invalid_request")


class TestUpstreamFailures:
    @pytest.mark.parametrize(
        ("status", "code", "expected_status"),
        [
            (401, "upstream_rejected_key", 502),
            (403, "upstream_rejected_key", 502),
            (404, "customer_not_found", 404),
            (429, "upstream_unavailable", 503),
            (500, "upstream_unavailable", 503),
            (501, "upstream_unavailable", 503),
            (503, "upstream_unavailable", 503),
            (204, "upstream_invalid_response", 502),
            (301, "upstream_invalid_response", 502),
            (400, "upstream_invalid_response", 502),
            (418, "upstream_invalid_response", 502),
        ],
    )
    def test_every_imin_status_has_its_problem(self, app: App, imin: Imin, status: int, code: str, expected_status: int) -> None:
        imin.respond_with(b"rosie@example.com failed", status, Location="https://evil.example.com/", Retry_After="0")

        response = app.get()

        assert (response.status, response.json["code"]) == (expected_status, code)
        assert b"rosie@example.com" not in response.body

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<html>",
            b"null",
            b"[]",
            b'"text"',
            b"{}",
            b'{"imin:item": null}',
            b'{"imin:item": "text"}',
            b'{"imin:item": 5}',
            b'{"imin:item": NaN}',
            b'{"imin:item": [',
            b"\xff\xfe",
            b"[" * 100_000,
            b'{"a":' * 100_000,
        ],
    )
    def test_response_without_a_collection_is_502(self, app: App, imin: Imin, body: bytes) -> None:
        imin.respond_with(body)
        response = app.get()
        assert (response.status, response.json["code"]) == (502, "upstream_invalid_response")

    def test_empty_list_is_200(self, app: App, imin: Imin) -> None:
        imin.respond_with({"imin:item": []})
        assert app.get().json == {"customerIdentifier": "rosie", "accounts": [], "warnings": []}

    def test_response_beyond_the_lambda_limit_is_502(self, app: App, imin: Imin, output: Output) -> None:
        imin.respond_with(b'{"imin:item": [' + b",".join([b"1"] * 100_000) + b"]}")
        response = app.get()
        assert (response.status, response.json["code"]) == (502, "upstream_invalid_response")
        assert '"UpstreamInvalidResponse":[1.0]' in output.text()

    def test_large_response_fits_into_lambda(self, app: App, imin: Imin, sample: dict[str, Any]) -> None:
        sample["imin:item"] = [{"seller": {"name": '"' * 400_000}}] * 4
        imin.respond_with(sample)

        response = app.handler(event("accounts-get"), app.context)

        assert response["statusCode"] == 200
        assert len(json.dumps(response)) < 6 * 1024 * 1024

    def test_retry_after_is_passed_through_in_seconds(self, app: App, imin: Imin) -> None:
        imin.respond_with({}, 429, Retry_After="120")
        response = app.get()
        assert response.headers["retry-after"] == "120"
        assert len(imin.calls) == 1

    def test_missing_secret_is_503(self, app: App, secrets_manager: Any, environment: dict[str, str]) -> None:
        secrets_manager.delete_secret(SecretId=environment["IMIN_API_KEY_SECRET"], ForceDeleteWithoutRecovery=True)
        response = app.get()
        assert (response.status, response.json["code"]) == (503, "secret_unavailable")
        assert response.headers["retry-after"] == "5"

    def test_rotated_key_works_immediately(self, app: App, imin: Imin, secrets_manager: Any, environment: dict[str, str]) -> None:
        app.get()
        secrets_manager.put_secret_value(SecretId=environment["IMIN_API_KEY_SECRET"], SecretString='{"apiKey": "rotated"}')
        imin.respond = lambda call: (200, {}, b'{"imin:item": []}') if call.headers["X-Api-Key"] == "rotated" else (401, {}, b"")

        response = app.get()

        assert response.status == 200
        assert [call.headers["X-Api-Key"] for call in imin.calls] == [API_KEY, API_KEY, "rotated"]

    def test_invocation_without_time_left_is_504(self, app: App, imin: Imin) -> None:
        app.context = Context(remaining_ms=400)
        response = app.get()
        assert (response.status, response.json["code"]) == (504, "upstream_timeout")
        assert imin.calls == []


class TestProblems:
    def test_problem_has_the_shape_of_rfc_9457(self, app: App) -> None:
        response = app.get("someone-else")

        assert response.headers["content-type"] == "application/problem+json"
        assert response.json == {
            "type": "urn:seller-accounts:problem:forbidden",
            "title": "The token does not grant access to this resource",
            "status": 403,
            "detail": "The token is another customer's.",
            "code": "forbidden",
            "requestId": "JKJaXmPLvHcESHA=",
            "retryable": False,
        }

    def test_unexpected_exception_is_500_without_details(self, app: App, monkeypatch: pytest.MonkeyPatch, output: Output) -> None:
        def fail(_body: bytes) -> None:
            raise RuntimeError("rosie@example.com")

        monkeypatch.setattr(accounts, "reshape", fail)

        response = app.get()

        assert (response.status, response.json["code"]) == (500, "internal_error")
        log = output.text()
        assert "rosie@example.com" not in response.body.decode() + log
        assert '"errors":["RuntimeError"]' in log

    def test_unknown_path_is_404_and_unknown_method_405(self, app: App) -> None:
        payload = event("accounts-get")
        payload["requestContext"]["routeKey"] = "GET /v1/nothing"
        assert app.send(payload).json["code"] == "not_found"

        payload["requestContext"]["routeKey"] = "PUT /v1/health"
        response = app.send(payload)
        assert (response.status, response.json["code"], response.headers["allow"]) == (405, "method_not_allowed", "GET")

    @pytest.mark.parametrize(
        "payload",
        [
            {},
            {"requestContext": None},
            {"Records": [{"eventSource": "aws:sqs"}]},
            {"requestContext": {"routeKey": "GET /v1/health"}},
            [],
        ],
    )
    def test_event_of_another_service_is_400(self, app: App, payload: Any) -> None:
        assert app.send(payload).json["code"] == "invalid_request"


class TestHealth:
    def test_health_needs_no_token_and_does_not_call_imin(self, app: App, imin: Imin) -> None:
        response = app.send(event("health-get"))
        assert (response.status, response.json) == (200, {"status": "ok"})
        assert response.headers["cache-control"] == "no-store"
        assert imin.calls == []


class TestTelemetry:
    def test_latency_statuses_and_unreadable_items_are_metrics(
        self, app: App, imin: Imin, sample: dict[str, Any], output: Output
    ) -> None:
        sample["imin:item"] += [{"seller": {}}, 5]
        imin.respond_with(sample)

        app.get()

        (line,) = output.lines()
        assert {name: line[name] for name in line if name.startswith(("Accounts", "Unreadable", "Key"))} == {
            "AccountsConnected": [1],
            "AccountsNotConnected": [2],
            "AccountsUnknown": [1],
            "KeyRefreshes": [1],
            "UnreadableItems": [1],
        }
        assert line["UpstreamLatency"][0] >= 0
        assert (line["message"], line["status"], line["customer_identifier"]) == ("request", 200, "rosie")
        assert (line["accounts"], line["warnings"], line["correlation_id"]) == (4, 1, "JKJaXmPLvHcESHA=")

    def test_metrics_are_written_at_every_log_level(self, app: App, output: Output) -> None:
        telemetry.logger.setLevel("ERROR")
        try:
            app.get()
        finally:
            telemetry.logger.setLevel("INFO")
        (line,) = output.lines()
        assert "message" not in line
        assert line["AccountsConnected"] == [1]
        assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "SellerAccounts"

    @pytest.mark.parametrize(
        ("status", "metric"),
        [(401, "UpstreamRejectedKey"), (500, "UpstreamUnavailable"), (302, "UpstreamInvalidResponse")],
    )
    def test_imin_failures_are_counted_by_type(self, app: App, imin: Imin, status: int, metric: str, output: Output) -> None:
        imin.respond_with({}, status)
        app.get()
        assert f'"{metric}":[1.0]' in output.text()

    def test_only_failures_of_this_service_count_as_faults(
        self, app: App, imin: Imin, secrets_manager: Any, environment: dict[str, str], output: Output
    ) -> None:
        imin.respond_with({}, 500)
        assert (app.get().status, app.get("someone-else").status) == (503, 403)
        assert "Faults" not in output.text()

        secrets_manager.delete_secret(SecretId=environment["IMIN_API_KEY_SECRET"], ForceDeleteWithoutRecovery=True)
        assert App(accounts.make_handler(environment)).get().json["code"] == "secret_unavailable"
        assert '"Faults":[1.0]' in output.text()

    def test_nothing_secret_or_personal_is_logged(self, app: App, imin: Imin, output: Output) -> None:
        app.get(query=REDIRECT, authorization="Bearer the-token")
        state = imin.calls[-1].params["redirectUri"].rpartition("/")[2]
        imin.respond_with({}, 500)
        app.get(query=REDIRECT)

        text = output.text()

        for secret in (
            API_KEY,
            "rosie@example.com",
            "0012345678905",
            "b3BhcXVlIHRva2Vu",
            "opaque.token",
            state,
            "the-token",
            "from=list",
        ):
            assert secret not in text


def test_entry_module_builds_its_handler_on_import(imin: Imin, environment: dict[str, str]) -> None:
    with patch.dict(os.environ, environment):
        handler = runpy.run_module("accounts")["handler"]

    assert App(handler).get().status == 200


def test_event_with_redirect_uri_gets_a_link(app: App) -> None:
    assert "link" in app.send(event("accounts-get-with-link")).json
