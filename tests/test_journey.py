"""The whole journey in a browser: list accounts, connect at imin, return through the callback to the app, and list again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from seller_accounts.links.link_state import LinkStates
from seller_accounts.settings import StateSettings
from tests.aws import make_client
from tests.browser import check_page, needs_browser, phone
from tests.loopback import Server, respond, serve
from tests.stack import Stack, start_stack

pytestmark = [pytest.mark.external, needs_browser]
APP_PAGE = b'<!doctype html><html lang="en"><title>App</title><h1>The app</h1></html>'


@pytest.fixture(scope="module")
def app_server() -> Iterator[Server]:
    """Serve the app's redirect URI as a page that a browser can show."""
    with serve(respond(APP_PAGE, Content_Type="text/html")) as server:
        yield server


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, app_server: Server) -> Iterator[Stack]:
    """Start a stack whose customers return to the app's page."""
    settings = {"ALLOWED_REDIRECT_URIS": f"{app_server.url}/linked,brokerapp://linked", "CONCURRENCY": "1"}
    with start_stack(tmp_path_factory.mktemp("journey"), **settings) as started:  # type: ignore[arg-type]
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Open a phone."""
    with phone(browser) as opened:
        yield opened


class Customer:
    """A customer with the app on a phone; `link_id` is the link of the last list."""

    def __init__(self, stack: Stack, app_server: Server, name: str) -> None:
        self.stack = stack
        self.name = name
        self._redirect_uri = f"{app_server.url}/linked?screen=sellers"

    def list_accounts(self) -> dict[str, Any]:
        """Get the accounts by seller, with connect URLs."""
        response = self.stack.get("/v1/customers/me/accounts", self.name, params={"redirectUri": self._redirect_uri})
        self.link_id = response.json()["link"]["id"]
        return {account["seller"]["name"]: account for account in response.json()["accounts"]}

    def read_link(self) -> Any:
        """Return the stored record of the link."""
        return self.stack.get(f"/v1/customers/me/links/{self.link_id}", self.name).json()

    def wait_for_return(self, page: Page) -> dict[str, str]:
        """Wait for the app's page, and return the query of the redirect to it."""
        expect(page.get_by_role("heading", name="The app")).to_be_visible()
        return dict(parse_qsl(urlsplit(page.url).query))


@pytest.fixture
def rosie(stack: Stack, app_server: Server) -> Iterator[Customer]:
    """Make the customer rosie of `customers.yaml`, and undo all changes after the test."""
    yield Customer(stack, app_server, "rosie")
    _disconnect(stack, "rosie", "everyone-active")
    _disconnect(stack, "rosie", "acme")
    stack.send("DELETE", "/v1/customers/me/records", headers={"Authorization": f"Bearer {stack.token('rosie')}"})
    _choose_return_style(stack, "plain")


def _disconnect(stack: Stack, customer: str, seller: str) -> None:
    requests.post(f"{stack.imin_url}/local/disconnect", data={"customer": customer, "seller": seller}, timeout=15)


def _choose_return_style(stack: Stack, style: str) -> None:
    requests.post(f"{stack.imin_url}/local/return-style", data={"style": style}, timeout=15)


def log_in(page: Page, password: str = "rosie-password") -> None:
    """Log in on imin's page."""
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


