"""The demo app's access passes, checked by scanning the barcodes on the screen."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import needs_browser
from tests.demo.app import Demo, connected_account_json, scan_barcodes
from tests.stack import Stack

pytestmark = [pytest.mark.external, needs_browser]


@pytest.mark.parametrize(
    ("customer", "seller", "digits"), [("rosie", "Better", "0012345678905"), ("noor", "نادي", "6291041500213")]
)
def test_thirteen_digits_are_drawn_as_a_readable_ean_13(
    app: Demo, browser: Browser, customer: str, seller: str, digits: str
) -> None:
    app.open_list(customer)
    app.page.get_by_role("link", name=seller).click()
    assert scan_barcodes(browser, app.page.locator(".pass")) == [("EAN13", digits)]
    expect(app.page.locator("figcaption")).to_have_text(digits)


@pytest.mark.parametrize(
    "text",
    [
        "0012345678900",
        "00123456",
        "7",
        "42",
        "AB-123456",
        "a1234567890z",
        "12345x",
        "X9876543210123456Y",
        "~ Gym: {7} @!",
        "x" * 20,
        "Membership/2026/ABCDEFGHIJKLMNOP-0001",
        "m" * 50,
    ],
)
def test_other_texts_are_drawn_as_a_readable_code_128(app: Demo, browser: Browser, text: str) -> None:
    app.respond_with(200, connected_account_json({"text": text}), "application/json")
    app.open_list("rosie")
    app.choose("Gym")
    assert scan_barcodes(browser, app.page.locator(".pass")) == [("Code128", text)]
    expect(app.page.locator("figcaption")).to_have_text(text)


@pytest.mark.parametrize(
    ("text", "is_rotated"),
    [("42", False), ("0012345678905", False), ("x" * 20, True), ("Membership/2026/ABCDEFGHIJKLMNOP-0001", True)],
)
@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("ratio", [1, 2.625])
def test_barcode_modules_are_whole_screen_pixels(
    stack: Stack, browser: Browser, text: str, is_rotated: bool, width: int, ratio: float
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844}, device_scale_factor=ratio)
    app = Demo(stack, context.new_page())
    app.respond_with(200, connected_account_json({"text": text}), "application/json")
    app.open_list("rosie")
    app.choose("Gym")
    size = app.page.locator(".bars svg").evaluate("""svg => {
      const { width, height, left, right } = svg.getBoundingClientRect()
      return { width, height, left, right, boxWidth: svg.viewBox.baseVal.width, boxHeight: svg.viewBox.baseVal.height }
    }""")
    context.close()
    assert (size["boxWidth"] == 104) is is_rotated
    length, modules = (size["height"], size["boxHeight"]) if is_rotated else (size["width"], size["boxWidth"])
    pixels = length / modules * ratio
    assert pixels == pytest.approx(round(pixels), abs=0.01)
    assert length / modules >= 1
    assert size["left"] >= 0
    assert size["right"] <= width


def test_barcode_is_redrawn_when_the_phone_is_rotated(app: Demo, browser: Browser) -> None:
    app.respond_with(200, connected_account_json({"text": "x" * 20}), "application/json")
    app.open_list("rosie")
    app.choose("Gym")
    before = app.page.locator(".bars svg").bounding_box()
    app.page.set_viewport_size({"width": 844, "height": 390})
    expect(app.page.locator(".bars svg[width]")).not_to_have_attribute("height", str(before and int(before["height"])))
    assert scan_barcodes(browser, app.page.locator(".pass")) == [("Code128", "x" * 20)]


def test_overlong_text_is_shown_as_text_only(app: Demo) -> None:
    app.respond_with(200, connected_account_json({"text": "m" * 100}), "application/json")
    app.open_list("rosie")
    app.choose("Gym")
    expect(app.find_text("too long for a barcode")).to_be_visible()
    expect(app.page.locator("figcaption")).to_have_text("m" * 100)


def test_unencodable_text_is_shown_as_text_only(app: Demo) -> None:
    app.respond_with(200, connected_account_json({"text": "é 12"}), "application/json")
    app.open_list("rosie")
    app.choose("Gym")
    expect(app.find_text("can't be shown as a barcode")).to_be_visible()
    expect(app.page.locator("figcaption")).to_have_text("é 12")


def test_image_from_the_api_is_preferred(app: Demo) -> None:
    image = f"{app.stack.imin_url}/static/logos/pool.svg"
    app.respond_with(200, connected_account_json({"text": "12", "imageUrl": image}), "application/json")
    app.open_list("rosie")
    app.choose("Gym")
    expect(app.page.get_by_role("img", name="Barcode 12")).to_have_attribute("src", image)
    expect(app.page.locator(".bars svg")).to_have_count(0)


def test_broken_image_is_replaced_by_a_drawing(app: Demo, browser: Browser) -> None:
    app.may_fail = True
    app.page.route("https://pass.example.com/**", lambda route: route.abort())
    app.open_list("member")
    app.choose("Everyone Active")
    expect(app.page.get_by_role("img", name="EAN-13 barcode 0000000000017")).to_be_visible()
    assert scan_barcodes(browser, app.page.locator(".pass").first) == [("EAN13", "0000000000017")]
