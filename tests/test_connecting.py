"""Connecting: one timeout for all addresses of a host, and a new connection instead of one that may be dead."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError

from seller_accounts.aws import aws_client
from seller_accounts.http import access_token
from seller_accounts.http.problems import Problem
from seller_accounts.imin import imin_client
from seller_accounts.network import connecting, transport
from tests.loopback import respond, serve
from tests.test_imin_client import EMPTY_COLLECTION, Client

pytestmark = pytest.mark.external

HOST = "platform.example.com"
ServiceCall = Callable[[int], object]
"""A call to a service at `HOST`, on the given port."""


@pytest.fixture
def black_hole() -> Iterator[int]:
    """Return a port of 127.0.0.1 that doesn't respond to connections: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, contextlib.ExitStack() as queue:
        port: int = listener.getsockname()[1]
        for _ in range(4):
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield port


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the list of ports to which `HOST` resolves, one address each."""
    ports: list[int] = []
    original_getaddrinfo = socket.getaddrinfo

    def resolve(host: Any, *arguments: Any, **options: Any) -> Any:
        if host != HOST:
            return original_getaddrinfo(host, *arguments, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return ports


@pytest.fixture
def hanging_lookup(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let name lookups hang until the test is over."""
    released = threading.Event()

    def resolve(*_: Any, **__: Any) -> Any:
        released.wait(10)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    yield
    released.set()


@pytest.fixture(autouse=True)
def _short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (imin_client, access_token, aws_client):
        monkeypatch.setattr(module, "CONNECT_TIMEOUT_SECONDS", 0.3)


def _call_imin(port: int) -> None:
    Client(f"http://{HOST}:{port}").accounts()


def _call_issuer(port: int) -> None:
    access_token.fetch_json(f"http://{HOST}:{port}/keys")


def _call_aws(service: str) -> ServiceCall:
    def call(port: int) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", f"http://{HOST}:{port}")
            client = aws_client.make_client(service, read_timeout_seconds=1)
        if service == "dynamodb":
            client.get_item(TableName="x", Key={"pk": {"S": "x"}})
        else:
            client.get_secret_value(SecretId="x")

    return call


CALLS = [
    pytest.param(_call_imin, Problem, id="imin"),
    pytest.param(_call_issuer, requests.ConnectionError, id="issuer"),
    pytest.param(_call_aws("dynamodb"), (ConnectTimeoutError, EndpointConnectionError), id="DynamoDB"),
    pytest.param(_call_aws("secretsmanager"), (ConnectTimeoutError, EndpointConnectionError), id="Secrets Manager"),
]
MAX_SECONDS = 2.5  # for up to three attempts; if every address had its own timeout, one attempt would take 4.8


@pytest.mark.parametrize(("call", "error"), CALLS)
def test_sixteen_silent_addresses_share_one_connect_timeout(
    call: ServiceCall, error: Any, black_hole: int, addresses: list[int]
) -> None:
    addresses += [black_hole] * 16
    start = time.monotonic()
    with pytest.raises(error):
        call(black_hole)
    assert time.monotonic() - start < MAX_SECONDS


@pytest.mark.usefixtures("hanging_lookup")
@pytest.mark.parametrize(("call", "error"), CALLS)
def test_hanging_lookup_ends_with_the_connect_timeout(call: ServiceCall, error: Any) -> None:
    start = time.monotonic()
    with pytest.raises(error):
        call(80)
    assert time.monotonic() - start < MAX_SECONDS


def test_second_address_is_tried_when_the_first_is_silent(black_hole: int, addresses: list[int]) -> None:
    with serve(respond()) as server:
        addresses += [black_hole, int(server.url.rpartition(":")[2])]
        assert Client(f"http://{HOST}:{black_hole}").accounts() == EMPTY_COLLECTION


def test_second_address_is_tried_when_the_first_refuses(addresses: list[int]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        refused_port: int = unused.getsockname()[1]
    with serve(respond()) as server:
        addresses += [refused_port, int(server.url.rpartition(":")[2])]
        assert Client(f"http://{HOST}:{refused_port}").accounts() == EMPTY_COLLECTION


def test_deadline_ends_connecting(black_hole: int, addresses: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imin_client, "CONNECT_TIMEOUT_SECONDS", 30.0)
    addresses += [black_hole] * 16
    start = time.monotonic()
    assert Client(f"http://{HOST}:{black_hole}").problem(seconds=0.5).code in {"upstream_unavailable", "upstream_timeout"}
    assert time.monotonic() - start < 2


def test_silent_tls_handshake_ends_with_the_connect_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imin_client, "MAX_ATTEMPTS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        assert Client(f"https://127.0.0.1:{silent.getsockname()[1]}").problem().code == "upstream_timeout"
        assert time.monotonic() - start < 2


@pytest.mark.parametrize("error", [socket.gaierror("no such host"), UnicodeError("label too long")])
def test_failed_lookup_raises_its_own_error(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(type(error)):
        connecting.create_connection((HOST, 80), 1.0)


def test_host_without_addresses_is_unreachable(addresses: list[int]) -> None:
    assert addresses == []
    with pytest.raises(TimeoutError):
        connecting.create_connection((HOST, 80), 1.0)


def test_connection_without_a_timeout_is_blocking() -> None:
    with serve(respond()) as server, connecting.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as connection:
        assert connection.gettimeout() is None


@pytest.mark.parametrize(("idle_seconds", "connections"), [(25.0, 1), (30.0, 2), (3600, 2)])
class TestIdleConnections:
    @pytest.fixture(autouse=True)
    def _clock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.offset_seconds = 0.0
        now = time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: now() + self.offset_seconds)

    def test_connection_to_imin_idle_for_30_seconds_is_replaced(self, idle_seconds: float, connections: int) -> None:
        with serve(respond()) as server:
            client = Client(server.url)
            client.accounts()
            client.accounts()
            self.offset_seconds += idle_seconds
            client.accounts()
        assert server.connections == connections

    def test_connection_to_aws_idle_for_30_seconds_is_replaced(
        self, idle_seconds: float, connections: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with serve(respond(b"{}")) as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
            client = aws_client.make_client("dynamodb", read_timeout_seconds=1)
            for _ in range(2):
                client.get_item(TableName="x", Key={"pk": {"S": "x"}})
            self.offset_seconds += idle_seconds
            client.get_item(TableName="x", Key={"pk": {"S": "x"}})
        assert server.connections == connections


def test_silently_dropped_connection_is_replaced_before_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "MAX_IDLE_SECONDS", 0.0)
    monkeypatch.setattr(transport, "READ_TIMEOUT_SECONDS", 0.5)
    served: list[socket.socket] = []

    def script(connection: socket.socket, request: bytes) -> None:
        if connection in served:
            return  # no response to a second request on the same connection
        served.append(connection)
        respond()(connection, request)

    with serve(script) as server:
        client = Client(server.url)
        assert client.accounts() == client.accounts() == EMPTY_COLLECTION
    assert server.connections == 2
