"""How the demo app looks and is used by everybody: each screen in light and dark, by keyboard, and the README's pictures of it."""

import os
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import look_at, needs_browser
from tests.demo.app import Demo, demo
from tests.stack import Stack

pytestmark = [pytest.mark.external, needs_browser]
PICTURES = Path(os.environ["PICTURES"]) if "PICTURES" in os.environ else None
Scheme = Literal["light", "dark"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
class TestEveryScreen:
    def test_of_a_customer_with_everything(self, stack: Stack, browser: Browser, scheme: Scheme) -> None:
        with demo(stack, browser, scheme) as app:
            app.opens()
            see(app, "Who are you?", f"sign-in-{scheme}")
            app.has_list("rosie")
            see(app, "Your accounts", f"accounts-{scheme}")
            app.chooses("Better Leisure")
            see(app, "Better Leisure", f"pass-{scheme}")
            app.page.go_back()
            app.chooses("Everyone Active")
            expect(app.page.get_by_role("link", name="Connect your account")).to_be_visible()
            see(app, "Everyone Active", f"connect-{scheme}")
            app.may_fail = True
            app.page.context.set_offline(True)
            app.page.go_back()
            app.refreshes()
            expect(app.says("You are offline")).to_be_visible()
            see(app, "Your accounts", f"offline-{scheme}")

    def test_of_a_customer_with_conflicts_and_evidence(self, stack: Stack, browser: Browser, scheme: Scheme) -> None:
        with demo(stack, browser, scheme) as app:
            app.has_list("member")
            app.chooses("Better Leisure")
            see(app, "Better Leisure", f"evidence-{scheme}")
            app.page.get_by_role("link", name="You", exact=True).click()
            expect(app.says("When something changes")).to_be_visible()
            see(app, "You", f"you-{scheme}")
            app.page.get_by_role("button", name="Erase my records").click()
            see(app, "Erase your records?", f"erase-{scheme}")

    def test_from_right_to_left(self, stack: Stack, browser: Browser, scheme: Scheme) -> None:
        with demo(stack, browser, scheme) as app:
            app.has_list("noor")
            see(app, "Your accounts", f"right-to-left-{scheme}")
            app.chooses("نادي الواحة الرياضي")
            see(app, "نادي الواحة الرياضي", f"right-to-left-seller-{scheme}")

    def test_of_many_sellers_and_of_an_error(self, stack: Stack, browser: Browser, scheme: Scheme) -> None:
        with demo(stack, browser, scheme) as app:
            app.has_list("many")
            app.page.get_by_label("Find a seller").fill("12")
            see(app, "Your accounts", f"many-{scheme}")
            app.may_fail = True
            app.page.get_by_role("link", name="You", exact=True).click()
            app.page.get_by_role("button", name="Sign out").click()
            app.page.locator("[data-customer=busy]").click()
            expect(app.page.get_by_role("button", name="Try again")).to_be_visible()
            see(app, "Your accounts", f"busy-{scheme}")


def see(app: Demo, heading: str, name: str) -> None:
    """Looks at a screen, whose buttons and links must be large enough for a thumb (44 pixels)."""
    expect(app.heading(heading)).to_be_visible()
    look_at(app.page, f"demo-{name}")
    heights = app.page.locator("button:visible, a:visible, input:visible").evaluate_all(
        "all => all.map(each => [each.textContent, Math.max(each.getBoundingClientRect().height,"
        " parseFloat(getComputedStyle(each, '::after').height) || 0)])"
    )
    assert [each for each in heights if each[1] < 44] == []
    if PICTURES and name.rpartition("-")[0] in {"accounts", "pass", "connect", "offline"}:
        app.page.screenshot(path=PICTURES / f"demo-{name}.png")


def pressed(page: Page, key: str, until: str) -> None:
    """Presses a key until an element has the focus."""
    for _ in range(30):
        page.keyboard.press(key)
        if page.locator(f"{until}:focus").count():
            return
    raise AssertionError(f"{until} can't be reached")


def test_all_of_it_can_be_done_with_a_keyboard(stack: Stack, browser: Browser) -> None:
    with demo(stack, browser) as app:
        app.opens()
        pressed(app.page, "Tab", "[data-customer=rosie]")
        app.page.keyboard.press("Enter")
        expect(app.heading("Your accounts")).to_be_focused()
        expect(app.says("Up to date at")).to_be_visible()

        row = "a.row[href$='organizers%2F3']"
        pressed(app.page, "Tab", row)
        assert app.page.locator(row).evaluate("row => getComputedStyle(row).outlineStyle") == "solid"
        app.page.keyboard.press("Enter")
        expect(app.heading("Better Leisure")).to_be_focused()
        pressed(app.page, "Shift+Tab", "#back")
        app.page.keyboard.press("Enter")
        expect(app.page.locator(row)).to_be_focused()

        pressed(app.page, "Tab", "#tabs a[href='#you']")
        app.page.keyboard.press("Enter")
        expect(app.heading("You")).to_be_focused()
        pressed(app.page, "Tab", "button.bad")
        app.page.keyboard.press("Enter")
        expect(app.page.get_by_role("button", name="Keep them")).to_be_focused()
        app.page.keyboard.press("Escape")
        expect(app.page.get_by_role("button", name="Erase my records")).to_be_focused()


def test_nothing_moves_for_who_does_not_want_it(stack: Stack, browser: Browser) -> None:
    with demo(stack, browser) as app:
        app.page.emulate_media(reduced_motion="reduce")
        app.page.route("**/v1/**", lambda _route: None)
        app.signs_in("rosie")
        expect(app.page.get_by_role("img", name="Loading")).to_be_visible()
        assert app.page.evaluate("document.getAnimations().length") == 0
        app.page.unroute_all()