class TestJourney:
    @pytest.mark.parametrize("scripts", [True, False])
    def test_customer_connects_an_existing_account(self, rosie: Customer, browser: Browser, scripts: bool) -> None:
        with phone(browser, scripts=scripts) as page:
            page.goto(rosie.list_accounts()["Everyone Active"]["connect"]["existingAccountUrl"])
            log_in(page, "wrong")
            expect(page.get_by_role("alert")).to_contain_text("wrong")
            log_in(page)
            assert rosie.wait_for_return(page) == {"screen": "sellers", "linkId": rosie.link_id, "status": "confirmed"}

        link = rosie.read_link()
        assert (link["status"], link["callbackCount"]) == ("confirmed", 1)
        assert [seller["name"] for seller in link["sellers"]] == ["Everyone Active"]
        account = rosie.list_accounts()["Everyone Active"]
        assert account["status"] == "connected"
        assert account["connectedAt"] == link["sellers"][0]["connectedAt"]
        _disconnect(rosie.stack, "rosie", "everyone-active")

    @pytest.mark.parametrize("style", ["status", "naive"])
    def test_every_return_style_of_imin_confirms_the_link(self, rosie: Customer, page: Page, style: str) -> None:
        _choose_return_style(rosie.stack, style)
        page.goto(rosie.list_accounts()["Everyone Active"]["connect"]["existingAccountUrl"])
        log_in(page)
        assert rosie.wait_for_return(page)["status"] == "confirmed"

    def test_customer_connects_two_sellers_from_one_list(self, rosie: Customer, page: Page) -> None:
        accounts = rosie.list_accounts()
        page.goto(accounts["Everyone Active"]["connect"]["existingAccountUrl"])
        log_in(page)
        rosie.wait_for_return(page)
        page.goto(accounts["Acme Leisure Centre"]["connect"]["newAccountUrl"])
        page.get_by_label("Name").fill("Rosie")
        page.get_by_label("Password").fill("a-new-one")
        page.get_by_role("button", name="Create account").click()
        assert rosie.wait_for_return(page)["status"] == "confirmed"

        link = rosie.read_link()
        assert link["callbackCount"] == 2
        assert {seller["name"] for seller in link["sellers"]} == {"Everyone Active", "Acme Leisure Centre"}

    def test_cancelled_journey_is_not_confirmed(self, rosie: Customer, page: Page) -> None:
        page.goto(rosie.list_accounts()["Everyone Active"]["connect"]["existingAccountUrl"])
        page.get_by_role("button", name="Cancel").click()
        assert rosie.wait_for_return(page)["status"] == "not_confirmed"
        assert rosie.read_link()["sellers"] == []

    def test_earlier_connection_does_not_confirm_a_cancelled_link(self, rosie: Customer, page: Page) -> None:
        page.goto(rosie.list_accounts()["Everyone Active"]["connect"]["existingAccountUrl"])
        log_in(page)
        rosie.wait_for_return(page)
        page.goto(rosie.list_accounts()["Acme Leisure Centre"]["connect"]["newAccountUrl"])
        page.get_by_role("button", name="Cancel").click()
        assert rosie.wait_for_return(page)["status"] == "not_confirmed"

    def test_reloaded_callback_is_counted(self, rosie: Customer, page: Page) -> None:
        callbacks: list[str] = []
        page.on("request", lambda request: callbacks.append(request.url) if "/v1/link-callbacks/" in request.url else None)
        page.goto(rosie.list_accounts()["Everyone Active"]["connect"]["existingAccountUrl"])
        log_in(page)
        rosie.wait_for_return(page)
        page.goto(callbacks[0])
        assert rosie.wait_for_return(page)["status"] == "confirmed"
        assert rosie.read_link()["callbackCount"] == 2

    def test_disconnecting_calls_the_webhook(self, rosie: Customer, page: Page) -> None:
        page.goto(rosie.list_accounts()["Everyone Active"]["connect"]["existingAccountUrl"])
        log_in(page)
        rosie.wait_for_return(page)
        page.goto(rosie.stack.imin_url)
        page.get_by_role("button", name="Disconnect rosie from Everyone Active").click()
        expect(page.get_by_role("button", name="Disconnect rosie from Everyone Active")).to_have_count(0)
        (notice,) = rosie.stack.get("/v1/customers/me/notices").json()["notices"]
        assert notice["type"] == "CustomerAccount"


