"""The documentation pages of the local stack: their files, and calls made from them in a browser without a network."""

from collections.abc import Iterator
from typing import Literal

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.browser import check_page, needs_browser, phone
from tests.conformance import DOCUMENT
from tests.stack import ROOT, Stack, start_stack

pytestmark = pytest.mark.external


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start a stack with one environment for each function."""
    with start_stack(tmp_path_factory.mktemp("docs"), CONCURRENCY="1") as started:
        yield started


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_document_lists_the_requested_host_first(stack: Stack, name: str) -> None:
    url = stack.url.replace("127.0.0.1", name)
    served = requests.get(f"{stack.url}/openapi.json", headers={"Host": url.removeprefix("http://")}, timeout=5).json()
    assert served["servers"][0]["url"] == url
    assert served["paths"] == DOCUMENT["paths"]


def test_document_lists_no_other_host(stack: Stack) -> None:
    served = requests.get(f"{stack.url}/openapi.json", headers={"Host": "evil.example.com"}, timeout=5).json()
    assert served["servers"][0]["url"] == stack.url


def test_guide_describes_the_journey_exactly_like_the_document() -> None:
    journey = DOCUMENT["info"]["description"].partition("## Connecting an account\n\n")[2].partition("\n\n##")[0]
    assert journey.startswith("1. ")
    assert journey in (ROOT / "docs" / "app-developers.md").read_text()


@pytest.mark.parametrize("path", ["/docs", "/docs/", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/docs.js"])
def test_files_have_a_strict_content_security_policy(stack: Stack, path: str) -> None:
    response = requests.get(stack.url + path, timeout=5, allow_redirects=False)
    assert response.status_code == 200
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("path", ["/docs/nothing", "/docs/docs.html", "/docs/%2e%2e/docs.py", "/docs/imin.css"])
def test_no_other_file_is_served(stack: Stack, path: str) -> None:
    assert requests.get(stack.url + path, timeout=5).status_code == 404


@needs_browser
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_developer_can_make_a_call_from_the_page(
    stack: Stack, browser: Browser, scheme: Literal["light", "dark"], name: str
) -> None:
    url = stack.url.replace("127.0.0.1", name)
    with phone(browser, scheme) as page:
        errors, requested_urls = _record_events(page)

        page.goto(f"{url}/docs")
        page.get_by_role("button", name="Get a token").click()
        expect(page.get_by_text("Calls below are made as rosie.")).to_be_visible()
        page.get_by_text("Get the customer's accounts with all sellers").click()
        page.get_by_role("button", name="Execute").click()

        response = page.locator(".live-responses-table tbody")
        expect(response.locator(".response-col_status")).to_have_text("200")
        expect(response).to_contain_text('"customerIdentifier": "rosie"')
        assert ("dark-mode" in (page.locator("html").get_attribute("class") or "")) is (scheme == "dark")
        check_page(page, f"docs-{scheme}")
        assert errors == []
        assert {requested for requested in requested_urls if not requested.startswith((url, "data:"))} == set()


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_operations_of_every_method_are_accessible(stack: Stack, browser: Browser, scheme: Literal["light", "dark"]) -> None:
    with phone(browser, scheme) as page:
        page.goto(f"{stack.url}/docs")
        for method in ("get", "post", "delete"):
            page.locator(f".opblock-{method} .opblock-summary-control").last.click()
        expect(page.locator(".opblock.is-open")).to_have_count(3)
        check_page(page, f"docs-operations-{scheme}")


def _record_events(page: Page) -> tuple[list[str], list[str]]:
    """Record the browser's errors, warnings and requested URLs from now on."""
    errors: list[str] = []
    requested_urls: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("requestfailed", lambda request: errors.append(request.url))
    page.on("request", lambda request: requested_urls.append(request.url))
    return errors, requested_urls
