"""The local imin stub: its accounts call, its pages for customers, and its calls to the webhook."""

import contextlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
import requests
import responses
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from local.imin import make_imin
from local.imin_state import State

API_KEY = "imin-key-of-the-tests"
WEBHOOK_KEY = "webhook-key-of-the-tests"
WEBHOOK_URL = "http://broker.example.com/v1/webhooks/imin"
NOW = 1_767_268_800.5  # 2026-01-01T12:00:00Z
TTL_SECONDS = 900
REDIRECT_URI = "brokerapp://linked/state"
LOGIN = {"email": "rosie@example.com", "password": "rosie-password"}
CREATION = {"name": "Rosie", "email": "rosie@example.com", "password": "a new one"}


class Imin:
    """The local imin stub, used by the broker (`accounts`) and in browsers (`open_page`, `submit`). `now` is its clock."""

    def __init__(self, webhook_url: str | None = WEBHOOK_URL) -> None:
        self.now = NOW
        self.state = State()
        self.app = make_imin(API_KEY, self.state, clock=lambda: self.now, webhook_url=webhook_url, webhook_key=WEBHOOK_KEY)

    @property
    def client(self) -> FlaskClient:
        """A new browser."""
        return self.app.test_client()

    def accounts(self, customer: str = "rosie", redirect_uri: str | None = None) -> dict[str, Any]:
        """Return the customer's accounts by the sellers' names."""
        query = {"redirectUri": redirect_uri} if redirect_uri else {}
        path = f"/api/v2/customers/{customer}/accounts"
        response = self.client.get(path, query_string=query, headers={"X-Api-Key": API_KEY})
        return {account["seller"]["name"]: account for account in json.loads(response.data)["imin:item"]}

    def url(self, seller: str, action: str = "RegisterAction", customer: str = "rosie", redirect_uri: str = REDIRECT_URI) -> str:
        """Return a connect URL."""
        actions = self.accounts(customer, redirect_uri)[seller]["potentialAction"]
        (target,) = [offered["target"] for offered in actions if offered["@type"] == action]
        return str(target)

    def open_page(self, url: str) -> TestResponse:
        """Open a page."""
        return self.client.get(url)

    def submit(self, url: str, **fields: str) -> TestResponse:
        """Submit the form of a page."""
        return self.client.post(url, data=fields)


