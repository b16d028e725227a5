"""API Gateway's HTTP API, payload format 2.0: events as `Request`, responses, and the handler around the routes.

Every response passes through this module: it converts a `Problem` to problem+json, an unexpected exception to `internal_error`, and
writes one log line per request.
Source: API Gateway's developer guide, "Create AWS Lambda proxy integrations for HTTP APIs".
"""

import base64
import logging
import os
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypedDict
from urllib.parse import parse_qs

import msgspec
from snapshot_restore_py import register_after_restore

from seller_accounts.http.problems import Problem, problem_body
from seller_accounts.settings import check_telemetry
from seller_accounts.telemetry import bind_request_ids, capture_library_warnings, count, exception_fields, log_with_metrics

Event = dict[str, Any]


class Context(Protocol):
    """The part of Lambda's context object that is used."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int: ...


class Response(TypedDict, total=False):
    """A response in payload format 2.0."""

    statusCode: int
    headers: dict[str, str]
    body: str
    isBase64Encoded: bool


class DeploymentError(Exception):
    """The function can't work as it is deployed; the message is a constant name of the reason."""


class Request(msgspec.Struct, frozen=True):
    """One HTTP request as API Gateway sends it. `claims` are None unless its authorizer verified a token."""

    route_key: str
    path_parameters: Mapping[str, str]
    path: str
    raw_query: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    claims: Mapping[str, object] | None
    id: str
    domain_name: str
    raw_body: str
    body_is_base64: bool
    remaining_ms: Callable[[], int]
    log: dict[str, object] = msgspec.field(default_factory=dict)
    """Fields for the log line of this request, besides route, status and duration: identifiers and counts only."""

    @classmethod
    def from_event(cls, event: Event, context: Context) -> "Request":
        """Read `event`. Raises `Problem` when it isn't an event of an HTTP API, `DeploymentError` for payload format 1.0."""
        try:
            if event.get("version") == "1.0" or "httpMethod" in event:
                raise DeploymentError("payload_format_1")
            request_context = event["requestContext"]
            query = event.get("rawQueryString") or ""
            request = cls(
                route_key=request_context["routeKey"],
                path_parameters=event.get("pathParameters") or {},
                path=event["rawPath"],
                raw_query=query,
                query=parse_qs(query, keep_blank_values=True) if query else {},
                headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
                claims=(request_context.get("authorizer") or {}).get("jwt", {}).get("claims"),
                id=request_context["requestId"],
                domain_name=request_context["domainName"],
                raw_body=event.get("body") or "",
                body_is_base64=bool(event.get("isBase64Encoded")),
                remaining_ms=context.get_remaining_time_in_millis,
            )
            _check_types(request)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise Problem("invalid_request", "The request can't be read.") from error
        return request

    def query_value(self, name: str) -> str | None:
        """Return the query parameter `name`, or None. Raises `Problem` (`invalid_request`) if there are several."""
        values = self.query.get(name, [])
        if len(values) > 1:
            raise Problem("invalid_request", f"The query parameter {name} is given more than once.")
        return values[0] if values else None

    def body(self) -> bytes:
        """Return the body as it was sent. Raises `Problem` (`invalid_request`) if it can't be decoded."""
        try:
            return base64.b64decode(self.raw_body, validate=True) if self.body_is_base64 else self.raw_body.encode()
        except ValueError as error:
            raise Problem("invalid_request", "The body can't be read.") from error


def _check_types(request: Request) -> None:
    """Check that all texts are strings that UTF-8 can encode. Raises `TypeError` or `ValueError`."""
    texts = (request.route_key, request.path, request.raw_query, request.id, request.domain_name)
    for text in (*texts, *request.path_parameters.values(), *request.headers.values()):
        if not isinstance(text, str):
            raise TypeError
        text.encode()  # rejects lone surrogates
    if not isinstance(request.raw_body, str) or not isinstance(request.claims, dict | None):
        raise TypeError


Route = Callable[[Request], Response]
ProblemRenderer = Callable[[Problem, str, Request | None], Response]
Handler = Callable[[Event, Context], Response]


def render_problem_json(problem: Problem, request_id: str, _request: Request | None) -> Response:
    """Render a problem for a program: `application/problem+json`."""
    headers = {"Content-Type": "application/problem+json", "Cache-Control": "no-store", **problem.headers}
    return {"statusCode": problem.status, "headers": headers, "body": problem_body(problem, request_id).decode()}


def build_handler(routes: Mapping[str, Route], render_problem: ProblemRenderer = render_problem_json) -> Handler:
    """Build the Lambda handler that serves `routes`, keyed by route key (`GET /v1/health`)."""

    def handler(event: Event, context: Context) -> Response:
        start = time.perf_counter()
        request: Request | None = None
        problem: Problem | None = None
        level, fields = logging.INFO, dict[str, object]()
        bind_request_ids(None, context.aws_request_id)
        try:
            request = Request.from_event(event, context)
            bind_request_ids(request.id, context.aws_request_id)
            response = _find_route(routes, request.route_key)(request)
        except Problem as error:
            problem = error
            level = logging.INFO if problem.status < 500 else logging.WARNING
            fields = _problem_log_fields(problem, error)
        except Exception as error:  # noqa: BLE001 - the last resort of every route
            problem = Problem("internal_error", "The request could not be served.")
            level = logging.ERROR
            fields = _problem_log_fields(problem, error)
        if problem:
            if problem.status >= 500 and not problem.code.startswith("upstream_"):
                count("Faults")  # neither the caller's fault nor imin's
            response = render_problem(problem, request.id if request else context.aws_request_id, request)
        log_with_metrics(
            level,
            "request",
            route=request.route_key if request else "",
            status=response["statusCode"],
            duration_ms=round((time.perf_counter() - start) * 1000, 1),
            **fields,
            **(request.log if request else {}),
        )
        return response

    return handler


def _problem_log_fields(problem: Problem, cause: Exception) -> dict[str, object]:
    """Return the log fields of a problem: its code and, for a 5xx, its cause."""
    if problem.status < 500:
        return {"code": problem.code}
    reason = {"reason": str(cause)} if isinstance(cause, DeploymentError) else {}
    return {"code": problem.code, **exception_fields(cause), **reason}


def init_handler(make_handler: Callable[[Mapping[str, str]], Handler]) -> Handler:
    """Build a function's handler from the environment, in Lambda's init phase. Raises `SettingsError`.

    With SnapStart, Lambda starts many execution environments from one that got this far: each reseeds its random numbers, and what
    `make_handler` builds resets its own connections and secrets.
    Source: Lambda's developer guide, "Handling uniqueness with Lambda SnapStart".
    """
    register_after_restore(random.seed)
    check_telemetry(os.environ)
    capture_library_warnings()
    return make_handler(os.environ)


def _find_route(routes: Mapping[str, Route], route_key: str) -> Route:
    """Find the route. Raises `Problem` for a route key that API Gateway sends only if template and function disagree."""
    if route_key in routes:
        return routes[route_key]
    requested_path = route_key.partition(" ")[2]
    allowed_methods = []
    for key in routes:
        method, _, path = key.partition(" ")
        if path == requested_path:
            allowed_methods.append(method)
    if allowed_methods:
        headers = {"Allow": ", ".join(sorted(allowed_methods))}
        raise Problem("method_not_allowed", "This method is not allowed here.", headers=headers)
    raise Problem("not_found", "There is nothing at this path.")
