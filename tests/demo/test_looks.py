"""Accessibility of the demo app: screens in light and dark mode, large text, keyboard use; and screenshots for the README."""

import json
import os
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import check_page, needs_browser
from tests.demo.app import Demo, connected_account_json, open_demo
from tests.stack import Stack

pytestmark = [pytest.mark.external, needs_browser]
PICTURES = Path(os.environ["PICTURES"]) if "PICTURES" in os.environ else None
Scheme = Literal["light", "dark"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
class TestEveryScreen:
    def test_complete_account_is_accessible(self, stack: Stack, browser: Browser, scheme: Scheme) -> None:
        with open_demo(stack, browser, scheme) as app:
            app.open()
            check_screen(app, "Who are you?", f"sign-in-{scheme}")
            app.open_list("rosie")
            check_screen(app, "Your accounts", f"accounts-{scheme}")
            app.choose("Better Leisure")
            check_screen(app, "Better Leisure", f"pass-{scheme}")
            app.page.go_back()
            app.choose("Everyone Active")
            expect(app.page.get_by_role("button", name="Connect your account")).to_be_visible()
            check_screen(app, "Everyone Active", f"connect-{scheme}")
            app.may_fail = True
            app.page.context.set_offline(True)
            app.page.go_back()
            app.refresh()
            expect(app.find_text("You are offline")).to_be_visible()
            check_screen(app, "Your accounts", f"offline-{scheme}")

    def test_conflicts_and_evidence_are_accessible(self, stack: Stack, browser: Browser, scheme: Scheme) -> None:
        with open_demo(stack, browser, scheme) as app:
            app.open_list("member")
            app.choose("Better Leisure")
            check_screen(app, "Better Leisure", f"evidence-{scheme}")
            app.page.get_by_role("link", name="You", exact=True).click()
            expect(app.find_text("When something changes")).to_be_visible()
            check_screen(app, "You", f"you-{scheme}")
            app.page.get_by_role("button", name="Erase my records").click()
            check_screen(app, "Erase your records?", f"erase-{scheme}")

    def test_right_to_left_names_are_accessible(self, stack: Stack, browser: Browser, scheme: Scheme) -> None:
        with open_demo(stack, browser, scheme) as app:
            app.open_list("noor")
            check_screen(app, "Your accounts", f"right-to-left-{scheme}")
            app.choose("نادي الواحة الرياضي")
            check_screen(app, "نادي الواحة الرياضي", f"right-to-left-seller-{scheme}")

    def test_long_list_and_error_are_accessible(self, stack: Stack, browser: Browser, scheme: Scheme) -> None:
        with open_demo(stack, browser, scheme) as app:
            app.open_list("many")
            app.page.get_by_label("Find a seller").fill("12")
            check_screen(app, "Your accounts", f"many-{scheme}")
            app.may_fail = True
            app.page.get_by_role("link", name="You", exact=True).click()
            app.page.get_by_role("button", name="Sign out").click()
            app.page.locator("[data-customer=busy]").click()
            expect(app.page.get_by_role("button", name="Try again")).to_be_visible()
            check_screen(app, "Your accounts", f"busy-{scheme}")


def check_screen(app: Demo, heading: str, name: str) -> None:
    """Check a screen's accessibility, and that its controls are large enough for a thumb (44 pixels)."""
    expect(app.heading(heading)).to_be_visible()
    check_page(app.page, f"demo-{name}")
    heights = app.page.locator("button:visible, a:visible, input:visible").evaluate_all(
        "controls => controls.map(control => [control.textContent, Math.max(control.getBoundingClientRect().height,"
        " parseFloat(getComputedStyle(control, '::after').height) || 0)])"
    )
    assert [(text, height) for text, height in heights if height < 44] == []
    if PICTURES and name.rpartition("-")[0] in {"accounts", "pass", "connect", "offline"}:
        app.page.screenshot(path=PICTURES / f"demo-{name}.png")


def press_until_focused(page: Page, key: str, selector: str) -> None:
    """Press a key until an element has the focus."""
    for _ in range(30):
        page.keyboard.press(key)
        if page.locator(f"{selector}:focus").count():
            return
    raise AssertionError(f"{selector} can't be reached")


def test_journey_works_with_a_keyboard(stack: Stack, browser: Browser) -> None:
    with open_demo(stack, browser) as app:
        app.open()
        press_until_focused(app.page, "Tab", "[data-customer=rosie]")
        app.page.keyboard.press("Enter")
        expect(app.heading("Your accounts")).to_be_focused()
        expect(app.find_text("Up to date at")).to_be_visible()

        row = "a.row[href$='organizers%2F3']"
        press_until_focused(app.page, "Tab", row)
        assert app.page.locator(row).evaluate("row => getComputedStyle(row).outlineStyle") == "solid"
        app.page.keyboard.press("Enter")
        expect(app.heading("Better Leisure")).to_be_focused()
        press_until_focused(app.page, "Shift+Tab", "#back")
        app.page.keyboard.press("Enter")
        expect(app.page.locator(row)).to_be_focused()

        press_until_focused(app.page, "Tab", "#tabs a[href='#you']")
        app.page.keyboard.press("Enter")
        expect(app.heading("You")).to_be_focused()
        press_until_focused(app.page, "Tab", "button.bad")
        app.page.keyboard.press("Enter")
        expect(app.page.get_by_role("button", name="Keep them")).to_be_focused()
        app.page.keyboard.press("Escape")
        expect(app.page.get_by_role("button", name="Erase my records")).to_be_focused()


LONG_NAME = "The Royal Borough of Kensington and Chelsea Leisure, Swimming and Wellbeing Partnership Centre (North)"


def test_double_size_text_breaks_at_words(stack: Stack, browser: Browser) -> None:
    with open_demo(stack, browser) as app:
        seller = {"name": LONG_NAME, "email": "service@everyoneactive.example.com", "url": "https://www.everyone.example.com/"}
        account = json.loads(connected_account_json({"text": "0012345678905"}, **seller))
        another = {"id": "2", "name": "Wolverhampton Swimming", "links": []}
        account["accounts"].append({"status": "not_connected", "seller": another, "emailMatches": True})
        app.respond_with(200, json.dumps(account), "application/json")
        app.open_list("rosie")
        for size in ("100%", "200%"):
            app.page.evaluate("size => { document.documentElement.style.fontSize = size }", size)
            lines = app.page.locator("#main .row .name").evaluate_all(
                "names => names.map(name => [name.clientHeight / parseFloat(getComputedStyle(name).lineHeight),"
                " name.scrollWidth - name.clientWidth])"
            )
            assert all(line_count < 2.1 and overflow <= 0 for line_count, overflow in lines), size
            assert find_mid_word_breaks(app.page, "#main .row .name, #main .note, #main .pill, #main h1, #main h2, .fresh") == [], (
                size
            )
            check_page(app.page, f"demo-text-{size.rstrip('%')}")
        app.page.get_by_role("link", name="The Royal Borough").click()
        expect(app.heading(LONG_NAME)).to_be_visible()
        assert find_mid_word_breaks(app.page, "#main h1, #main h2, #main dt, #main .fresh") == []
        assert set(find_mid_word_breaks(app.page, "#main dd")) <= {"@", "."}  # e-mail and web addresses
        check_page(app.page, "demo-text-200-seller")


# Returns every character after which a line breaks, except spaces.
FIND_BREAKS = """elements => elements.flatMap(element => {
  const breaks = []
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  const range = document.createRange()
  let last = null
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (let index = 0; index < node.data.length; index++) {
      range.setStart(node, index)
      range.setEnd(node, index + 1)
      const { top, width } = range.getBoundingClientRect()
      if (/\\s/.test(node.data[index]) || !width) { last = null; continue }
      if (last && top > last.top + 4) breaks.push(last.letter)
      last = { top, letter: node.data[index] }
    }
  }
  return breaks
})"""


def find_mid_word_breaks(page: Page, selector: str) -> list[str]:
    """Return each character after which a line breaks inside a word."""
    breaks: list[str] = page.locator(selector).evaluate_all(FIND_BREAKS)
    return breaks


def test_keyboard_order_is_the_order_of_the_page(stack: Stack, browser: Browser) -> None:
    with open_demo(stack, browser) as app:
        app.open()
        check_tab_order(app.page)
        app.open_list("member")
        check_tab_order(app.page)
        app.choose("Better Leisure")
        check_tab_order(app.page)
        app.page.get_by_role("link", name="You", exact=True).click()
        expect(app.find_text("When something changes")).to_be_visible()
        check_tab_order(app.page)
        app.page.route("**/links/x", lambda route: route.fulfill(json={"id": "x", "status": "not_confirmed", "sellers": []}))
        app.page.goto(f"{app.stack.url}/?linkId=x")
        expect(app.find_text("Nothing was connected")).to_be_visible()
        expect(app.find_text("Up to date")).to_be_visible()
        check_tab_order(app.page)


def check_tab_order(page: Page) -> None:
    """Tab through the page and check that each stop is below or to the right of the previous one."""
    page.evaluate("document.activeElement.blur(); getSelection().collapse(document.body, 0); scrollTo(0, 0)")
    stops = []
    for _ in range(60):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            "(() => { const element = document.activeElement; if (element === document.body) return null; "
            "const { left, top } = element.getBoundingClientRect(); const isFixed = element.closest('#bar, #tabs'); "
            "const part = element.closest('#bar') ? 0 : element.closest('#tabs') ? 2 : 1; "
            "const name = element.textContent.trim() || element.id; "
            "return [part, Math.round(isFixed ? 0 : top + scrollY), Math.round(left), name] })()"
        )
        if stop is None or stop in stops:
            break
        stops.append(stop)
    assert len(stops) > 2
    assert stops == sorted(stops, key=lambda stop: stop[:3])


def test_reduced_motion_stops_animations(stack: Stack, browser: Browser) -> None:
    with open_demo(stack, browser) as app:
        app.page.emulate_media(reduced_motion="reduce")
        app.page.route("**/v1/**", lambda _route: None)
        app.sign_in("rosie")
        expect(app.page.get_by_role("img", name="Loading")).to_be_visible()
        assert app.page.evaluate("document.getAnimations().length") == 0
        app.page.unroute_all()