class Page(HTMLParser):
    """The fields of a page with their values, its labels, tags and alert."""

    def __init__(self, response: TestResponse) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.labels: set[str] = set()
        self.tags: list[str] = []
        self.alert = ""
        self._in_alert = False
        self.feed(response.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self._in_alert = attributes.get("role") == "alert"
        if tag == "input":
            self.fields[attributes["name"]] = attributes.get("value", "")
        if tag == "label":
            self.labels.add(attributes.get("for", ""))

    def handle_endtag(self, tag: str) -> None:
        self._in_alert = False

    def handle_data(self, data: str) -> None:
        self.alert += data if self._in_alert else ""


@pytest.fixture
def imin() -> Imin:
    """Start a local imin stub."""
    return Imin()


@pytest.fixture
def broker() -> Iterator[responses.RequestsMock]:
    """Mock the broker's webhook."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(WEBHOOK_URL, status=204)
        yield mock


class TestAccounts:
    @pytest.mark.parametrize("key", [None, "", "wrong", "schlüssel"])
    def test_wrong_key_is_401(self, imin: Imin, key: str | None) -> None:
        response = imin.client.get("/api/v2/customers/rosie/accounts", headers={"X-Api-Key": key} if key else {})
        assert (response.status_code, response.json and response.json["@type"]) == (401, "UnauthenticatedError")

    def test_unknown_customer_is_404(self, imin: Imin) -> None:
        response = imin.client.get("/api/v2/customers/nobody/accounts", headers={"X-Api-Key": API_KEY})
        assert (response.status_code, response.json and response.json["@type"]) == (404, "UnknownCustomerError")

    def test_accounts_include_all_three_cases(self, imin: Imin) -> None:
        accounts = imin.accounts()
        assert [account.get("imin:matchingEmailExists") for account in accounts.values()] == [True, False, None]
        assert accounts["Better Leisure"]["dateLinked"] == "2021-01-27T12:00:00Z"

    def test_connect_urls_need_a_redirect_uri(self, imin: Imin) -> None:
        assert not any("potentialAction" in account for account in imin.accounts().values())
        assert ["potentialAction" in account for account in imin.accounts(redirect_uri=REDIRECT_URI).values()] == [
            True,
            True,
            False,
        ]

    @pytest.mark.parametrize("customer", ["rosie", "member", "many"])
    def test_login_data_is_not_served(self, imin: Imin, customer: str) -> None:
        imin.submit(imin.url("Acme Leisure Centre", "CreateAction"), **CREATION)
        served = json.dumps(imin.accounts(customer, REDIRECT_URI))
        assert "password" not in served
        assert CREATION["password"] not in served
        assert '"login"' not in served


class TestForms:
    def test_connecting_asks_for_a_login(self, imin: Imin) -> None:
        response = imin.open_page(imin.url("Everyone Active"))

        assert response.status_code == 200
        assert "<h1>Log in to Everyone Active</h1>" in response.text
        page = Page(response)
        assert page.fields == {"email": "rosie@example.com", "password": ""}
        assert page.labels == set(page.fields)
        assert not page.alert

    def test_creating_an_account_asks_for_a_name(self, imin: Imin) -> None:
        response = imin.open_page(imin.url("Acme Leisure Centre", "CreateAction"))

        assert "<h1>Create an account with Acme Leisure Centre</h1>" in response.text
        page = Page(response)
        assert page.fields == {"name": "", "email": "rosie@example.com", "password": ""}
        assert page.labels == set(page.fields)

    @pytest.mark.parametrize("path", ["connect", "/", "/auth/connect-account"])
    def test_pages_are_no_store_and_have_no_scripts(self, imin: Imin, path: str) -> None:
        response = imin.open_page(imin.url("Everyone Active") if path == "connect" else path)

        assert response.content_type == "text/html; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        policy = response.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "form-action" not in policy, "it would block the customer's redirect too"
        assert "script" not in policy + response.text
        assert 'name="viewport"' in response.text
        assert Page(response).tags.count("h1") == 1

    def test_style_sheet_supports_light_and_dark(self, imin: Imin) -> None:
        with contextlib.closing(imin.open_page("/static/imin.css")) as response:
            assert "color-scheme: light dark" in response.text

    def test_shown_texts_are_escaped(self, imin: Imin) -> None:
        imin.state.sellers["everyone-active"]["name"] = "<b>&Co"
        evil = '"><script>alert(1)</script>'

        response = imin.submit(imin.url("<b>&Co", "CreateAction"), name=evil, email=evil, password=evil)

        assert "<b>" not in response.text
        assert "<script>" not in response.text
        assert Page(response).fields == {"name": evil, "email": evil, "password": ""}


class TestConnecting:
    def test_login_connects_the_account_and_redirects(self, imin: Imin) -> None:
        response = imin.submit(imin.url("Everyone Active"), **LOGIN)

        assert (response.status_code, response.headers["Location"]) == (303, REDIRECT_URI)
        assert response.headers["Referrer-Policy"] == "no-referrer"
        account = imin.accounts(redirect_uri=REDIRECT_URI)["Everyone Active"]
        assert account["dateLinked"] == "2026-01-01T12:00:00Z"
        assert account["customer"]["email"] == "rosie@example.com"
        assert account["accessPass"]["@type"] == "Barcode"
        assert account["accessPass"]["text"].isdecimal()
        assert account["accessPass"]["text"].startswith("00")
        assert "potentialAction" not in account
        assert "imin:matchingEmailExists" not in account

    def test_created_account_is_connected_with_the_given_email(self, imin: Imin) -> None:
        response = imin.submit(imin.url("Acme Leisure Centre", "CreateAction"), **{**CREATION, "email": " other@example.com "})

        assert (response.status_code, response.headers["Location"]) == (303, REDIRECT_URI)
        account = imin.accounts()["Acme Leisure Centre"]
        assert (account["dateLinked"], account["customer"]["email"]) == ("2026-01-01T12:00:00Z", "other@example.com")

    def test_email_comparison_ignores_case_and_spaces(self, imin: Imin) -> None:
        assert imin.submit(imin.url("Everyone Active"), **{**LOGIN, "email": " Rosie@Example.com"}).status_code == 303

    @pytest.mark.parametrize("seller", ["Everyone Active", "Acme Leisure Centre"])
    def test_cancelling_redirects_and_connects_nothing(self, imin: Imin, seller: str) -> None:
        before = imin.accounts()

        response = imin.submit(imin.url(seller, "CreateAction"), **CREATION, cancel="yes")

        assert (response.status_code, response.headers["Location"]) == (303, REDIRECT_URI)
        assert imin.accounts() == before

    def test_generated_seller_can_be_connected(self, imin: Imin) -> None:
        url = imin.url("Leisure Centre 3", customer="many")
        assert imin.submit(url, email="many@example.com", password="many-password").status_code == 303
        assert "dateLinked" in imin.accounts("many")["Leisure Centre 3"]


class TestInvalidInput:
    @pytest.mark.parametrize(
        ("seller", "fields"),
        [
            ("Everyone Active", {**LOGIN, "password": "wrong"}),
            ("Everyone Active", {**LOGIN, "email": "member@example.com"}),
            ("Everyone Active", {}),
            ("Acme Leisure Centre", LOGIN),
        ],
    )
    def test_wrong_login_shows_the_form_again(self, imin: Imin, seller: str, fields: dict[str, str]) -> None:
        response = imin.submit(imin.url(seller), **fields)

        assert response.status_code == 422
        page = Page(response)
        assert "is wrong" in page.alert
        assert page.fields == {"email": fields.get("email", ""), "password": ""}
        assert "dateLinked" not in imin.accounts()[seller]

    def test_wrong_password_does_not_use_up_the_connect_url(self, imin: Imin) -> None:
        url = imin.url("Everyone Active")
        imin.submit(url, **{**LOGIN, "password": "wrong"})
        assert imin.open_page(url).status_code == 200
        assert imin.submit(url, **LOGIN).status_code == 303

    def test_customer_with_an_account_cannot_create_another(self, imin: Imin) -> None:
        response = imin.submit(imin.url("Everyone Active", "CreateAction"), **CREATION)
        assert response.status_code == 422
        assert "have an account here already" in Page(response).alert

    @pytest.mark.parametrize("field", ["name", "email", "password"])
    def test_new_account_needs_every_field(self, imin: Imin, field: str) -> None:
        response = imin.submit(imin.url("Acme Leisure Centre", "CreateAction"), **{**CREATION, field: ""})
        assert response.status_code == 422
        assert "are required" in Page(response).alert
        assert "dateLinked" not in imin.accounts()["Acme Leisure Centre"]

    @pytest.mark.parametrize("action", ["RegisterAction", "CreateAction"])
    def test_connected_account_stays_unchanged(self, imin: Imin, action: str) -> None:
        first, second = imin.url("Everyone Active"), imin.url("Everyone Active", action)
        imin.submit(first, **LOGIN)
        before = imin.accounts()
        imin.now += 60

        response = imin.submit(second, **CREATION)

        assert response.status_code == 422
        assert "connected already" in Page(response).alert
        assert imin.accounts() == before
        assert imin.submit(second, cancel="yes").status_code == 303


class TestConnectUrls:
    @pytest.mark.parametrize("outcome", [{"cancel": "yes"}, LOGIN])
    def test_connect_url_is_valid_once(self, imin: Imin, outcome: dict[str, str]) -> None:
        url = imin.url("Everyone Active")
        assert imin.submit(url, **outcome).status_code == 303
        for response in (imin.open_page(url), imin.submit(url, **LOGIN), imin.submit(url, cancel="yes")):
            assert response.status_code == 410
            assert "used already" in response.text
            assert "go back to the app" in Page(response).alert

    def test_connect_url_expires(self, imin: Imin) -> None:
        url = imin.url("Everyone Active")
        imin.now += TTL_SECONDS - 1
        assert imin.open_page(url).status_code == 200
        imin.now += 1
        for response in (imin.open_page(url), imin.submit(url, **LOGIN)):
            assert response.status_code == 410
            assert "has expired" in response.text
        assert "dateLinked" not in imin.accounts()["Everyone Active"]

    def test_forged_or_damaged_connect_url_is_rejected(self, imin: Imin) -> None:
        valid = dict(parse_qsl(urlsplit(imin.url("Everyone Active")).query))["jwt"]
        claims = jwt.decode(valid, options={"verify_signature": False})
        forged = jwt.encode(claims, "another key, which is long enough for it", "HS256")
        unsigned = jwt.encode(claims, "", "none")
        of_another_stub = dict(parse_qsl(urlsplit(Imin().url("Everyone Active")).query))["jwt"]

        for invalid in (forged, unsigned, of_another_stub, valid[:-2], "", "ü", "a.b.c"):
            for call in (imin.client.get, imin.client.post):
                response = call("/auth/connect-account", query_string={"jwt": invalid})
                assert response.status_code == 400
                assert "go back to the app" in Page(response).alert

    def test_concurrently_used_connect_url_is_valid_once(self, imin: Imin) -> None:
        url = imin.url("Everyone Active")
        with ThreadPoolExecutor(8) as pool:
            statuses = sorted(pool.map(lambda _: imin.submit(url, **LOGIN).status_code, range(16)))
        assert statuses == [303] + 15 * [410]

    def test_connect_urls_are_not_printed(
        self, imin: Imin, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(0)
        url = imin.url("Everyone Active")
        imin.open_page(url)
        imin.submit(url, **LOGIN)
        imin.open_page(url)
        assert capsys.readouterr() == ("", "")
        assert "jwt" not in caplog.text


class TestReturnStyles:
    @pytest.mark.parametrize(
        ("style", "redirect_uri", "expected"),
        [
            ("plain", "brokerapp://linked", "brokerapp://linked"),
            ("plain", "https://app.example.com/a?b=c%20d", "https://app.example.com/a?b=c%20d"),
            ("status", "brokerapp://linked", "brokerapp://linked?status={}"),
            ("status", "https://app.example.com/a?b=c", "https://app.example.com/a?b=c&status={}"),
            ("status", "https://app.example.com/#there", "https://app.example.com/?status={}#there"),
            ("naive", "brokerapp://linked", "brokerapp://linked?status={}"),
            ("naive", "https://app.example.com/a?b=c", "https://app.example.com/a?b=c?status={}"),
        ],
    )
    @pytest.mark.parametrize(("fields", "outcome"), [(LOGIN, "success"), ({"cancel": "yes"}, "cancelled")])
    def test_return_style_appends_its_query(
        self, imin: Imin, style: str, redirect_uri: str, expected: str, fields: dict[str, str], outcome: str
    ) -> None:
        selection = imin.submit("/local/return-style", style=style)
        response = imin.submit(imin.url("Everyone Active", redirect_uri=redirect_uri), **fields)

        assert (selection.status_code, selection.headers["Location"]) == (303, "/")
        assert response.headers["Location"] == expected.format(outcome)

    @pytest.mark.parametrize(("fields", "is_connected"), [(LOGIN, True), ({"cancel": "yes"}, False)])
    def test_return_style_never_stays_on_a_page(self, imin: Imin, fields: dict[str, str], is_connected: bool) -> None:
        imin.submit("/local/return-style", style="never")
        response = imin.submit(imin.url("Everyone Active", redirect_uri=REDIRECT_URI), **fields)
        assert (response.status_code, "Location" in response.headers) == (200, False)
        assert ("dateLinked" in imin.accounts("rosie")["Everyone Active"]) is is_connected

    def test_unknown_return_style_is_rejected(self, imin: Imin) -> None:
        for fields in ({"style": "fancy"}, {}):
            assert imin.submit("/local/return-style", **fields).status_code == 400
        assert imin.state.return_style == "plain"


class TestHomePage:
    def test_home_lists_customers_and_their_accounts(self, imin: Imin) -> None:
        text = imin.open_page("/").text
        assert "connected since 2021-01-27T12:00:00Z" in text
        assert "log in with rosie@example.com and rosie-password" in text
        assert 'aria-label="Disconnect rosie from Better Leisure"' in text
        assert 'aria-label="Disconnect rosie from Everyone Active"' not in text

    def test_generated_sellers_are_only_counted(self, imin: Imin) -> None:
        text = imin.open_page("/").text
        assert "500 sellers, not listed" in text
        assert "Leisure Centre 1<" not in text

    @pytest.mark.parametrize(("fault", "status", "retry_after"), [("imin-down", 503, None), ("imin-busy", 429, "30")])
    def test_chosen_fault_makes_the_accounts_call_fail(self, imin: Imin, fault: str, status: int, retry_after: str | None) -> None:
        assert imin.submit("/local/fault", fault=fault).status_code == 303
        response = imin.client.get("/api/v2/customers/rosie/accounts", headers={"X-Api-Key": API_KEY})
        assert (response.status_code, response.headers.get("Retry-After")) == (status, retry_after)
        imin.submit("/local/fault", fault="nothing")
        assert imin.accounts()

    def test_old_urls_fault_makes_connect_urls_410(self, imin: Imin) -> None:
        url = imin.url("Everyone Active")
        imin.submit("/local/fault", fault="old-urls")
        assert imin.open_page(url).status_code == imin.submit(url, **LOGIN).status_code == 410
        imin.submit("/local/fault", fault="nothing")
        assert imin.open_page(url).status_code == 200

    def test_unknown_fault_is_rejected(self, imin: Imin) -> None:
        assert imin.submit("/local/fault", fault="everything").status_code == 400
        assert imin.state.fault == "nothing"

    def test_chosen_return_style_is_marked(self, imin: Imin) -> None:
        imin.submit("/local/return-style", style="naive")
        assert 'value="naive" checked' in imin.open_page("/").text


class TestDisconnecting:
    def test_disconnecting_leaves_an_unconnected_account(self, imin: Imin, broker: responses.RequestsMock) -> None:
        response = imin.submit("/local/disconnect", customer="member", seller="everyone-active")

        assert (response.status_code, response.headers["Location"]) == (303, "/")
        account = imin.accounts("member", REDIRECT_URI)["Everyone Active"]
        assert set(account) == {"@type", "seller", "potentialAction", "imin:matchingEmailExists"}
        assert account["imin:matchingEmailExists"] is True

    def test_disconnecting_calls_the_webhook_with_its_key(self, imin: Imin, broker: responses.RequestsMock) -> None:
        imin.submit("/local/disconnect", customer="rosie", seller="better")

        (call,) = broker.calls
        assert call.request.headers["X-Api-Key"] == WEBHOOK_KEY
        assert call.request.headers["Content-Type"] == "application/json"
        assert json.loads(call.request.body or "") == {
            "@context": ["https://openactive.io/", "https://schema.imin.co/"],
            "@type": "CustomerAccount",
            "@id": "http://localhost/api/v2/customers/rosie",
            "identifier": "rosie",
        }

    def test_connecting_does_not_call_the_webhook(self, imin: Imin, broker: responses.RequestsMock) -> None:
        imin.submit(imin.url("Everyone Active"), **LOGIN)
        assert len(broker.calls) == 0

    def test_disconnected_account_reconnects_with_its_password(self, imin: Imin, broker: responses.RequestsMock) -> None:
        imin.submit("/local/disconnect", customer="rosie", seller="better")
        assert imin.submit(imin.url("Better Leisure"), **LOGIN).status_code == 303

    def test_created_account_reconnects_with_its_email(self, imin: Imin, broker: responses.RequestsMock) -> None:
        created = {"email": "other@example.com", "password": "a new one"}
        imin.submit(imin.url("Acme Leisure Centre", "CreateAction"), name="Rosie", **created)

        imin.submit("/local/disconnect", customer="rosie", seller="acme")

        assert imin.accounts()["Acme Leisure Centre"]["imin:matchingEmailExists"] is False
        assert imin.submit(imin.url("Acme Leisure Centre"), **LOGIN).status_code == 422
        assert imin.submit(imin.url("Acme Leisure Centre"), **created).status_code == 303

    @pytest.mark.parametrize(
        ("customer", "seller"), [("rosie", "acme"), ("rosie", "everyone-active"), ("rosie", "x"), ("nobody", "acme"), ("", "")]
    )
    def test_unconnected_account_cannot_be_disconnected(
        self, imin: Imin, broker: responses.RequestsMock, customer: str, seller: str
    ) -> None:
        assert imin.submit("/local/disconnect", customer=customer, seller=seller).status_code == 404
        assert len(broker.calls) == 0

    @pytest.mark.parametrize(
        ("failure", "message"),
        [
            ({"status": 200}, "responded with 200"),
            ({"status": 307, "headers": {"Location": "http://elsewhere.example.com/"}}, "responded with 307"),
            ({"status": 503}, "responded with 503"),
            ({"body": requests.ConnectionError()}, "could not be reached"),
            ({"body": requests.ReadTimeout()}, "did not respond"),
        ],
    )
    def test_failing_webhook_is_shown_and_the_account_stays_disconnected(
        self, imin: Imin, broker: responses.RequestsMock, failure: dict[str, Any], message: str
    ) -> None:
        broker.replace(responses.POST, WEBHOOK_URL, **failure)

        response = imin.submit("/local/disconnect", customer="rosie", seller="better")

        assert response.status_code == 502
        assert message in Page(response).alert
        assert "dateLinked" not in imin.accounts()["Better Leisure"]

    def test_disconnecting_works_without_a_webhook(self, broker: responses.RequestsMock) -> None:
        imin = Imin(webhook_url=None)
        assert imin.submit("/local/disconnect", customer="rosie", seller="better").status_code == 303
        assert len(broker.calls) == 0
