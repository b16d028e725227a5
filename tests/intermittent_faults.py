"""An imin and an AWS on loopback whose faults are intermittent, for tests of a running stack.

Half of the time all is well; in each other turn half of the calls are hit, by one kind of fault after the other. What the calls ask
for is not judged here.
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

IMIN_FAULTS = ("fails", "is busy", "breaks", "lies", "hangs", "drips")
AWS_FAULTS = ("throttles", "fails", "loses the answer", "hangs", "cuts the answer off")
HANG_SECONDS = {"imin": 4.5, "AWS": 1.2}  # each a little longer than the functions wait for it (Secrets Manager: shorter)
DRIP_SECONDS = 0.2


class FaultSchedule:
    """Decides which call gets which fault. Nothing fails before `begin` or after `end`. `met` counts the affected calls."""

    def __init__(self, faults: tuple[str, ...], seconds: float, chance: random.Random) -> None:
        self._faults = faults
        self._seconds = seconds
        self._chance = chance
        self._begun_at: float | None = None
        self._lock = threading.Lock()
        self.met: Counter[str] = Counter()
        self.ended = threading.Event()

    def begin(self) -> None:
        """Start the first period, which has no faults."""
        self._begun_at = time.monotonic()

    def end(self) -> None:
        """End all faults, and release hanging calls."""
        self._begun_at = None
        self.ended.set()

    def fault(self) -> str | None:
        """Return the fault of a call that arrives now, if any."""
        if self._begun_at is None:
            return None
        turn = int((time.monotonic() - self._begun_at) / self._seconds)
        if turn % 2 == 0 or self._chance.random() < 0.5:
            return None
        with self._lock:
            fault = self._faults[self.met.total() % len(self._faults)]
            self.met[fault] += 1
        return fault


class Imin:
    """An imin with whatever customers are asked for. Each has the accounts that `connect` made, and one that is not connected."""

    def __init__(self, schedule: FaultSchedule) -> None:
        self._schedule = schedule
        self._connected: dict[str, dict[str, str]] = {}

    def connect(self, customer: str, seller: str) -> None:
        """Connect an account now."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._connected.setdefault(customer, {})[seller] = now

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        body = self._accounts(environ["PATH_INFO"].split("/")[4], environ["QUERY_STRING"])
        fault = self._schedule.fault()
        if fault in {"fails", "is busy", "breaks"}:
            status = {"fails": "503 Down", "is busy": "429 Busy", "breaks": "500 Broken"}[fault]
            start_response(status, [("Retry-After", "1")] if fault == "is busy" else [])
            return [b"<html>"]
        start_response("200 OK", [("Content-Type", "application/ld+json"), ("Content-Length", str(len(body)))])
        if fault == "lies":
            return [b"<html>".ljust(len(body))]
        if fault == "hangs":
            self._schedule.ended.wait(HANG_SECONDS["imin"])
        return self._drip(body) if fault == "drips" else [body]

    def _drip(self, body: bytes) -> Iterator[bytes]:
        for place in range(len(body)):
            yield body[place : place + 1]
            self._schedule.ended.wait(DRIP_SECONDS)

    def _accounts(self, customer: str, query: str) -> bytes:
        connected = [{"seller": {"@id": each}, "dateLinked": at} for each, at in self._connected.get(customer, {}).items()]
        target = f"http://127.0.0.1/connect?{query.encode().hex()}"  # which hides the state, as imin's own tokens do
        actions = [{"@type": "RegisterAction", "target": target}] if parse_qs(query) else []
        other = {"seller": {"@id": "other"}, "imin:matchingEmailExists": True, "potentialAction": actions}
        return json.dumps({"imin:item": [*connected, other]}).encode()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, _request: object, _client_address: object) -> None:
        """Ignore clients that gave up."""


class _Handler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextlib.contextmanager
def serving(application: "WSGIApplication") -> Iterator[str]:
    """Serve `application` in threads, silent about clients that give up; return its URL."""
    with make_server("127.0.0.1", 0, application, _Server, _Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def make_aws_with_faults(aws: "WSGIApplication", schedule: FaultSchedule) -> "WSGIApplication":
    """`aws` with the faults of `schedule` before it. What hangs or loses its answer was done, as far as AWS goes."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        fault = schedule.fault()
        if fault in {"throttles", "fails"}:
            return _refusal(fault, start_response)
        if fault == "cuts the answer off":
            return list(aws(environ, _longer(start_response)))
        if fault == "loses the answer":
            list(aws(environ, _unheard))
            return _refusal("fails", start_response)
        answer = list(aws(environ, start_response))
        if fault == "hangs":
            schedule.ended.wait(HANG_SECONDS["AWS"])
        return answer

    return application


def _refusal(fault: str, start_response: "StartResponse") -> list[bytes]:
    status, kind = {"throttles": ("400 Bad Request", "ThrottlingException"), "fails": ("500 Error", "InternalServerError")}[fault]
    start_response(status, [("Content-Type", "application/x-amz-json-1.0")])
    return [json.dumps({"__type": f"com.amazonaws#{kind}", "message": "intermittent"}).encode()]


def _unheard(_status: str, _headers: list[tuple[str, str]], _error: object = None) -> Callable[[bytes], object]:
    return lambda _: None


def _longer(start_response: "StartResponse") -> "StartResponse":
    """Says that the answer is longer than it is, so that it ends before its end."""

    def start(status: str, headers: list[tuple[str, str]], _error: object = None) -> Callable[[bytes], object]:
        kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
        length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        return start_response(status, [*kept, ("Content-Length", str(length + 10))])

    return start


def redirect_uri_in(connect_url: str) -> str:
    """Where this imin sends a customer back who comes to `connect_url`."""
    return parse_qs(bytes.fromhex(urlsplit(connect_url).query).decode())["redirectUri"][0]
