"""The demo app on a phone-sized screen: the customer's tasks when all calls succeed."""

import json
import re
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.browser import needs_browser
from tests.demo.app import Demo, connected_account_json, disconnect, scan_barcodes

pytestmark = [pytest.mark.external, needs_browser]
EVERYONE_ACTIVE = "https://id.bookingsystem.example.com/organizers/1"


def account_with_evidence_json(request: dict[str, str]) -> str:
    """Build a response body with one connected account that has an evidence request."""
    response = json.loads(connected_account_json())
    response["accounts"][0]["evidenceRequests"] = [request]
    return json.dumps(response)


def connect(app: Demo) -> None:
    """Connect Everyone Active on imin's page."""
    app.choose("Everyone Active")
    app.page.get_by_role("button", name="Connect your account").click()
    app.page.get_by_label("Password").fill("rosie-password")
    app.page.get_by_role("button", name="Log in").click()


class TestSellers:
    def test_connected_sellers_are_listed_first(self, app: Demo) -> None:
        app.open_list("rosie")
        assert app.seller_names() == ["Better Leisure", "Everyone Active", "Acme Leisure Centre"]
        expect(app.find_text("Account found")).to_have_count(1)
        expect(app.find_text("No account yet")).to_have_count(1)

    def test_logo_is_shown_or_initials_without_one(self, app: Demo) -> None:
        app.open_list("rosie")
        loaded = "image => image.decode().then(() => image.naturalWidth)"
        assert app.page.get_by_role("link", name="Everyone Active").locator("img").evaluate(loaded) > 0
        expect(app.page.get_by_role("link", name="Better Leisure").locator(".logo")).to_have_text("BL")

    def test_broken_logo_leaves_the_initials(self, app: Demo) -> None:
        app.may_fail = True
        app.respond_with(200, connected_account_json(logoUrl=f"{app.stack.imin_url}/static/logos/none.svg"), "application/json")
        app.open_list("rosie")
        expect(app.page.locator("#main .row .logo")).to_have_text("G")
        expect(app.page.locator("#main .row .logo img")).to_have_count(0)

    def test_search_finds_one_of_500_sellers(self, app: Demo) -> None:
        app.open_list("many")
        expect(app.page.locator("#main li")).to_have_count(500)
        app.page.get_by_label("Find a seller").fill("centre 123")
        expect(app.find_text("1 of 500 sellers")).to_be_visible()
        app.refresh()
        expect(app.find_text("Up to date: nothing new")).to_be_visible()
        expect(app.page.locator("#main li:visible")).to_have_count(1)
        app.choose("Leisure Centre 123")

    def test_search_survives_back_and_ends_with_the_session(self, app: Demo) -> None:
        app.open_list("many")
        app.page.get_by_label("Find a seller").fill("123")
        app.choose("Leisure Centre 123")
        app.page.go_back()
        expect(app.find_text("1 of 500 sellers")).to_be_visible()
        expect(app.page.get_by_label("Find a seller")).to_have_value("123")
        app.page.get_by_role("link", name="You", exact=True).click()
        app.page.get_by_role("button", name="Sign out").click()
        app.page.locator("[data-customer=many]").click()
        expect(app.page.get_by_label("Find a seller")).to_have_value("")

    @pytest.mark.parametrize(
        ("search", "expected"),
        [
            ("łodz cafe", ["Café Łódź"]),
            ("PISCINE l'ile", ["Piscine de l'Île"]),
            ("strasse", ["Bad Straße"]),
            ("  ", None),
            ("النخيل padel", ["Padel النَّخيل"]),
        ],
    )
    def test_search_takes_words_in_any_order_without_accents(self, app: Demo, search: str, expected: list[str] | None) -> None:
        names = ["Café Łódź", "Piscine de l'Île", "Bad Straße", "Padel النَّخيل", *(f"Gym {number}" for number in range(8))]
        accounts = [{"status": "unknown", "seller": {"id": name, "name": name, "links": []}} for name in names]
        app.respond_with(200, json.dumps({"customerIdentifier": "rosie", "accounts": accounts, "warnings": []}), "application/json")
        app.open_list("rosie")
        app.page.get_by_label("Find a seller").fill(search)
        expect(app.page.locator("#main .row:visible .name")).to_have_text(expected or names)

    def test_search_without_a_result_says_what_to_do(self, app: Demo) -> None:
        app.open_list("many")
        app.page.get_by_label("Find a seller").fill("nothing like it")
        expect(app.find_text("No seller has a name like that")).to_be_visible()
        app.page.get_by_role("button", name="Show all sellers").click()
        expect(app.page.locator("#main li:visible")).to_have_count(500)
        expect(app.page.get_by_label("Find a seller")).to_be_focused()

    def test_names_run_in_their_own_direction(self, app: Demo) -> None:
        app.open_list("noor")
        assert app.seller_names() == ["نادي الواحة الرياضي", "בריכת הגליל", "Padel النخيل (London)"]
        directions = "names => names.map(name => getComputedStyle(name).direction)"
        assert app.page.locator("#main .name").evaluate_all(directions) == ["rtl", "rtl", "ltr"]
        app.choose("نادي الواحة الرياضي")
        conflict = app.find_text("لديك بالفعل اشتراك شهري مدفوع (Gold) حتى 31/12/2026.")
        assert conflict.evaluate("element => getComputedStyle(element).direction") == "rtl"

    def test_unknown_status_is_shown_as_unknown(self, app: Demo) -> None:
        app.respond_with(200, connected_account_json().replace('"connected"', '"suspended"'), "application/json")
        app.open_list("rosie")
        app.choose("Gym")
        expect(app.find_text("is unknown at present")).to_be_visible()

    def test_empty_list_shows_a_message(self, app: Demo) -> None:
        app.respond_with(200, '{"customerIdentifier": "rosie", "accounts": [], "warnings": []}', "application/json")
        app.open_list("rosie")
        expect(app.find_text("There are no sellers yet")).to_be_visible()

    def test_seller_texts_are_escaped_and_links_lead_only_to_the_web(self, app: Demo) -> None:
        name = "<img src=x onerror=alert(1)>"
        evil = {"name": name, "url": "javascript:alert(1)", "logoUrl": "data:image/svg+xml,<svg/>"}
        app.respond_with(200, connected_account_json(**evil), "application/json")
        app.open_list("rosie")
        app.choose(name)
        expect(app.find_text("javascript:alert(1)")).to_be_visible()
        expect(app.page.locator("main img, a[href^='javascript']")).to_have_count(0)

    def test_website_without_a_scheme_is_not_linked(self, app: Demo) -> None:
        app.respond_with(200, connected_account_json(url="www.gym.example.com"), "application/json")
        app.open_list("rosie")
        app.choose("Gym")
        expect(app.find_text("www.gym.example.com")).to_be_visible()
        expect(app.page.get_by_role("link", name="gym")).to_have_count(0)


