"""AWS faults, injected at the point where a botocore client sends a request to moto.

Botocore's retries, response parsing and errors are therefore the real ones.
"""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

Send = Callable[[], Any]
Fault = Callable[[int, Send], Any]
"""A function of the attempt's number (from 1) that returns a response, or None for moto's response, or raises an exception.

Its second argument sends the request to moto.
"""


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _respond(status: int, body: bytes) -> Fault:
    return lambda _attempt, _send: AWSResponse("https://aws.example.com", status, HTTPHeaders(), _Raw(body))


def _raise(error: type[EndpointConnectionError | ReadTimeoutError]) -> Fault:
    def fault(_attempt: int, _send: Send) -> Any:
        raise error(endpoint_url="https://aws.example.com")

    return fault


def _respond_with_error(status: int, code: str) -> Fault:
    return _respond(status, json.dumps({"__type": f"com.amazonaws#{code}"}).encode())


def _only_first_attempt(fault: Fault) -> Fault:
    return lambda attempt, send: fault(attempt, send) if attempt == 1 else None


def _lose_response(_attempt: int, send: Send) -> Any:
    send()
    raise ReadTimeoutError(endpoint_url="https://aws.example.com")


HUNG = _raise(ReadTimeoutError)
THROTTLED = _respond_with_error(400, "ThrottlingException")
READ_FAULTS: dict[str, Fault] = {
    "connection refused": _raise(EndpointConnectionError),
    "hung": HUNG,
    "slow": lambda _attempt, _send: None,
    "throttled": THROTTLED,
    "failing": _respond_with_error(500, "InternalServerError"),
    "access denied": _respond_with_error(400, "AccessDeniedException"),
    "invalid response": _respond(200, b"<html>"),
    "hung once": _only_first_attempt(HUNG),
    "throttled once": _only_first_attempt(THROTTLED),
}
CACHED_KEY_FAULTS = {name: READ_FAULTS[name] for name in ("hung", "throttled", "invalid response")}
"""Faults of a read when the function has cached the key."""
WRITE_FAULTS: dict[str, Fault] = {
    **READ_FAULTS,
    "written, but every response lost": _lose_response,
    "written, but the first response lost": _only_first_attempt(_lose_response),
}


class FaultInjector:
    """A hook that applies a fault to a client's requests whose body contains `needle`, until it is removed.

    `attempts` counts these requests, `calls` the client calls that sent them: retries of a call are further attempts.
    """

    def __init__(self, client: Any, needle: str, fault: Fault) -> None:
        self._client = client
        self._needle = needle.encode()
        self._fault = fault
        self._is_sending = False
        self._event = f"before-send.{client.meta.service_model.service_id.hyphenize()}"
        self.attempts = 0
        self._calls: set[Any] = set()
        client.meta.events.register_first(self._event, self._intercept)

    @property
    def calls(self) -> int:
        """Return the number of client calls."""
        return len(self._calls)

    def remove(self) -> None:
        """Remove the hook, so that further requests reach moto."""
        self._client.meta.events.unregister(self._event, self._intercept)

    def _intercept(self, event_name: str, request: Any, **_: Any) -> Any:
        if self._is_sending or self._needle not in request.body:
            return None
        self.attempts += 1
        self._calls.add(request.headers["amz-sdk-invocation-id"])
        response = self._fault(self.attempts, lambda: self._send(event_name, request))
        if response is not None:
            request.url = "https://nowhere.example.com"  # botocore calls every hook, so moto must not recognize the request
        return response

    def _send(self, event_name: str, request: Any) -> Any:
        self._is_sending = True
        try:
            return self._client.meta.events.emit_until_response(event_name, request=request)
        finally:
            self._is_sending = False
