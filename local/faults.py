"""Faults that the local imin's page can switch on, and the applications that simulate them."""

import json
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from local.imin_state import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FAULTS = {
    "nothing": "Everything works.",
    "imin-down": "imin responds with 503. A link whose customer returns now stays “received” until imin works again.",
    "imin-busy": "imin responds with 429 and “Retry-After: 30”, which the API passes through with a 503.",
    "throttled": "The API responds with 429, as API Gateway does when there are too many calls.",
    "storage-down": "DynamoDB fails. A customer who returns now sees the 503 page; after switching back, “Try again” works.",
    "old-urls": "Connect URLs have expired when they are opened, as after 15 minutes. Used ones are always rejected.",
}
IMIN_RESPONSES: dict[str, dict[str, Any]] = {
    "imin-down": {"status": 503, "contentType": "text/plain", "body": "Service Unavailable"},
    "imin-busy": {"status": 429, "contentType": "text/plain", "body": "Too Many Requests", "retryAfterSeconds": 30},
}


class _Faulty:
    """An application that responds with an error while a fault is switched on."""

    def __init__(self, application: "WSGIApplication", state: State) -> None:
        self._application = application
        self._state = state

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        error = self.failure(Request(environ), self._state.fault)
        return (error or self._application)(environ, start_response)

    def failure(self, request: Request, fault: str) -> Response | None:
        """Return the error response, or None to let the application respond."""
        raise NotImplementedError


class FaultyStorage(_Faulty):
    """AWS with a DynamoDB that can fail."""

    def failure(self, request: Request, fault: str) -> Response | None:
        """Fail DynamoDB's calls. Source: DynamoDB's developer guide, "Error handling"."""
        if fault != "storage-down" or not request.headers.get("X-Amz-Target", "").startswith("DynamoDB"):
            return None
        error = {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "Internal server error"}
        return Response(json.dumps(error), 500, content_type="application/x-amz-json-1.0")


class FaultyGateway(_Faulty):
    """The API with simulated throttling by API Gateway."""

    def failure(self, request: Request, fault: str) -> Response | None:
        """Reject the app's routes, but not the webhook or the demo's files."""
        if fault != "throttled" or not request.path.startswith("/v1/customers/"):
            return None
        return Response(json.dumps({"message": "Too Many Requests"}), 429, content_type="application/json")
