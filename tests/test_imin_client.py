"""Calls to imin over an unreliable network: retries, deadlines, keys and TLS."""

import gzip
import logging
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests
import trustme

from seller_accounts import telemetry
from seller_accounts.http.problems import Problem
from seller_accounts.imin import imin_client
from seller_accounts.network import transport
from seller_accounts.settings import UpstreamSettings
from tests.conftest import Output
from tests.loopback import Script, respond, send, send_slowly, serve

pytestmark = pytest.mark.external

EMPTY_COLLECTION = b'{"imin:item": []}'
BUSY = "503 Service Unavailable"
REJECTED = "401 Unauthorized"


class Key:
    """An API key in a secret; `fresh` is its value after a refresh."""

    def __init__(self, current: str = "key", fresh: str = "key") -> None:
        self.current = current
        self.fresh = fresh
        self.refreshed = 0

    def value(self) -> str:
        return self.current

    def refresh(self) -> str:
        self.refreshed += 1
        self.current = self.fresh
        return self.current


class Client:
    """A client of imin that records its pauses in `waits` instead of sleeping."""

    def __init__(self, url: str, key: Key | None = None, session: requests.Session | None = None) -> None:
        self.waits: list[float] = []
        self.key = key or Key()
        settings = UpstreamSettings(url, "/customers/{customerIdentifier}/accounts", "name")
        self._upstream = imin_client.Upstream(
            settings,
            self.key,  # type: ignore[arg-type]  # stands in for a Secret
            session,
            sleep=self.waits.append,
            jitter=lambda: 1.0,
        )

    def accounts(self, redirect_uri: str | None = None, seconds: float = 8.0, customer: str = "rosie") -> bytes:
        """Get the accounts of a customer."""
        return self._upstream.accounts(customer, redirect_uri, time.monotonic() + seconds)

    def problem(self, seconds: float = 8.0) -> Problem:
        """Return the problem of a request for accounts."""
        with pytest.raises(Problem) as caught:
            self.accounts(seconds=seconds)
        return caught.value


