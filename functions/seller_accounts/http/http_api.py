"""API Gateway's HTTP API, payload format 2.0: its events as `Request`, its responses, and the handler around the routes.

Every answer leaves through here, so this is the one place where a `Problem` becomes problem+json, an unforeseen exception
becomes `internal_error`, and a request becomes one log line. What the routes do is not known here.
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
from seller_accounts.telemetry import bind_request_ids, capture_library_warnings, count, describe, log_with_metrics

Event = dict[str, Any]


class Context(Protocol):
    """What is used of the context object that Lambda hands in."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int: ...


class Response(TypedDict, total=False):
    """An answer in payload format 2.0."""

    statusCode: int
    headers: dict[str, str]
    body: str
    isBase64Encoded: bool


class DeploymentError(Exception):
    """The function is deployed in a way that it can't work; the message is a constant name of what is wrong."""


class Request(msgspec.Struct, frozen=True):
    """One HTTP request as API Gateway hands it on. `claims` are those that its authorizer verified, if it did."""

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
    """What the one log line of this request says beside its route, status and duration: identifiers and counts only."""

    @classmethod
    def of(cls, event: Event, context: Context) -> "Request":
        """Read `event`. Raises `Problem` when it isn't an event of an HTTP API, `DeploymentError` for payload format 1.0."""
        try:
            if event.get("version") == "1.0" or "httpMethod" in event:
                raise DeploymentError("payload_format_1")
            about = event["requestContext"]
            query = event.get("rawQueryString") or ""
            request = cls(
                route_key=about["routeKey"],
                path_parameters=event.get("pathParameters") or {},
                path=event["rawPath"],
                raw_query=query,
                query=parse_qs(query, keep_blank_values=True) if query else {},
                headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
                claims=(about.get("authorizer") or {}).get("jwt", {}).get("claims"),
                id=about["requestId"],
                domain_name=about["domainName"],
                raw_body=event.get("body") or "",
                body_is_base64=bool(event.get("isBase64Encoded")),
                remaining_ms=context.get_remaining_time_in_millis,
            )
            _check_types(request)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise Problem("invalid_request", "This is not a request that can be read.") from error
        return request

    def query_value(self, name: str) -> str | None:
        """The query parameter `name`, or None. Raises `Problem` when it is there twice."""
        values = self.query.get(name, [])
        if len(values) > 1:
            raise Problem("invalid_request", f"The query parameter {name} is given more than once.")
        return values[0] if values else None

    def body(self) -> bytes:
        """The body as it was sent. Raises `Problem` when it can't be read."""
        try:
            return base64.b64decode(self.raw_body, validate=True) if self.body_is_base64 else self.raw_body.encode()
        except ValueError as error:
            raise Problem("invalid_request", "The body can't be read.") from error


def _check_types(request: Request) -> None:
    """Raises `TypeError` or `ValueError` unless all texts are such, and can be written in UTF-8: whoever reads them needn't ask."""
    texts = (request.route_key, request.path, request.raw_query, request.id, request.domain_name)
    "".join((*texts, *request.path_parameters.values(), *request.headers.values())).encode()
    if not isinstance(request.raw_body, str) or not isinstance(request.claims, dict | None):
        raise TypeError


Route = Callable[[Request], Response]
Tell = Callable[[Problem, str, Request | None], Response]
Handler = Callable[[Event, Context], Response]


def problem_json(problem: Problem, request_id: str, _request: Request | None) -> Response:
    """How a problem is told to a program."""
    headers = {"Content-Type": "application/problem+json", "Cache-Control": "no-store", **problem.headers}
    return {"statusCode": problem.status, "headers": headers, "body": problem_body(problem, request_id).decode()}


def build_handler(routes: Mapping[str, Route], tell: Tell = problem_json) -> Handler:
    """The Lambda handler that answers `routes`, keyed by route key (`GET /v1/health`), and tells problems by `tell`."""

    def handler(event: Event, context: Context) -> Response:
        start = time.perf_counter()
        request: Request | None = None
        level = logging.INFO
        facts: dict[str, object] = {}
        bind_request_ids(None, context.aws_request_id)
        try:
            request = Request.of(event, context)
            bind_request_ids(request.id, context.aws_request_id)
            response = _route_of(routes, request.route_key)(request)
        except Exception as error:  # noqa: BLE001 - the last resort of every route
            problem = error if isinstance(error, Problem) else Problem("internal_error", "The request could not be served.")
            response = tell(problem, request.id if request else context.aws_request_id, request)
            level, facts = _told(problem, error)
        log_with_metrics(
            level,
            "request",
            route=request.route_key if request else "",
            status=response["statusCode"],
            duration_ms=round((time.perf_counter() - start) * 1000, 1),
            **facts,
            **(request.log if request else {}),
        )
        return response

    return handler


def _told(problem: Problem, error: Exception) -> tuple[int, dict[str, object]]:
    """How loudly the log tells of a problem, and what; one that is neither the caller's nor imin's is counted as a fault."""
    if problem.status < 500:
        return logging.INFO, {"code": problem.code}
    if not problem.code.startswith("upstream_"):
        count("Faults")
    facts: dict[str, object] = {"code": problem.code, **describe(error)}
    if isinstance(error, DeploymentError):
        facts["reason"] = str(error)
    return logging.WARNING if problem is error else logging.ERROR, facts


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


def _route_of(routes: Mapping[str, Route], route_key: str) -> Route:
    """The route of `route_key`; API Gateway routes, so another key means that template and function disagree."""
    if route_key in routes:
        return routes[route_key]
    path = route_key.partition(" ")[2]
    methods = sorted(method for method, _, known in (key.partition(" ") for key in routes) if known == path)
    if methods:
        raise Problem("method_not_allowed", "This method is not allowed here.", headers={"Allow": ", ".join(methods)})
    raise Problem("not_found", "There is nothing at this path.")
