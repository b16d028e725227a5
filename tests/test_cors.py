"""CORS of the local stack: over HTTP, and in Chromium for a page of another origin."""

import contextlib
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, Page

from tests.browser import needs_browser, phone
from tests.loopback import respond, serve
from tests.stack import Stack, start_stack

pytestmark = pytest.mark.external

ACCOUNTS = "/v1/customers/me/accounts"
# Like a hybrid app, sends the three headers, and reads the status, the headers and the body.
FETCH = """async ([url, token, tag]) => {
    try {
        const headers = {Authorization: `Bearer ${token}`, Accept: 'application/json', ...(tag ? {'If-None-Match': tag} : {})};
        const response = await fetch(url, {headers, cache: 'no-store'});
        const body = response.status === 304 ? null : await response.json();
        const read = name => response.headers.get(name);
        return {status: response.status, body, tag: read('ETag'), wait: read('Retry-After'), id: read('apigw-requestid')};
    } catch (error) { return {error: error.name}; }
}"""


@contextlib.contextmanager
def serve_other_origin() -> Iterator[str]:
    """Serve an empty page on another port."""
    with serve(respond(b"<!doctype html>", **{"Content-Type": "text/html"})) as server:
        yield server.url


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """Return the origin that the stack allows."""
    with serve_other_origin() as url:
        yield url


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, origin: str) -> Iterator[Stack]:
    """Start a stack that allows that origin."""
    with start_stack(
        tmp_path_factory.mktemp("cors"), CONCURRENCY="1", ALLOWED_ORIGINS=f"capacitor://localhost,{origin}"
    ) as started:
        yield started


@pytest.fixture
def page(browser: Browser, origin: str) -> Iterator[Page]:
    """Open the page in a browser."""
    with phone(browser) as opened:
        opened.goto(origin)
        yield opened


def test_preflight_and_error_have_the_headers_over_http(stack: Stack) -> None:
    headers = {"Origin": "capacitor://localhost", "Access-Control-Request-Method": "DELETE"}
    preflight = requests.options(stack.url + "/v1/customers/me/records", headers=headers, timeout=5)
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "capacitor://localhost"
    assert "DELETE" in preflight.headers["Access-Control-Allow-Methods"]
    rejected = requests.get(stack.url + ACCOUNTS, headers={"Origin": "capacitor://localhost"}, timeout=5)
    assert rejected.status_code == 401
    assert rejected.headers["Access-Control-Allow-Origin"] == "capacitor://localhost"


@needs_browser
def test_page_of_an_allowed_origin_reads_responses_and_errors(stack: Stack, page: Page) -> None:
    url = stack.url + ACCOUNTS
    first = page.evaluate(FETCH, [url, stack.token("rosie"), None])
    assert first["status"] == 200
    assert first["body"]["customerIdentifier"] == "rosie"
    assert first["id"]
    assert page.evaluate(FETCH, [url, stack.token("rosie"), first["tag"]])["status"] == 304
    assert page.evaluate(FETCH, [url, "wrong", None])["body"] == {"message": "Unauthorized"}
    busy = page.evaluate(FETCH, [url, stack.token("busy"), None])
    assert (busy["status"], busy["body"]["code"], busy["wait"]) == (503, "upstream_unavailable", "30")


@needs_browser
def test_page_of_any_other_origin_reads_nothing(stack: Stack, browser: Browser) -> None:
    with serve_other_origin() as url, phone(browser) as page:
        page.goto(url)
        assert page.evaluate(FETCH, [stack.url + ACCOUNTS, stack.token("rosie"), None]) == {"error": "TypeError"}