class TestAttention:
    def test_conflicts_are_explained_and_evidence_can_be_uploaded(self, app: Demo) -> None:
        app.open_list("member")
        app.choose("Better Leisure")
        expect(app.find_text("The letter was older than three months")).to_be_visible()
        expect(app.find_text("What you sent was not accepted")).to_be_visible()
        upload = app.page.get_by_role("link", name="Upload evidence")
        expect(upload).to_have_attribute("href", "https://evidence.example.com/upload-form/4")

    def test_completed_evidence_asks_for_nothing(self, app: Demo) -> None:
        evidence = {"status": "completed", "entitlementName": "Adult Resident", "expiresAt": "2999-01-01T00:00:00Z"}
        app.respond_with(200, account_with_evidence_json(evidence), "application/json")
        app.open_list("rosie")
        app.choose("Gym")
        expect(app.find_text("There is nothing for you to do")).to_be_visible()
        expect(app.find_text("The entitlement holds until")).to_be_visible()

    @pytest.mark.parametrize("status", ["potential", "completed", "failed"])
    def test_entitlement_that_ended_is_shown_as_ended(self, app: Demo, status: str) -> None:
        upload = {"uploadUrl": "https://evidence.example.com/", "uploadExpiresAt": "2999-01-01T00:00:00Z"}
        ended = {"status": status, "entitlementName": "Adult Resident", "expiresAt": "2026-01-01T00:00:00Z", **upload}
        app.respond_with(200, account_with_evidence_json(ended), "application/json")
        app.open_list("rosie")
        expect(app.find_text("Evidence needed")).to_have_count(0)
        app.choose("Gym")
        expect(app.page.locator(".tag")).to_have_text("Ended")
        expect(app.find_text("The entitlement ended on 1 January 2026")).to_be_visible()
        expect(app.page.get_by_role("link", name="Upload evidence")).to_have_count(0)