class TestPages:
    """Every page that a customer can see, on a phone in light and dark mode."""

    @pytest.fixture(params=["light", "dark"])
    def page_and_scheme(self, request: pytest.FixtureRequest, browser: Browser) -> Iterator[tuple[Page, str]]:
        """Open a phone; yield its page and the name of its colour scheme."""
        with phone(browser, request.param) as page:
            yield page, request.param

    def test_imin_pages_are_accessible(self, stack: Stack, rosie: Customer, page_and_scheme: tuple[Page, str]) -> None:
        page, scheme = page_and_scheme
        urls = rosie.list_accounts()["Everyone Active"]["connect"]
        page.goto(urls["existingAccountUrl"])
        check_page(page, f"imin-log-in-{scheme}")
        log_in(page, "wrong")
        check_page(page, f"imin-wrong-password-{scheme}")
        page.goto(urls["newAccountUrl"])
        check_page(page, f"imin-create-{scheme}")
        page.goto(f"{stack.imin_url}/auth/connect-account?jwt=bad")
        check_page(page, f"imin-bad-link-{scheme}")
        page.goto(stack.imin_url)
        check_page(page, f"imin-home-{scheme}")

    def test_invalid_link_page_is_accessible(self, stack: Stack, page_and_scheme: tuple[Page, str]) -> None:
        page, scheme = page_and_scheme
        response = page.goto(f"{stack.url}/v1/link-callbacks/rubbish")
        assert response is not None
        assert response.status == 400
        expect(page.get_by_role("heading")).to_have_text("This link doesn't work")
        check_page(page, f"callback-400-{scheme}")

    def test_expired_link_page_is_accessible(self, stack: Stack, page_and_scheme: tuple[Page, str]) -> None:
        page, scheme = page_and_scheme
        response = page.goto(f"{stack.url}/v1/link-callbacks/{_make_state(stack, datetime.now(UTC) - timedelta(days=2))}")
        assert response is not None
        assert response.status == 410
        check_page(page, f"callback-410-{scheme}")

    def test_failed_callback_succeeds_on_try_again(
        self, stack: Stack, page_and_scheme: tuple[Page, str], app_server: Server
    ) -> None:
        page, scheme = page_and_scheme
        dynamodb = make_client(stack.aws_url, "dynamodb")
        description = dynamodb.describe_table(TableName="RecordsTable")["Table"]
        dynamodb.delete_table(TableName="RecordsTable")
        try:
            response = page.goto(
                f"{stack.url}/v1/link-callbacks/{_make_state(stack, datetime.now(UTC), f'{app_server.url}/linked')}?a=b"
            )
            assert response is not None
            assert (response.status, response.headers["retry-after"]) == (503, "2")
            check_page(page, f"callback-503-{scheme}")
        finally:
            schema = {name: description[name] for name in ("AttributeDefinitions", "KeySchema")}
            dynamodb.create_table(TableName="RecordsTable", BillingMode="PAY_PER_REQUEST", **schema)
        page.get_by_role("link", name="Try again").click()
        expect(page.get_by_role("heading", name="The app")).to_be_visible()

    def test_redirect_page_has_a_button_for_other_browsers(self, stack: Stack, page_and_scheme: tuple[Page, str]) -> None:
        page, scheme = page_and_scheme
        redirect = stack.send("GET", f"/v1/link-callbacks/{_make_state(stack, datetime.now(UTC))}")
        headers = {name: redirect.headers[name] for name in ("Content-Type", "Content-Security-Policy")}
        with serve(respond(redirect.content, **{name.replace("-", "_"): value for name, value in headers.items()})) as server:
            page.goto(server.url)
            expect(page.get_by_role("link", name="Open the app")).to_have_attribute("href", redirect.headers["Location"])
            check_page(page, f"callback-303-{scheme}")
            assert page.evaluate("getComputedStyle(document.querySelector('a')).display") == "inline-block", (
                "the policy allows the style"
            )


def _make_state(stack: Stack, issued_at: datetime, redirect_uri: str = "brokerapp://linked") -> str:
    """Make a state for the customer `new`, signed like the functions' states, at a given time."""
    secret = make_client(stack.aws_url, "secretsmanager").get_secret_value(SecretId="LinkStateSecret")["SecretString"]

    class Key:
        def value(self) -> str:
            return str(secret)

    key: Any = Key()
    return LinkStates(StateSettings("", 86400), key, issued_at.timestamp).issue("new", redirect_uri).state
