"""The demo app's access passes: a reader of barcodes reads what is on the screen."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import needs_browser
from tests.demo.app import Demo, connected, scanned

pytestmark = [pytest.mark.external, needs_browser]


@pytest.mark.parametrize(
    ("customer", "seller", "digits"), [("rosie", "Better", "0012345678905"), ("noor", "نادي", "6291041500213")]
)
def test_a_reader_reads_the_ean_13_of_13_digits(app: Demo, browser: Browser, customer: str, seller: str, digits: str) -> None:
    app.has_list(customer)
    app.page.get_by_role("link", name=seller).click()
    assert scanned(browser, app.page.locator(".pass")) == [("EAN13", digits)]
    expect(app.page.locator("figcaption")).to_have_text(digits)


@pytest.mark.parametrize(
    "text",
    ["0012345678900", "00123456", "7", "42", "AB-123456", "a1234567890z", "12345x", "X9876543210123456Y", "~ Gym: {7} @!"],
)
def test_a_reader_reads_the_code_128_of_anything_else(app: Demo, browser: Browser, text: str) -> None:
    app.answers(200, connected({"text": text}), "application/json")
    app.has_list("rosie")
    app.chooses("Gym")
    assert scanned(browser, app.page.locator(".pass")) == [("Code128", text)]
    expect(app.page.locator("figcaption")).to_have_text(text)


def test_what_has_no_barcode_is_shown_in_letters(app: Demo) -> None:
    app.answers(200, connected({"text": "é 12"}), "application/json")
    app.has_list("rosie")
    app.chooses("Gym")
    expect(app.says("can't be shown as a barcode")).to_be_visible()
    expect(app.page.locator("figcaption")).to_have_text("é 12")


def test_an_image_of_the_apis_goes_before(app: Demo) -> None:
    image = f"{app.stack.imin_url}/static/logos/pool.svg"
    app.answers(200, connected({"text": "12", "imageUrl": image}), "application/json")
    app.has_list("rosie")
    app.chooses("Gym")
    expect(app.page.get_by_role("img", name="Barcode 12")).to_have_attribute("src", image)
    expect(app.page.locator(".bars svg")).to_have_count(0)


def test_an_image_that_does_not_load_is_drawn(app: Demo, browser: Browser) -> None:
    app.may_fail = True
    app.page.route("https://pass.example.com/**", lambda route: route.abort())
    app.has_list("member")
    app.chooses("Everyone Active")
    expect(app.page.get_by_role("img", name="EAN-13 barcode 0000000000017")).to_be_visible()
    assert scanned(browser, app.page.locator(".pass").first) == [("EAN13", "0000000000017")]
