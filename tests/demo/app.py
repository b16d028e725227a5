"""The demo app on a phone, with its user's actions and what the screen shows. The expectations are in the tests."""

import base64
import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import requests
import zxingcpp
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser import phone
from tests.stack import Stack

ACCOUNTS = "**/v1/customers/me/accounts*"
# Draws a PNG and returns its height, its width and its pixels' grey values.
PIXELS = """async (png) => {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob())
  const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d")
  canvas.drawImage(image, 0, 0)
  const { data } = canvas.getImageData(0, 0, image.width, image.height)
  const grey = data.filter((_, index) => index % 4 === 0)
  return [image.height, image.width, Array.from(grey, (value) => String.fromCharCode(value)).join("")]
}"""


@dataclass
class Demo:
    """The demo app on a phone. `console_errors` are the browser's; if `may_fail`, those about error responses are ignored."""

    stack: Stack
    page: Page
    console_errors: list[str] = field(default_factory=list)
    may_fail: bool = False

    def open(self) -> None:
        """Open the app."""
        self.page.goto(self.stack.url)

    def sign_in(self, customer: str) -> None:
        """Open the app and choose a customer, without waiting for the list."""
        self.open()
        self.page.locator(f"[data-customer={customer}]").click()

    def open_list(self, customer: str) -> None:
        """Sign in and wait for the list."""
        self.sign_in(customer)
        expect(self.find_text("Up to date at")).to_be_visible()

    def choose(self, seller: str) -> None:
        """Open a seller from the list."""
        self.page.get_by_role("link", name=seller).click()
        expect(self.heading(seller)).to_be_visible()

    def refresh(self) -> None:
        """Press the refresh button."""
        self.page.get_by_role("button", name="Refresh").click()

    def find_text(self, text: str) -> Locator:
        """Find a text in the main part of the screen."""
        return self.page.locator("main").get_by_text(text)

    def announcement(self) -> Locator:
        """Find the last announcement to screen readers."""
        return self.page.locator("#announcement")

    def heading(self, name: str) -> Locator:
        """Find a heading."""
        return self.page.get_by_role("heading", name=name, exact=True)

    def seller_names(self) -> list[str]:
        """Return the names of the listed sellers in order."""
        return self.page.locator("#main .name").all_inner_texts()

    def stored_data(self) -> str:
        """Return the app's data in the browser's storage."""
        return str(self.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])"))

    def respond_with(self, status: int, body: str = "{}", content_type: str = "application/problem+json", **headers: str) -> None:
        """Respond to every accounts request like this until `page.unroute_all()`."""

        def fulfill(route: Route) -> None:
            http_headers = {name.replace("_", "-"): value for name, value in headers.items()}
            route.fulfill(status=status, body=body, headers=http_headers, content_type=content_type)

        self.may_fail = self.may_fail or status >= 400
        self.page.route(ACCOUNTS, fulfill)


@contextlib.contextmanager
def open_demo(stack: Stack, browser: Browser, scheme: Literal["light", "dark"] = "light") -> Iterator[Demo]:
    """Open the app on a phone; at the end, check that the console has no unexpected errors."""
    with phone(browser, scheme) as page:
        app = Demo(stack, page)
        page.on("pageerror", lambda error: app.console_errors.append(str(error)))
        page.on(
            "console", lambda message: app.console_errors.append(message.text) if message.type in {"error", "warning"} else None
        )
        yield app
        assert [error for error in app.console_errors if not (app.may_fail and error.startswith("Failed to load resource"))] == []


def connected_account_json(*passes: dict[str, str], **seller: Any) -> str:
    """Build a response body with one connected account."""
    empty_lists: dict[str, Any] = {"entitlementErrors": [], "evidenceRequests": []}
    account = {
        "status": "connected",
        "seller": {"id": "1", "name": "Gym", "links": [], **seller},
        "accessPasses": passes,
        **empty_lists,
    }
    return json.dumps({"customerIdentifier": "rosie", "accounts": [account], "warnings": []})


def scan_barcodes(browser: Browser, element: Locator) -> list[tuple[str, str]]:
    """Take a screenshot of an element; return the formats and texts of its barcodes."""
    page = browser.new_page()
    height, width, grey = page.evaluate(PIXELS, base64.b64encode(element.screenshot()).decode())
    page.close()
    pixels = memoryview(grey.encode("latin-1")).cast("B", [height, width])
    formats = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.EAN13, zxingcpp.BarcodeFormat.Code128])
    return [(barcode.format.name, barcode.text) for barcode in zxingcpp.read_barcodes(pixels, formats)]


def disconnect(stack: Stack, customer: str, seller: str) -> None:
    """Disconnect an account at imin, which calls the webhook."""
    requests.post(f"{stack.imin_url}/local/disconnect", data={"customer": customer, "seller": seller}, timeout=15)
