"""The demo app for tests: a phone with the app open, and what its user does and sees. What is expected of it is in the tests."""

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
# Draws a picture in a page of its own, and gives its size and its grey pixels.
PIXELS = """async (png) => {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob())
  const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d")
  canvas.drawImage(image, 0, 0)
  const { data } = canvas.getImageData(0, 0, image.width, image.height)
  const grey = data.filter((_, at) => at % 4 === 0)
  return [image.height, image.width, Array.from(grey, (value) => String.fromCharCode(value)).join("")]
}"""


@dataclass
class Demo:
    """A phone at the demo app. `complaints` are the browser's; with `may_fail` an answer that is an error is none."""

    stack: Stack
    page: Page
    complaints: list[str] = field(default_factory=list)
    may_fail: bool = False

    def open(self) -> None:
        """Open the app."""
        self.page.goto(self.stack.url)

    def sign_in(self, customer: str) -> None:
        """Open the app and choose a customer, without waiting for the list."""
        self.open()
        self.page.locator(f"[data-customer={customer}]").click()

    def open_list(self, customer: str) -> None:
        """Signs in and waits for the list."""
        self.sign_in(customer)
        expect(self.find_text("Up to date at")).to_be_visible()

    def choose(self, seller: str) -> None:
        """Open one seller of the list."""
        self.page.get_by_role("link", name=seller).click()
        expect(self.heading(seller)).to_be_visible()

    def refresh(self) -> None:
        """Presses the button in the bar."""
        self.page.get_by_role("button", name="Refresh").click()

    def find_text(self, text: str) -> Locator:
        """Find a text on the screen."""
        return self.page.locator("main").get_by_text(text)

    def announcement(self) -> Locator:
        """Return the last announcement to a screen reader."""
        return self.page.locator("#announcement")

    def heading(self, name: str) -> Locator:
        """Find a heading."""
        return self.page.get_by_role("heading", name=name, exact=True)

    def seller_names(self) -> list[str]:
        """Return the names of the list, in its order."""
        return self.page.locator("#main .name").all_inner_texts()

    def stored_data(self) -> str:
        """Everything that the browser keeps for the app."""
        return str(self.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])"))

    def respond_with(self, status: int, body: str = "{}", content_type: str = "application/problem+json", **headers: str) -> None:
        """Lets every call for accounts be answered so, until `page.unroute_all()`."""

        def fulfill(route: Route) -> None:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            route.fulfill(status=status, body=body, headers=named, content_type=content_type)

        self.may_fail = self.may_fail or status >= 400
        self.page.route(ACCOUNTS, fulfill)


@contextlib.contextmanager
def open_demo(stack: Stack, browser: Browser, scheme: Literal["light", "dark"] = "light") -> Iterator[Demo]:
    """Open a phone; afterwards the browser must have complained only of responses that a test wanted to fail."""
    with phone(browser, scheme) as page:
        opened = Demo(stack, page)
        page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        page.on("console", lambda said: opened.complaints.append(said.text) if said.type in {"error", "warning"} else None)
        yield opened
        assert [each for each in opened.complaints if not (opened.may_fail and each.startswith("Failed to load resource"))] == []


def connected_account_json(*passes: dict[str, str], **seller: Any) -> str:
    """Build a response with one connected account."""
    lists: dict[str, Any] = {"entitlementErrors": [], "evidenceRequests": []}
    account = {"status": "connected", "seller": {"id": "1", "name": "Gym", "links": [], **seller}, "accessPasses": passes, **lists}
    return json.dumps({"customerIdentifier": "rosie", "accounts": [account], "warnings": []})


def scan_barcodes(browser: Browser, shown: Locator) -> list[tuple[str, str]]:
    """Return the kinds and texts of the barcodes in a screenshot."""
    page = browser.new_page()
    height, width, grey = page.evaluate(PIXELS, base64.b64encode(shown.screenshot()).decode())
    page.close()
    pixels = memoryview(grey.encode("latin-1")).cast("B", [height, width])
    formats = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.EAN13, zxingcpp.BarcodeFormat.Code128])
    return [(each.format.name, each.text) for each in zxingcpp.read_barcodes(pixels, formats)]


def disconnect(stack: Stack, customer: str, seller: str) -> None:
    """Disconnect an account at imin, which calls the webhook."""
    requests.post(f"{stack.imin_url}/local/disconnect", data={"customer": customer, "seller": seller}, timeout=15)
