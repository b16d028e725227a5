"""The demo app in case of failures: offline, with outdated accounts, after errors of every kind, and with an expired token."""

import json

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import needs_browser
from tests.demo.app import ACCOUNTS, Demo

pytestmark = [pytest.mark.external, needs_browser]


@pytest.fixture
def app(app: Demo) -> Demo:
    """Open the app on a phone and ignore console errors about failed requests."""
    app.may_fail = True
    return app


def problem(code: str, *, retryable: bool) -> str:
    """Build a problem response's body."""
    return json.dumps({"code": code, "detail": "for developers", "retryable": retryable, "requestId": "ref-1"})


def drag_finger(page: Page, *heights: int) -> None:
    """Touch the screen, move the finger to the given heights and lift it."""
    session = page.context.new_cdp_session(page)
    for height, kind in zip(heights, ["touchStart", *["touchMove"] * (len(heights) - 1)], strict=True):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": 195, "y": height}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


class TestFreshness:
    def test_unchanged_list_is_a_304(self, app: Demo) -> None:
        app.open_list("rosie")
        with app.page.expect_response(ACCOUNTS) as received:
            app.refresh()
        assert received.value.status == 304
        expect(app.find_text("Up to date: nothing new")).to_be_visible()
        expect(app.announcement()).to_contain_text("nothing new")
        expect(app.page.get_by_role("button", name="Refresh")).to_be_focused()

    def test_pulling_the_page_down_refreshes(self, app: Demo) -> None:
        app.open_list("rosie")
        drag_finger(app.page, 200, 260)
        expect(app.find_text("Up to date at")).to_be_visible()
        drag_finger(app.page, 200, 260, 320, 380)
        expect(app.find_text("Up to date: nothing new")).to_be_visible()

    def test_offline_list_is_shown_with_its_time(self, app: Demo) -> None:
        app.open_list("rosie")
        app.page.context.set_offline(True)
        app.refresh()
        expect(app.find_text("You are offline. This is from")).to_be_visible()
        app.choose("Better Leisure")
        expect(app.page.get_by_role("img", name="EAN-13 barcode 0012345678905")).to_be_visible()

        app.page.context.set_offline(False)  # the browser fires an event, and the app refreshes its list
        app.page.go_back()
        expect(app.find_text("Up to date: nothing new")).to_be_visible()

    @pytest.mark.parametrize(("hours", "is_shown"), [(23, True), (25, False)])
    def test_failing_api_shows_the_copy_for_a_day(self, app: Demo, hours: int, is_shown: bool) -> None:
        app.page.clock.install()
        app.open_list("rosie")
        app.page.clock.fast_forward(hours * 3600 * 1000)
        app.respond_with(502, problem("upstream_invalid_response", retryable=True))
        app.refresh()
        expect(app.find_text("The booking platform's reply can't be read")).to_be_visible()
        assert len(app.seller_names()) == (3 if is_shown else 0)
        expect(app.page.get_by_role("button", name="Try again")).to_be_enabled()

    def test_rejected_request_hides_the_copy(self, app: Demo) -> None:
        app.open_list("rosie")
        app.respond_with(403, problem("forbidden", retryable=False))
        app.refresh()
        expect(app.find_text("These accounts are not yours")).to_be_visible()
        assert app.seller_names() == []

    def test_signing_out_erases_the_copy(self, app: Demo) -> None:
        app.open_list("rosie")
        assert "0012345678905" in app.stored_data()
        app.page.get_by_role("link", name="You", exact=True).click()
        app.page.get_by_role("button", name="Sign out").click()
        expect(app.heading("Who are you?")).to_be_focused()
        assert app.stored_data() == "[{},{}]"

    def test_response_after_signing_out_is_not_stored(self, app: Demo) -> None:
        waiting: list[Route] = []
        app.page.route(ACCOUNTS, lambda route: waiting.append(route))
        with app.page.expect_request(ACCOUNTS):
            app.sign_in("rosie")
        app.page.get_by_role("link", name="You", exact=True).click()
        app.page.get_by_role("button", name="Sign out").click()
        with app.page.expect_response(ACCOUNTS) as received:
            waiting[0].continue_()
        received.value.finished()
        expect(app.heading("Who are you?")).to_be_visible()
        assert app.stored_data() == "[{},{}]"


