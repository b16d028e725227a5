"""Faults of AWS, put between a client and moto at the client's edge: where botocore would send a request.

So its retries, its reading of answers and its errors are the real ones.
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
"""What becomes of the attempt with this number (from 1): the answer, None for moto's, or an exception. `Send` lets moto do it."""


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _answers(status: int, body: bytes) -> Fault:
    return lambda _attempt, _send: AWSResponse("https://aws.example.com", status, HTTPHeaders(), _Raw(body))


def _fails(kind: type[EndpointConnectionError | ReadTimeoutError]) -> Fault:
    def fault(_attempt: int, _send: Send) -> Any:
        raise kind(endpoint_url="https://aws.example.com")

    return fault


def _refuses(status: int, code: str) -> Fault:
    return _answers(status, json.dumps({"__type": f"com.amazonaws#{code}"}).encode())


def _once(first: Fault) -> Fault:
    return lambda attempt, send: first(attempt, send) if attempt == 1 else None


def _done_but_lost(_attempt: int, send: Send) -> Any:
    send()
    raise ReadTimeoutError(endpoint_url="https://aws.example.com")


HUNG = _fails(ReadTimeoutError)
THROTTLED = _refuses(400, "ThrottlingException")
READ_FAULTS: dict[str, Fault] = {
    "connection refused": _fails(EndpointConnectionError),
    "hung": HUNG,
    "slow": lambda _attempt, _send: None,
    "throttled": THROTTLED,
    "failing": _refuses(500, "InternalServerError"),
    "access denied": _refuses(400, "AccessDeniedException"),
    "invalid response": _answers(200, b"<html>"),
    "hung once": _once(HUNG),
    "throttled once": _once(THROTTLED),
}
KEPT_FAULTS = {name: READ_FAULTS[name] for name in ("hung", "throttled", "invalid response")}
"""For keys that are known."""
WRITE_FAULTS: dict[str, Fault] = {
    **READ_FAULTS,
    "written, but every response lost": _done_but_lost,
    "written, but the first response lost": _once(_done_but_lost),
}


class Between:
    """Stands between `client` and moto until it is taken away, for requests that have `needle` in their body.

    `attempts` are those that it met, `calls` the calls that they were made for.
    """

    def __init__(self, client: Any, needle: str, fault: Fault) -> None:
        self._client = client
        self._needle = needle.encode()
        self._fault = fault
        self._is_sending = False
        self._event = f"before-send.{client.meta.service_model.service_id.hyphenize()}"
        self.attempts = 0
        self._calls: set[Any] = set()
        client.meta.events.register_first(self._event, self._meet)

    @property
    def calls(self) -> int:
        """How many calls they were."""
        return len(self._calls)

    def take_away(self) -> None:
        """Lets all requests pass from now on."""
        self._client.meta.events.unregister(self._event, self._meet)

    def _meet(self, event_name: str, request: Any, **_: Any) -> Any:
        if self._is_sending or self._needle not in request.body:
            return None
        self.attempts += 1
        self._calls.add(request.headers["amz-sdk-invocation-id"])
        answer = self._fault(self.attempts, lambda: self._send(event_name, request))
        if answer is not None:
            request.url = "https://nowhere.example.com"  # botocore asks all who stand here, and moto would do it all the same
        return answer

    def _send(self, event_name: str, request: Any) -> Any:
        self._is_sending = True
        try:
            return self._client.meta.events.emit_until_response(event_name, request=request)
        finally:
            self._is_sending = False
