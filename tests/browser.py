"""Headless Chromium for tests, as a phone would show a page; and what is looked for on each page.

The browser is the machine's own (Debian's package `chromium`). Without one these tests are skipped, but not in CI.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

PHONE = {"width": 390, "height": 844}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update"]
SCREENSHOTS = Path(os.environ["SCREENSHOTS"]) if "SCREENSHOTS" in os.environ else None

needs_browser = pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason="there is no Chromium on this machine")


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser that reaches only loopback."""
    rules = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, rules])
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def phone(browser: Browser, scheme: Literal["light", "dark"] = "light", scripts: bool = True) -> Iterator[Page]:
    """Open a page of a phone's size."""
    context = browser.new_context(viewport=PHONE, color_scheme=scheme, java_script_enabled=scripts)  # type: ignore[arg-type]
    context.set_default_timeout(15_000)
    try:
        yield context.new_page()
    finally:
        context.close()


def look_at(page: Page, name: str) -> None:
    """Check that a page is accessible and fits a phone; save a picture if `SCREENSHOTS` names a folder."""
    if SCREENSHOTS:
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