class TestErrors:
    @pytest.mark.parametrize(
        ("customer", "message"),
        [
            ("slow", "The booking platform takes too long"),
            ("broken", "The booking platform's reply can't be read"),
            ("busy", "The booking platform is busy"),
        ],
    )
    def test_every_error_says_what_to_do(self, app: Demo, customer: str, message: str) -> None:
        app.sign_in(customer)
        expect(app.heading(message)).to_be_visible()
        expect(app.announcement()).to_contain_text(message)
        expect(app.page.get_by_role("button", name="Try again")).to_be_visible()
        expect(app.find_text("Reference:")).to_be_visible()

    def test_retry_waits_for_retry_after(self, app: Demo) -> None:
        app.page.clock.install()
        app.sign_in("busy")
        button = app.page.get_by_role("button", name="Try again")
        expect(button).to_have_text("Try again in 30 s")
        expect(button).to_be_disabled()
        app.page.clock.run_for(12_000)
        expect(button).to_have_text("Try again in 18 s")
        app.page.clock.run_for(18_000)
        expect(button).to_be_enabled()
        app.respond_with(200, '{"customerIdentifier": "busy", "accounts": [], "warnings": []}', "application/json")
        button.click()
        expect(app.find_text("There are no sellers yet")).to_be_visible()

    @pytest.mark.parametrize(
        ("status", "body", "content_type", "heading", "can_retry"),
        [
            (502, problem("upstream_rejected_key", retryable=False), "application/problem+json", "does not let us in", False),
            (404, problem("customer_not_found", retryable=False), "application/problem+json", "does not know you", False),
            (503, problem("a_future_code", retryable=True), "application/problem+json", "on our side", True),
            (409, problem("a_future_code", retryable=False), "application/problem+json", "That did not work", False),
            (429, '{"message": "Too Many Requests"}', "application/json", "too many requests", True),
            (500, '{"message": "Internal Server Error"}', "application/json", "on our side", True),
            (200, "<html>Log in to this network</html>", "text/html", "can't be reached", True),
        ],
    )
    def test_error_shows_its_reason(
        self, app: Demo, status: int, body: str, content_type: str, heading: str, can_retry: bool
    ) -> None:
        app.respond_with(status, body, content_type)
        app.sign_in("rosie")
        expect(app.page.get_by_role("heading", name=heading)).to_be_visible()
        expect(app.page.get_by_role("button", name="Try again")).to_have_count(1 if can_retry else 0)

    def test_expired_token_is_replaced_once(self, app: Demo) -> None:
        tokens: list[str] = []

        def reject_first_token(route: Route) -> None:
            tokens.append(route.request.headers["authorization"])
            if len(tokens) == 1:
                route.fulfill(status=401, json={"message": "Unauthorized"})
            else:
                route.continue_()

        app.page.route(ACCOUNTS, reject_first_token)
        app.open_list("rosie")
        assert len(tokens) == 2

        app.page.unroute_all()
        app.respond_with(401, '{"message": "Unauthorized"}', "application/json")
        app.refresh()
        expect(app.find_text("Your session has ended")).to_be_visible()
        app.page.get_by_role("button", name="Sign in again").click()
        expect(app.heading("Who are you?")).to_be_focused()
        assert app.stored_data() == "[{},{}]"

    @pytest.mark.parametrize(("status", "code"), [(404, "customer_not_found"), (403, "forbidden")])
    def test_wrong_customer_can_sign_in_again(self, app: Demo, status: int, code: str) -> None:
        app.respond_with(status, problem(code, retryable=False))
        app.sign_in("rosie")
        app.page.get_by_role("button", name="Sign in again").click()
        expect(app.heading("Who are you?")).to_be_focused()

    def test_connect_url_that_is_unavailable_can_be_requested_again(self, app: Demo) -> None:
        app.open_list("rosie")
        app.choose("Everyone Active")
        app.respond_with(503, problem("upstream_unavailable", retryable=True))
        app.page.get_by_role("button", name="Connect your account").click()
        expect(app.heading("The booking platform is busy")).to_be_visible()
        app.page.unroute_all()
        app.page.get_by_role("button", name="Try again").click()
        expect(app.heading("Log in to Everyone Active")).to_be_visible()

    def test_failed_records_can_be_requested_again(self, app: Demo) -> None:
        app.page.route("**/notices*", lambda route: route.fulfill(status=503, json={"message": "Service Unavailable"}))
        app.open_list("rosie")
        app.page.get_by_role("link", name="You", exact=True).click()
        button = app.page.get_by_role("button", name="Try again")
        expect(button).to_be_visible()
        app.page.unroute_all()
        button.click()
        expect(app.find_text("When something changes at a seller")).to_be_visible()

    def test_failed_sign_in_shows_the_error(self, app: Demo) -> None:
        app.page.route("**/local/token", lambda route: route.abort())
        app.sign_in("rosie")
        expect(app.heading("We can't be reached")).to_be_visible()
        app.page.unroute_all()
        app.page.get_by_role("button", name="Try again").click()
        expect(app.heading("Your accounts")).to_be_visible()
