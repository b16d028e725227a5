"""Faults to try on purpose: which there are, and the applications that show them. The local imin's page switches them on."""

import json
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from local.imin_state import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FAULTS = {
    "nothing": "Everything works.",
    "imin-down": "imin's accounts call is a 503. A link whose customer returns now stays “received” until imin works again.",
    "imin-busy": "imin's accounts call is a 429 with “Retry-After: 30”, which the API passes on with a 503.",
    "throttled": "The API itself responds with 429, as API Gateway does when there are too many calls.",
    "storage-down": "DynamoDB fails. A customer who returns now sees the 503 page; switch back, and “Try again” works.",
    "old-urls": "Connect URLs expire before they are opened, as after 15 minutes; used ones do anyway.",
}
IMIN_ANSWERS: dict[str, dict[str, Any]] = {
    "imin-down": {"status": 503, "contentType": "text/plain", "body": "Service Unavailable"},
    "imin-busy": {"status": 429, "contentType": "text/plain", "body": "Too Many Requests", "retryAfterSeconds": 30},
}


class _Faulty:
    """An application that answers with an error while a fault is switched on."""

    def __init__(self, application: "WSGIApplication", state: State) -> None:
        self._application = application
        self._state = state

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        failed = self.failure(Request(environ), self._state.fault)
        return (failed or self._application)(environ, start_response)

    def failure(self, request: Request, fault: str) -> Response | None:
        """Return the error, or None if the application is to respond."""
        raise NotImplementedError


class FaultyStorage(_Faulty):
    """AWS whose DynamoDB may fail."""

    def failure(self, request: Request, fault: str) -> Response | None:
        """Fail DynamoDB's calls. Source: DynamoDB's developer guide, "Error handling"."""
        if fault != "storage-down" or not request.headers.get("X-Amz-Target", "").startswith("DynamoDB"):
            return None
        error = {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "Internal server error"}
        return Response(json.dumps(error), 500, content_type="application/x-amz-json-1.0")


class FaultyGateway(_Faulty):
    """The API that may reject calls as API Gateway's throttling does."""

    def failure(self, request: Request, fault: str) -> Response | None:
        """Reject the API's own routes; imin's webhook and the demo's files are let through."""
        if fault != "throttled" or not request.path.startswith("/v1/customers/"):
            return None
        return Response(json.dumps({"message": "Too Many Requests"}), 429, content_type="application/json")
