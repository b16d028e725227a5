"""A malicious or broken imin: none of its responses causes a 500, gets the API key or exhausts memory."""

import contextlib
import gzip
import json
import logging
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seller_accounts.http.problems import Problem
from seller_accounts.imin import imin_client
from seller_accounts.imin.reshape import reshape
from tests.conftest import App, Imin
from tests.loopback import Script, respond, send, serve
from tests.test_imin_client import EMPTY_COLLECTION, Client, Key

pytestmark = pytest.mark.external

CALLBACK = "https://api.example.com/v1/link-callbacks/the-state"
ALL_BYTES = bytes(set(range(256)) - {0x0A, 0x0D})


@pytest.fixture(scope="module")
def hostile() -> Iterator[tuple[str, list[Script]]]:
    """Share one server among all examples of a test; yield its URL and its scripts, of which it runs the last."""
    scripts: list[Script] = []
    with serve(lambda connection, request: scripts[-1](connection, request)) as server:
        yield server.url, scripts


def _call_imin(url: str) -> str:
    """Return `read`, or the code of the problem; any other exception fails the test."""
    try:
        Client(url).accounts(CALLBACK)
    except Problem as problem:
        return problem.code
    return "read"


class TestHeaders:
    @pytest.mark.parametrize(
        "date",
        [
            "Thu, 01 Jan 99999999999999999999 00:00:00 GMT",
            "Fri, 31 Dec 9999 23:59:59 -2359",
            "Mon, 01 Jan 0001 00:00:00 +2359",
            "Mon, 01 Jan 2026 00:00:00 +999999999999999999999",
            "Mon, 01 Jan 2026 99:99:99 GMT",
        ],
    )
    def test_retry_after_outside_the_calendar_is_ignored(self, date: str) -> None:
        with serve(respond(b"", "503 Busy", Retry_After=date)) as server:
            problem = Client(server.url).problem()
        assert (problem.code, problem.retry_after_seconds or 0) == ("upstream_unavailable", 0)

    def test_overlong_content_length_is_judged_by_its_status(self) -> None:
        with serve(send(b"HTTP/1.1 404 No\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n")) as server:
            assert _call_imin(server.url) == "customer_not_found"

    @pytest.mark.parametrize("location", [b"\xff\xfe", b"http://[", b"//", b"http://a:b/", b"", b"\x00", b"a" * 9000])
    def test_redirect_with_an_invalid_target_is_rejected(self, location: bytes) -> None:
        with serve(send(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n")) as server:
            assert _call_imin(server.url) == "upstream_invalid_response"
        assert len(server.requests) == 1

    @pytest.mark.parametrize("line", [b"no colon", b": no name", b" continued: from nothing"])
    def test_malformed_header_is_not_logged_with_the_url(self, line: bytes, caplog: pytest.LogCaptureFixture) -> None:
        head = b"HTTP/1.1 200 OK\r\n" + line + b"\r\nContent-Length: 17\r\n\r\n"
        with caplog.at_level(logging.DEBUG), serve(send(head + EMPTY_COLLECTION)) as server:
            _call_imin(server.url)
        assert "the-state" not in caplog.text

    def test_chunk_of_negative_size_is_an_invalid_response(self) -> None:
        with serve(send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}")) as server:
            assert _call_imin(server.url) == "upstream_invalid_response"

    @settings(max_examples=settings().max_examples // 2)
    @given(
        status=st.integers(100, 599),
        name=st.sampled_from([b"Content-Length", b"Content-Encoding", b"Transfer-Encoding", b"Location", b"Retry-After", b"X"]),
        value=st.lists(st.sampled_from(list(ALL_BYTES)), max_size=30).map(bytes)
        | st.sampled_from([b"gzip, gzip", b"br", b"zstd", b"deflate", b"chunked", b"chunked, chunked", b"-1", b"1, 2", b"+5"]),
        body=st.binary(max_size=50)
        | st.sampled_from([b"-5\r\n{}", b"5;a=b\r\n", b"0\r\n\r\n", b"\x1f\x8b", gzip.compress(EMPTY_COLLECTION)]),
    )
    def test_any_header_leads_to_a_response_or_a_problem(
        self, hostile: tuple[str, list[Script]], status: int, name: bytes, value: bytes, body: bytes
    ) -> None:
        url, scripts = hostile
        scripts[:] = [send(b"HTTP/1.1 %d X\r\n%s: %s\r\n\r\n%s" % (status, name, value, body))]
        _call_imin(url)


class TestApiKey:
    @pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent", "300 Choices"])
    @pytest.mark.parametrize("header", ["Location", "Refresh", "Link"])
    def test_api_key_is_not_sent_to_another_host(self, status: str, header: str) -> None:
        with serve(respond()) as elsewhere:
            value = {"Location": elsewhere.url, "Refresh": f"0;url={elsewhere.url}", "Link": f"<{elsewhere.url}>; rel=next"}[header]
            with serve(respond(b"", status, **{header: value})) as server:
                assert _call_imin(server.url) == "upstream_invalid_response"
            assert (len(server.requests), elsewhere.requests) == (1, [])

    def test_api_key_is_not_sent_to_another_path(self) -> None:
        with serve(respond(b"", "307 Temporary", Location="/elsewhere")) as server:
            _call_imin(server.url)
        assert len(server.requests) == 1

    def test_challenge_does_not_get_the_api_key_again(self) -> None:
        challenge = respond(b"", "401 No", WWW_Authenticate='Basic realm="key, please"', Proxy_Authenticate="Basic")
        with serve(challenge) as server:
            assert Client(server.url, Key("key", "key")).problem().code == "upstream_rejected_key"
        assert len(server.requests) == 1


class TestSize:
    @pytest.mark.parametrize("coding", ["gzip", "deflate", "gzip, gzip", "deflate, gzip"])
    def test_decompression_bomb_is_rejected_before_it_fills_memory(self, coding: str) -> None:
        bomb = _compress(b" " * 128 * 1024 * 1024, coding)
        with serve(respond(bomb, Content_Encoding=coding)) as server:
            tracemalloc.start()
            try:
                assert Client(server.url).problem().code == "upstream_invalid_response"
                assert tracemalloc.get_traced_memory()[1] < 8 * imin_client.MAX_RESPONSE_BYTES
            finally:
                tracemalloc.stop()

    @pytest.mark.parametrize("status", ["404 No", "500 Oops", "302 Found"])
    def test_decompression_bomb_in_an_error_is_not_decompressed(self, status: str) -> None:
        bomb = gzip.compress(b" " * 32 * 1024 * 1024)
        assert len(bomb) < imin_client.DRAIN_BYTES
        with serve(respond(bomb, status, Content_Encoding="gzip", Location="/")) as server:
            tracemalloc.start()
            try:
                Client(server.url).problem()
                assert tracemalloc.get_traced_memory()[1] < imin_client.MAX_RESPONSE_BYTES
            finally:
                tracemalloc.stop()


def _compress(body: bytes, coding: str) -> bytes:
    for step in coding.split(", "):
        body = gzip.compress(body, 1) if step == "gzip" else zlib.compress(body, 1)
    return body


class TestBodies:
    @pytest.mark.parametrize("opening", ["[", '{"a":', '{"seller":', '[{"seller":['])
    @pytest.mark.parametrize("depth", [100, 300_000])
    def test_deeply_nested_item_affects_only_itself(self, app: App, imin: Imin, opening: str, depth: int) -> None:
        imin.respond_with(f'{{"imin:item": [{{"seller": {{"@id": "1"}}}}, {opening * depth}'.encode())
        assert app.get().json["code"] == "upstream_invalid_response"
        closing = "".join({"[": "]", "{": "}"}[letter] for letter in reversed(opening) if letter in "[{")
        deep = f"{opening * depth}1{closing * depth}"
        imin.respond_with(f'{{"imin:item": [{{"seller": {{"@id": "1"}}}}, {deep}]}}'.encode())
        response = app.get()
        assert response.json.get("code") == "upstream_invalid_response" or [
            account["seller"] for account in response.json["accounts"]
        ]

    @settings(max_examples=3 * settings().max_examples)
    @given(st.binary(max_size=200) | st.text().map(str.encode) | st.text(alphabet='{}[]":,\\ue0-.+ imtn').map(str.encode))
    def test_random_bytes_never_cause_a_500(self, body: bytes) -> None:
        for text in (body, b'{"imin:item": ' + body + b"}", b'{"imin:item": [{"seller": {"name": ' + body + b"}}]}"):
            with contextlib.suppress(Problem):
                reshape(text)

    @pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 5000, "1." + "0" * 5000, "1e-999"], ids=len)
    def test_huge_number_affects_only_its_item(self, app: App, imin: Imin, number: str) -> None:
        for field in ("dateLinked", "imin:matchingEmailExists", "hiddenEntitlements", "accessPass", "customer", "x"):
            imin.respond_with(f'{{"imin:item": [{{"seller": {{}}}}, {{"seller": {{}}, {json.dumps(field)}: {number}}}]}}'.encode())
            response = app.get().json
            assert len(response["accounts"]) == 2 or response["warnings"][0]["index"] == 1
