"""Intermittent faults of imin and AWS on loopback, for tests of a running stack.

Periods without faults alternate with periods in which half of the calls fail, with each kind of fault in turn. The content of the
calls is not checked.
"""

import contextlib
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

IMIN_FAULTS = ("unavailable", "busy", "internal error", "invalid body", "hang", "slow body")
AWS_FAULTS = ("throttling", "internal error", "lost response", "hang", "truncated response")
HANG_SECONDS = {"imin": 4.5, "AWS": 1.2}  # just over the functions' timeouts for imin and DynamoDB
BYTE_INTERVAL_SECONDS = 0.2


class FaultSchedule:
    """A schedule that chooses each call's fault, with none before `start` or after `stop`. `injected` counts the faults by kind."""

    def __init__(self, faults: tuple[str, ...], period_seconds: float, rng: random.Random) -> None:
        self._faults = faults
        self._period_seconds = period_seconds
        self._rng = rng
        self._started_at: float | None = None
        self._lock = threading.Lock()
        self.injected: Counter[str] = Counter()
        self.stopped = threading.Event()

    def start(self) -> None:
        """Start the first period, which has no faults."""
        self._started_at = time.monotonic()

    def stop(self) -> None:
        """Stop all faults and release hanging calls."""
        self._started_at = None
        self.stopped.set()

    def next_fault(self) -> str | None:
        """Return the fault for a call that arrives now, if any."""
        if self._started_at is None:
            return None
        period = int((time.monotonic() - self._started_at) / self._period_seconds)
        if period % 2 == 0 or self._rng.random() < 0.5:
            return None
        with self._lock:
            fault = self._faults[self.injected.total() % len(self._faults)]
            self.injected[fault] += 1
        return fault


class Imin:
    """An imin that knows every customer. Each has the accounts added by `connect`, and one that is not connected."""

    def __init__(self, schedule: FaultSchedule) -> None:
        self._schedule = schedule
        self._connected: dict[str, dict[str, str]] = {}

    def connect(self, customer: str, seller: str) -> None:
        """Connect an account now."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._connected.setdefault(customer, {})[seller] = now

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        body = self._accounts(environ["PATH_INFO"].split("/")[4], environ["QUERY_STRING"])
        fault = self._schedule.next_fault()
        if fault in {"unavailable", "busy", "internal error"}:
            status = {"unavailable": "503 Down", "busy": "429 Busy", "internal error": "500 Broken"}[fault]
            start_response(status, [("Retry-After", "1")] if fault == "busy" else [])
            return [b"<html>"]
        start_response("200 OK", [("Content-Type", "application/ld+json"), ("Content-Length", str(len(body)))])
        if fault == "invalid body":
            return [b"<html>".ljust(len(body))]
        if fault == "hang":
            self._schedule.stopped.wait(HANG_SECONDS["imin"])
        return self._send_slowly(body) if fault == "slow body" else [body]

    def _send_slowly(self, body: bytes) -> Iterator[bytes]:
        for index in range(len(body)):
            yield body[index : index + 1]
            self._schedule.stopped.wait(BYTE_INTERVAL_SECONDS)

    def _accounts(self, customer: str, query: str) -> bytes:
        connected = [{"seller": {"@id": seller}, "dateLinked": date} for seller, date in self._connected.get(customer, {}).items()]
        target = f"http://127.0.0.1/connect?{query.encode().hex()}"  # hex, because imin's own URLs don't show the state
        actions = [{"@type": "RegisterAction", "target": target}] if parse_qs(query) else []
        other = {"seller": {"@id": "other"}, "imin:matchingEmailExists": True, "potentialAction": actions}
        return json.dumps({"imin:item": [*connected, other]}).encode()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, _request: object, _client_address: object) -> None:
        """Ignore clients that disconnected early."""


class _Handler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextlib.contextmanager
def serve_wsgi(application: "WSGIApplication") -> Iterator[str]:
    """Serve `application` with one thread for each request; yield its URL."""
    with make_server("127.0.0.1", 0, application, _Server, _Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def inject_faults(aws: "WSGIApplication", schedule: FaultSchedule) -> "WSGIApplication":
    """Wrap `aws` with the faults of `schedule`. AWS still executes a call that hangs or whose response is lost or truncated."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        fault = schedule.next_fault()
        if fault in {"throttling", "internal error"}:
            return _error_response(fault, start_response)
        if fault == "truncated response":
            return list(aws(environ, _overstate_length(start_response)))
        if fault == "lost response":
            list(aws(environ, _discard_response))
            return _error_response("internal error", start_response)
        response = list(aws(environ, start_response))
        if fault == "hang":
            schedule.stopped.wait(HANG_SECONDS["AWS"])
        return response

    return application


def _error_response(fault: str, start_response: "StartResponse") -> list[bytes]:
    status, code = ("400 Bad Request", "ThrottlingException") if fault == "throttling" else ("500 Error", "InternalServerError")
    start_response(status, [("Content-Type", "application/x-amz-json-1.0")])
    return [json.dumps({"__type": f"com.amazonaws#{code}", "message": "intermittent"}).encode()]


def _discard_response(_status: str, _headers: list[tuple[str, str]], _error: object = None) -> Callable[[bytes], object]:
    return lambda _: None


def _overstate_length(start_response: "StartResponse") -> "StartResponse":
    """Return a `start_response` that adds 10 bytes to Content-Length, so that the response looks truncated."""

    def start(status: str, headers: list[tuple[str, str]], _error: object = None) -> Callable[[bytes], object]:
        other_headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
        length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        return start_response(status, [*other_headers, ("Content-Length", str(length + 10))])

    return start


def extract_redirect_uri(connect_url: str) -> str:
    """Return the callback URL to which imin redirects a customer from `connect_url`."""
    return parse_qs(bytes.fromhex(urlsplit(connect_url).query).decode())["redirectUri"][0]
