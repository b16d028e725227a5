"""The smoke test after a deployment, run against healthy and faulty servers and against the local stack."""

import contextlib
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from local import smoke
from tests.loopback import respond, serve
from tests.stack import find_free_ports, start_stack

pytestmark = pytest.mark.external

HEALTHY = {
    "GET /v1/health": "200 OK",
    "GET /v1/customers/me/accounts": "401 Unauthorized",
    "GET /v1/link-callbacks/smoke-test": "400 Bad Request",
    "POST /v1/webhooks/imin": "401 Unauthorized",
}


@contextlib.contextmanager
def serve_api(statuses: Mapping[str, str]) -> Iterator[str]:
    """Serve an API that returns the given status for each route, and 404 for any other."""

    def script(connection: socket.socket, request: bytes) -> None:
        route = request.decode().partition(" HTTP/")[0]
        respond(b"{}", statuses.get(route, "404 Not Found"), Location="/v1/health")(connection, request)

    with serve(script) as server:
        yield server.url


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry after 10 ms, for at most 100 ms."""
    monkeypatch.setattr(smoke, "WAIT_SECONDS", 0.01)
    monkeypatch.setattr(smoke.run, "__defaults__", (0.1,))


def test_healthy_api_passes(capsys: pytest.CaptureFixture[str]) -> None:
    with serve_api(HEALTHY) as url:
        smoke.main(f"{url}/")
    assert "responds as it should (4 calls)" in capsys.readouterr().out


def test_missing_routes_fail_with_a_hint() -> None:
    with (
        serve_api({name: status for name, status in HEALTHY.items() if "customers" not in name}) as url,
        pytest.raises(SystemExit) as exited,
    ):
        smoke.main(url)
    assert "GET /v1/customers/me/accounts: 404, expected 401 (404: API Gateway left out the routes" in str(exited.value.code)
    assert "/v1/health" not in str(exited.value.code)


@pytest.mark.parametrize("route", HEALTHY)
@pytest.mark.parametrize("status", ["503 Service Unavailable", "302 Found"])
def test_any_other_status_fails_without_following_redirects(route: str, status: str) -> None:
    with serve_api(HEALTHY | {route: status}) as url:
        (failure,) = smoke.run(url)
    assert failure.startswith(f"{route}: {status[:3]}, expected {HEALTHY[route][:3]}")


def test_api_that_becomes_healthy_in_time_passes() -> None:
    statuses = dict(HEALTHY)
    del statuses["GET /v1/health"]
    with serve_api(statuses) as url:
        assert smoke.run(url, max_seconds=0)
        statuses |= HEALTHY
        assert smoke.run(url) == []


def test_unreachable_api_fails() -> None:
    (port,) = find_free_ports(1)
    assert all("refused" in failure for failure in smoke.run(f"http://127.0.0.1:{port}"))


def test_local_stack_passes(tmp_path: Path) -> None:
    with start_stack(tmp_path, CONCURRENCY="1") as stack:
        assert smoke.run(stack.url, max_seconds=30) == []