class TestConnecting:
    @pytest.fixture
    def app(self, app: Demo) -> Iterator[Demo]:
        """Open Rosie's list; disconnect new accounts afterwards."""
        app.open_list("rosie")
        yield app
        for seller in ("everyone-active", "acme"):
            disconnect(app.stack, "rosie", seller)
        headers = {"Authorization": f"Bearer {app.stack.token('rosie')}"}
        app.stack.send("DELETE", "/v1/customers/me/records", headers=headers)

    @pytest.mark.parametrize(
        ("seller", "first", "second"),
        [
            ("Everyone Active", "Connect your account", "Create an account"),
            ("Acme Leisure Centre", "Create an account", "Connect your account"),
        ],
    )
    def test_suggested_connect_url_comes_first(self, app: Demo, seller: str, first: str, second: str) -> None:
        app.choose(seller)
        expect(app.page.locator(".connect button")).to_have_text([first, second])

    def test_url_is_requested_at_the_tap_and_kept_nowhere(self, app: Demo) -> None:
        requested_urls: list[str] = []
        app.page.on("request", lambda request: requested_urls.append(request.url))
        app.choose("Everyone Active")
        expect(app.page.get_by_role("button", name="Connect your account")).to_be_enabled()
        assert [url for url in requested_urls if "/v1/" in url] == []

        app.page.get_by_role("button", name="Connect your account").click()
        expect(app.heading("Log in to Everyone Active")).to_be_visible()
        (call,) = [url for url in requested_urls if "/v1/" in url]
        assert "redirectUri=http%3A%2F%2F127.0.0.1" in call
        assert "sellerId=" in call

        app.page.go_back()
        stored_data = app.stored_data()
        assert "jwt=" not in stored_data
        assert re.search(r'demo.pending.*"id[^a-z]+[0-9a-f-]{36}', stored_data)

    def test_already_connected_seller_is_shown_as_connected(self, app: Demo) -> None:
        app.choose("Everyone Active")
        account = json.loads(
            connected_account_json({"text": "12"}, id="https://id.bookingsystem.example.com/organizers/1", name="Everyone Active")
        )
        app.respond_with(200, json.dumps({**account, "link": {"id": "x", "expiresAt": "2030-01-01T00:00:00Z"}}), "application/json")
        app.page.get_by_role("button", name="Connect your account").click()
        expect(app.heading("Access pass")).to_be_visible()

    @pytest.mark.parametrize(
        ("connect", "message", "buttons"),
        [
            ({"newAccountUrl": "https://imin.example.com/"}, "Use the other one", ["Create an account"]),
            ({"existingAccountUrl": "javascript:alert(1)"}, "can't be connected at present", []),
            (None, "can't be connected at present", []),
        ],
    )
    def test_missing_connect_url_shows_a_message(
        self, app: Demo, connect: dict[str, str] | None, message: str, buttons: list[str]
    ) -> None:
        app.choose("Everyone Active")
        seller = {"id": EVERYONE_ACTIVE, "name": "Everyone Active", "links": []}
        account = {"status": "not_connected", "seller": seller, "emailMatches": True, **({"connect": connect} if connect else {})}
        link = {"id": "x", "expiresAt": "2030-01-01T00:00:00Z"}
        app.respond_with(200, json.dumps({"accounts": [account], "link": link, "warnings": []}), "application/json")
        app.page.get_by_role("button", name="Connect your account").click()
        expect(app.find_text(message)).to_be_visible()
        expect(app.page.locator(".connect button")).to_have_text(buttons)

    def test_connected_account_is_announced(self, app: Demo, browser: Browser) -> None:
        connect(app)

        expect(app.find_text("Connected: Everyone Active")).to_be_visible()
        expect(app.announcement()).to_have_text("Connected: Everyone Active")
        assert app.page.url == f"{app.stack.url}/"
        expect(app.page.locator("#main .name")).to_have_text(["Everyone Active", "Better Leisure", "Acme Leisure Centre"])
        expect(app.find_text("Up to date at")).to_be_visible()
        app.page.get_by_role("link", name="Show your pass").click()
        expect(app.heading("Everyone Active")).to_be_focused()
        (barcode,) = scan_barcodes(browser, app.page.locator(".pass"))
        assert barcode[1] == app.page.locator("figcaption").inner_text()

    @pytest.mark.parametrize("cancels", [False, True])
    def test_link_is_settled_when_the_app_opens_without_a_return(self, app: Demo, cancels: bool) -> None:
        return_style_url = f"{app.stack.imin_url}/local/return-style"
        requests.post(return_style_url, data={"style": "never"}, timeout=15)
        try:
            if cancels:
                app.choose("Acme Leisure Centre")
                app.page.get_by_role("button", name="Create an account").click()
                app.page.get_by_role("button", name="Cancel").click()
            else:
                connect(app)
            expect(app.heading("The browser does not return")).to_be_visible()
        finally:
            requests.post(return_style_url, data={"style": "plain"}, timeout=15)
        assert "jwt=" not in app.stored_data()

        app.open()
        expect(app.page.locator("main").get_by_text("Up to date")).to_be_visible()
        if cancels:
            expect(app.page.locator(".banner")).to_have_count(0)
        else:
            expect(app.find_text("Connected: Everyone Active")).to_be_visible()

    def test_cancelled_connection_is_announced(self, app: Demo) -> None:
        app.choose("Acme Leisure Centre")
        app.page.get_by_role("button", name="Create an account").click()
        app.page.get_by_role("button", name="Cancel").click()
        expect(app.find_text("Nothing was connected")).to_be_visible()
        assert app.page.url == f"{app.stack.url}/"

    def test_unsettled_link_is_read_again(self, app: Demo) -> None:
        statuses = iter(["received", "confirmed"])
        sellers = [{"id": "1", "name": "Gym", "connectedAt": "2026-01-02T12:00:00Z"}]
        app.page.route("**/links/x", lambda route: route.fulfill(json={"id": "x", "status": next(statuses), "sellers": sellers}))
        app.page.goto(f"{app.stack.url}/?linkId=x&status=not_confirmed")
        expect(app.find_text("We are checking what was connected")).to_be_visible()
        expect(app.find_text("Connected: Gym")).to_be_visible()
        expect(app.page.get_by_role("link", name="Show your")).to_have_count(0)  # the seller isn't in the list
        app.page.get_by_role("button", name="Dismiss").click()
        expect(app.page.locator(".banner")).to_have_count(0)
        expect(app.heading("Your accounts")).to_be_focused()

    def test_dismissed_check_stays_dismissed(self, app: Demo) -> None:
        app.page.clock.install()
        app.page.route("**/links/x", lambda route: route.fulfill(json={"id": "x", "status": "received", "sellers": []}))
        app.page.goto(f"{app.stack.url}/?linkId=x")
        app.page.get_by_role("button", name="Dismiss").click()
        with app.page.expect_response("**/links/x"):
            app.page.clock.run_for(1_500)
        app.page.clock.run_for(20_000)
        expect(app.page.locator(".banner")).to_have_count(0)

    def test_forged_return_url_is_not_trusted(self, app: Demo) -> None:
        app.may_fail = True
        app.page.goto(f"{app.stack.url}/?linkId=0198c700-0000-7000-8000-000000000000&status=confirmed")
        expect(app.find_text("This link has expired")).to_be_visible()
        assert app.page.url == f"{app.stack.url}/"

    def test_back_button_allows_another_tap(self, app: Demo) -> None:
        app.choose("Everyone Active")
        urls = []
        for _ in range(2):
            app.page.get_by_role("button", name="Connect your account").click()
            expect(app.heading("Log in to Everyone Active")).to_be_visible()
            urls.append(app.page.url)
            app.page.go_back()
        assert urls[0] != urls[1]

    def test_links_and_notices_are_listed_and_erased(self, app: Demo) -> None:
        connect(app)
        expect(app.find_text("Connected: Everyone Active")).to_be_visible()
        disconnect(app.stack, "rosie", "everyone-active")
        app.page.get_by_role("link", name="You", exact=True).click()
        expect(app.find_text("Something changed at a seller")).to_be_visible()
        expect(app.find_text("Connected: Everyone Active")).to_be_visible()

        app.page.get_by_role("button", name="Erase my records").click()
        app.page.get_by_role("button", name="Keep them").click()
        expect(app.find_text("Something changed at a seller")).to_be_visible()
        app.page.get_by_role("button", name="Erase my records").click()
        app.page.get_by_role("button", name="Erase", exact=True).click()
        expect(app.find_text("When something changes at a seller, it is listed here.")).to_be_visible()
        expect(app.heading("You")).to_be_focused()


def test_records_are_loaded_page_by_page(app: Demo) -> None:
    notice = {"id": "x", "receivedAt": "2026-01-02T12:00:00Z"}
    pages = {"first": {"notices": [notice, notice], "nextCursor": "second"}, "second": {"notices": [notice]}}
    app.page.route(
        "**/notices*", lambda route: route.fulfill(json=pages["second" if "cursor=second" in route.request.url else "first"])
    )
    app.open_list("rosie")
    app.page.get_by_role("link", name="You", exact=True).click()
    expect(app.find_text("Something changed at a seller")).to_have_count(2)
    app.page.get_by_role("button", name="Show more").click()
    expect(app.find_text("Something changed at a seller")).to_have_count(3)
    expect(app.page.get_by_role("button", name="Show more")).to_have_count(0)
