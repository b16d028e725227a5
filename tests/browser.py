"""Headless Chromium with a phone's screen size, and the checks that apply to every page.

The tests use the installed browser (Debian package `chromium`). Without one they are skipped, except in CI, where they fail.
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
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
]
SCREENSHOTS = Path(os.environ["SCREENSHOTS"]) if "SCREENSHOTS" in os.environ else None

needs_browser = pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason="Chromium is not installed")


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser that can reach only loopback addresses."""
    host_rules = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*CHROMIUM_ARGUMENTS, host_rules])
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def phone(browser: Browser, scheme: Literal["light", "dark"] = "light", scripts: bool = True) -> Iterator[Page]:
    """Open a page on a phone-sized screen."""
    context = browser.new_context(viewport=PHONE, color_scheme=scheme, java_script_enabled=scripts)  # type: ignore[arg-type]
    context.set_default_timeout(15_000)
    try:
        yield context.new_page()
    finally:
        context.close()


def check_page(page: Page, name: str) -> None:
    """Check that a page is accessible and fits a phone's width; save a screenshot if `SCREENSHOTS` names a folder."""
    if SCREENSHOTS:
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