@pytest.fixture(autouse=True)
def _short_read_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the read timeout, because tests wait for it in real time."""
    monkeypatch.setattr(transport, "READ_TIMEOUT_SECONDS", 0.2)


class TestRequests:
    def test_request_has_key_and_redirect_uri_and_ignores_proxies(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        with serve(respond()) as server:
            Client(server.url).accounts("https://api.example.com/v1/link-callbacks/a.b?c=d&e")
        head = server.requests[0].decode()
        assert head.startswith(
            "GET /customers/rosie/accounts"
            "?redirectUri=https%3A%2F%2Fapi.example.com%2Fv1%2Flink-callbacks%2Fa.b%3Fc%3Dd%26e HTTP/1.1\r\n"
        )
        assert "\r\nX-Api-Key: key\r\n" in head
        assert "authorization" not in head.lower()

    def test_one_connection_serves_all_calls(self) -> None:
        with serve(respond(), respond(status="404 Not Found"), respond(b"<html>", "500 Oops"), respond()) as server:
            client = Client(server.url)
            client.accounts()
            client.problem()
            client.problem()
            client.accounts()
            assert (server.connections, len(server.requests)) == (1, 4)

    def test_cookie_of_one_call_is_not_sent_with_the_next(self) -> None:
        with serve(respond(Set_Cookie="session=rosie; Path=/")) as server:
            client = Client(server.url)
            client.accounts()
            client.accounts()
        assert b"cookie" not in server.requests[1].lower()

    def test_closed_connection_is_replaced(self) -> None:
        with serve(send(b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n" + EMPTY_COLLECTION), respond()) as server:
            client = Client(server.url)
            assert client.accounts() == client.accounts() == EMPTY_COLLECTION
        assert server.connections == 2

    def test_redirect_is_not_followed(self) -> None:
        with serve(respond()) as elsewhere, serve(respond(status="302 Found", Location=elsewhere.url)) as server:
            assert Client(server.url).problem().code == "upstream_invalid_response"
            assert elsewhere.requests == []


class TestRetries:
    @pytest.mark.parametrize("status", ["429 Too Many Requests", "502 Bad Gateway", BUSY, "504 Gateway Timeout"])
    def test_transient_failure_is_retried_with_growing_waits(self, status: str) -> None:
        with serve(respond(status=status), respond(status=status), respond()) as server:
            client = Client(server.url)
            assert client.accounts() == EMPTY_COLLECTION
        assert client.waits == [0.2, 0.4]

    def test_call_ends_after_three_attempts(self) -> None:
        with serve(respond(status=BUSY)) as server:
            assert Client(server.url).problem().code == "upstream_unavailable"
        assert len(server.requests) == 3

    @pytest.mark.parametrize("status", ["500 Internal Server Error", "501 Not Implemented", "400 Bad Request", "404 Not Found"])
    def test_permanent_failure_is_not_retried(self, status: str) -> None:
        with serve(respond(status=status)) as server:
            Client(server.url).problem()
        assert len(server.requests) == 1

    @pytest.mark.parametrize(
        "script",
        [
            send(b""),
            send(b"rubbish\r\n\r\n"),
            send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + EMPTY_COLLECTION),
            send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n" + EMPTY_COLLECTION),
            lambda connection, _request: _reset(connection),
        ],
        ids=["closed", "no HTTP", "truncated", "truncated chunks", "reset"],
    )
    def test_broken_connection_is_retried(self, script: Script) -> None:
        with serve(script, respond()) as server:
            assert Client(server.url).accounts() == EMPTY_COLLECTION
        with serve(script) as server:
            assert Client(server.url).problem().code == "upstream_unavailable"
        assert len(server.requests) == 3

    def test_failed_connection_is_retried(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as unused:
            url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        client = Client(url)
        assert client.problem().code == "upstream_unavailable"
        assert len(client.waits) == 2

    def test_retry_waits_for_retry_after(self) -> None:
        with serve(respond(status=BUSY, Retry_After="3"), respond()) as server:
            client = Client(server.url)
            assert client.accounts() == EMPTY_COLLECTION
        assert client.waits == [3]

    def test_retry_after_beyond_the_deadline_ends_the_call(self) -> None:
        with serve(respond(status=BUSY, Retry_After="8")) as server:
            client = Client(server.url)
            assert client.problem().retry_after_seconds == 8
        assert (client.waits, len(server.requests)) == ([], 1)

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            (lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True), 60),
            (lambda: "Thu, 01 Jan 1970 00:00:00 GMT", 0),
            (lambda: "Thu, 01 Jan 1970 00:00:00", 0),
            (lambda: format_datetime(datetime.now(UTC) + timedelta(days=2), usegmt=True), 86400),
            (lambda: "0000000000000000000012", 12),
            (lambda: "86401", 86400),
            (lambda: "99999999999999999999", 86400),
            (lambda: "9" * 5000, 86400),
            (lambda: "soon", None),
            (lambda: "-5", None),
            (lambda: "1.5", None),
            (lambda: "", None),
        ],
    )
    def test_retry_after_may_be_a_date_and_invalid_values_are_ignored(self, value: Any, seconds: int | None) -> None:
        with serve(respond(status=BUSY, Retry_After=value())) as server:
            retry_after = Client(server.url).problem(seconds=1.0).retry_after_seconds
        assert retry_after == seconds or abs((retry_after or 0) - (seconds or 0)) <= 1

    def test_retry_after_date_without_a_zone_is_utc(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TZ", "America/St_Johns")
        time.tzset()
        try:
            value = format_datetime(datetime.now(UTC) + timedelta(seconds=60)).replace("+0000", "-0000")
            with serve(respond(status=BUSY, Retry_After=value)) as server:
                assert Client(server.url).problem(seconds=1.0).retry_after_seconds == pytest.approx(60, abs=1)
        finally:
            monkeypatch.delenv("TZ")
            time.tzset()


def _wait(stopping: threading.Event) -> None:
    stopping.wait(5)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class TestDeadlines:
    @pytest.fixture
    def stopping(self) -> Iterator[threading.Event]:
        """Yield an event that is set when the test is over, so that no server outlasts it."""
        event = threading.Event()
        yield event
        event.set()

    def test_hanging_server_is_a_timeout_without_retry(self, stopping: threading.Event) -> None:
        with serve(lambda _connection, _request: _wait(stopping)) as server:
            start = time.monotonic()
            assert Client(server.url).problem().code == "upstream_timeout"
            assert time.monotonic() - start < 2
            stopping.set()
        assert len(server.requests) == 1

    @pytest.mark.parametrize(
        "data",
        [
            b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n" + EMPTY_COLLECTION,
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n" + EMPTY_COLLECTION + b"\r\n0\r\n\r\n",
        ],
        ids=["length", "chunks"],
    )
    @pytest.mark.parametrize("drip_start", [0, 45])
    def test_slow_response_ends_with_the_deadline(self, data: bytes, drip_start: int, stopping: threading.Event) -> None:
        def script(connection: socket.socket, request: bytes) -> None:
            connection.sendall(data[:drip_start])
            send_slowly(data[drip_start:], 0.05, stopping)(connection, request)

        with serve(script) as server:
            start = time.monotonic()
            assert Client(server.url).problem(seconds=0.5).code == "upstream_timeout"
            assert time.monotonic() - start < 2
            stopping.set()

    def test_no_attempt_begins_after_the_deadline(self) -> None:
        with serve(respond()) as server:
            assert Client(server.url).problem(seconds=-1).code == "upstream_timeout"
            assert server.requests == []

    def test_all_calls_of_an_invocation_share_its_remaining_time(self) -> None:
        now = time.monotonic()
        assert imin_client.upstream_deadline(60_000) - now == pytest.approx(8.0, abs=0.1)
        assert imin_client.upstream_deadline(3_000) - now == pytest.approx(2.5, abs=0.1)


class TestResponses:
    def test_gzip_response_is_decompressed(self) -> None:
        with serve(respond(gzip.compress(EMPTY_COLLECTION), Content_Encoding="gzip")) as server:
            assert Client(server.url).accounts() == EMPTY_COLLECTION

    def test_body_with_a_wrong_encoding_is_rejected(self) -> None:
        with serve(respond(b"not gzip", Content_Encoding="gzip")) as server:
            assert Client(server.url).problem().code == "upstream_invalid_response"

    def test_response_may_have_4_mib(self) -> None:
        with serve(respond(b" " * imin_client.MAX_RESPONSE_BYTES), respond(b" " * (imin_client.MAX_RESPONSE_BYTES + 1))) as server:
            client = Client(server.url)
            assert len(client.accounts()) == imin_client.MAX_RESPONSE_BYTES
            assert client.problem().code == "upstream_invalid_response"

    def test_decompression_bomb_is_rejected(self) -> None:
        bomb = gzip.compress(b" " * 256 * 1024 * 1024, 1)
        with serve(respond(bomb, Content_Encoding="gzip")) as server:
            assert Client(server.url).problem().code == "upstream_invalid_response"

    def test_error_with_a_large_body_is_judged_by_its_status(self) -> None:
        with serve(respond(b" " * (imin_client.DRAIN_BYTES + 1), "404 Not Found")) as server:
            assert Client(server.url).problem().code == "customer_not_found"


class TestKeyRotation:
    @pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
    def test_rejected_key_is_fetched_again_and_the_call_repeated(self, status: str) -> None:
        with serve(respond(status=status), respond()) as server:
            assert Client(server.url, Key("old", "new")).accounts() == EMPTY_COLLECTION
        assert [b"X-Api-Key: old" in server.requests[0], b"X-Api-Key: new" in server.requests[1]] == [True, True]

    def test_unchanged_rejected_key_is_not_sent_again(self) -> None:
        with serve(respond(status="401 Unauthorized")) as server:
            client = Client(server.url)
            assert client.problem().code == "upstream_rejected_key"
        assert (client.key.refreshed, len(server.requests)) == (1, 1)

    def test_rejected_new_key_ends_the_call(self) -> None:
        with serve(respond(status="401 Unauthorized")) as server:
            client = Client(server.url, Key("old", "new"))
            assert client.problem().code == "upstream_rejected_key"
        assert (client.key.refreshed, len(server.requests)) == (1, 2)

    @pytest.mark.parametrize(
        ("statuses", "code", "keys"),
        [
            ([BUSY, BUSY, REJECTED, BUSY, "200 OK"], "upstream_unavailable", "old old old new"),
            ([BUSY, REJECTED, BUSY, "200 OK"], "upstream_unavailable", "old old new"),
            ([REJECTED, BUSY, BUSY, "200 OK"], "upstream_unavailable", "old new new"),
            ([BUSY, REJECTED, REJECTED, "200 OK"], "upstream_rejected_key", "old old new"),
            ([BUSY, BUSY, REJECTED, "200 OK"], None, "old old old new"),
        ],
    )
    def test_keys_share_the_attempts_but_the_new_key_gets_at_least_one(
        self, statuses: list[str], code: str | None, keys: str
    ) -> None:
        with serve(*(respond(status=status) for status in statuses)) as server:
            client = Client(server.url, Key("old", "new"))
            if code:
                assert client.problem().code == code
            else:
                assert client.accounts() == EMPTY_COLLECTION
        sent_keys = [request.partition(b"X-Api-Key: ")[2].partition(b"\r\n")[0].decode() for request in server.requests]
        assert " ".join(sent_keys) == keys


class TestMetrics:
    @pytest.fixture(autouse=True)
    def _no_earlier_metrics(self, output: Output) -> None:
        telemetry.log_with_metrics(logging.INFO, "before")
        output.text()

    @staticmethod
    def _read_metrics(output: Output) -> dict[str, Any]:
        telemetry.log_with_metrics(logging.INFO, "after")
        return output.lines()[-1]

    def test_latency_is_measured_once_for_a_request_to_imin(self, output: Output) -> None:
        with serve(respond(status=BUSY), respond()) as server:
            Client(server.url).accounts()
        assert len(self._read_metrics(output)["UpstreamLatency"]) == 1

    def test_unavailable_secret_is_not_measured_as_a_call_to_imin(self, output: Output) -> None:
        class Unavailable(Key):
            def value(self) -> str:
                raise Problem("secret_unavailable", "unavailable")

        assert Client("http://127.0.0.1:9", Unavailable()).problem().code == "secret_unavailable"
        assert "UpstreamLatency" not in self._read_metrics(output)

    def test_deadline_before_the_imin_call_is_a_fault_of_the_service(self, output: Output) -> None:
        with serve(respond()) as server:
            assert Client(server.url).problem(seconds=-1).code == "upstream_timeout"
        metrics = self._read_metrics(output)
        assert {"UpstreamLatency", "UpstreamTimeout"}.isdisjoint(metrics)
        assert (metrics["Faults"], server.requests) == ([1], [])

    def test_unknown_customer_is_counted(self, output: Output) -> None:
        with serve(respond(status="404 Not Found")) as server:
            Client(server.url).problem()
        assert self._read_metrics(output)["UpstreamCustomerNotFound"] == [1]


@pytest.mark.parametrize(
    ("customer", "segment"),
    [
        ("auth0|5fe4", "auth0%7C5fe4"),
        ("cust:17", "cust%3A17"),
        ("rosie@example.com", "rosie%40example.com"),
        ("a+b=c,d", "a%2Bb%3Dc%2Cd"),
        ("~a-b_c.d", "~a-b_c.d"),
    ],
)
def test_customer_identifier_is_one_percent_encoded_segment(customer: str, segment: str) -> None:
    with serve(respond()) as server:
        Client(server.url).accounts(customer=customer)
    assert server.requests[0].startswith(f"GET /customers/{segment}/accounts HTTP/1.1\r\n".encode())


class TestTls:
    @pytest.fixture
    def authority(self) -> trustme.CA:
        """Make a certificate authority that nobody trusts."""
        return trustme.CA()

    @pytest.fixture
    def tls(self, authority: trustme.CA) -> ssl.SSLContext:
        """Make the TLS context of a server with that authority's certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        return context

    def test_unknown_certificate_is_a_connection_failure(self, tls: ssl.SSLContext) -> None:
        with serve(respond(), tls=tls) as server:
            assert Client(server.url).problem().code == "upstream_unavailable"
        assert server.requests == []

    def test_certificate_for_another_name_is_a_connection_failure(self, authority: trustme.CA, tls: ssl.SSLContext) -> None:
        client_context = ssl.create_default_context()
        authority.configure_trust(client_context)
        with serve(respond(), tls=tls) as server:
            url = server.url.replace("127.0.0.1", "localhost")
            assert Client(url, session=transport.make_session(client_context)).problem().code == "upstream_unavailable"
        assert server.requests == []

    def test_one_handshake_serves_all_calls(self, authority: trustme.CA, tls: ssl.SSLContext) -> None:
        client_context = ssl.create_default_context()
        authority.configure_trust(client_context)
        with serve(respond(), tls=tls) as server:
            client = Client(server.url, session=transport.make_session(client_context))
            for _ in range(20):
                assert client.accounts() == EMPTY_COLLECTION
        assert (server.connections, len(server.requests)) == (1, 20)


def test_invalid_url_is_rejected() -> None:
    with pytest.raises(Problem) as caught:
        Client("http://127.0.0.1:1:1").accounts()
    assert caught.value.code == "upstream_invalid_response"
    assert isinstance(caught.value.__cause__, requests.RequestException)
