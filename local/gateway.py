"""API Gateway's HTTP API on this machine: routes and authorizer of the template, real events of payload format 2.0.

What API Gateway refuses by itself has API Gateway's own body. Source: API Gateway's developer guide, "HTTP APIs".
"""

import base64
import json
import sys
import time
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from local.authorizer import Authorizer, RejectionError
from local.cors import Cors
from local.function_pool import FunctionError, FunctionPool
from local.template import Route

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MAX_REQUEST_BYTES = 10 * 1024 * 1024
MAX_RESPONSE_BYTES = 6 * 1024 * 1024  # what Lambda takes from a function
TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")


class Gateway:
    """The API as a WSGI application. `pools` are the functions behind its routes."""

    def __init__(self, pools: Mapping[Route, FunctionPool], authorizer: Authorizer, cors: Cors, domain_name: str) -> None:
        rules = [Rule(_werkzeug_path(route.path), endpoint=route, methods=[route.method]) for route in pools]
        for rule in rules:
            (rule.methods or set()).discard("HEAD")  # API Gateway answers only the methods that are routed
        self._routes = Map(rules, strict_slashes=False, merge_slashes=False)
        self._pools = pools
        self._authorizer = authorizer
        self._cors = cors
        self._domain_name = domain_name

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        request_id = uuid.uuid4().hex[:16]
        start = time.perf_counter()
        preflight = self._cors.preflight(request)
        route_key, response = ("-", preflight) if preflight else self._answer(request, request_id)
        response.headers["apigw-requestid"] = request_id
        self._cors.add_headers(request, response)
        milliseconds = (time.perf_counter() - start) * 1000
        # never the path: it may hold the state of a link
        print(f"{request_id} {route_key} {response.status_code} {milliseconds:.0f} ms", file=sys.stderr, flush=True)
        return response(environ, start_response)

    def _answer(self, request: Request, request_id: str) -> tuple[str, Response]:
        try:
            route, parameters = self._routes.bind("", path_info=_path_of(request)).match(method=request.method)
        except HTTPException:
            return "-", _refusal(404, "Not Found")
        key = f"{route.method} {route.path}"
        if (request.content_length or 0) > MAX_REQUEST_BYTES:
            return key, _refusal(413, "Request Entity Too Large")
        event = self._event(request, request_id, key, parameters)
        try:
            if route.authorized:
                token = self._authorizer.authorize(request.headers.get("Authorization"))
                event["requestContext"]["authorizer"] = {"jwt": {"claims": _as_text(token.claims), "scopes": token.scopes}}
            return key, _response(self._pools[route].invoke(event))
        except RejectionError as rejection:
            print(f"{request_id} {key}: {rejection}", file=sys.stderr, flush=True)
            message = "Unauthorized" if rejection.status == 401 else "Forbidden"
            return key, _refusal(rejection.status, message, {"www-authenticate": rejection.challenge})
        except (FunctionError, ValueError) as error:
            print(f"{request_id} {key}: {error}", file=sys.stderr, flush=True)
        return key, _refusal(500, "Internal Server Error")

    def _event(self, request: Request, request_id: str, route_key: str, path_parameters: Mapping[str, str]) -> dict[str, Any]:
        now = datetime.now(UTC)
        query = request.query_string.decode("latin-1")
        http = {
            "method": request.method,
            "path": _path_of(request),
            "protocol": request.environ["SERVER_PROTOCOL"],
            "sourceIp": request.remote_addr,
            "userAgent": request.headers.get("User-Agent", ""),
        }
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": route_key,
            "rawPath": _path_of(request),
            "rawQueryString": query,
            "headers": {name.lower(): ",".join(request.headers.getlist(name)) for name, _ in request.headers},
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "local",
                "domainName": self._domain_name,
                "domainPrefix": "local",
                "http": http,
                "requestId": request_id,
                "routeKey": route_key,
                "stage": "$default",
                "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
                "timeEpoch": int(now.timestamp() * 1000),
            },
            "isBase64Encoded": False,
        }
        if path_parameters:
            event["pathParameters"] = {name: unquote(value) for name, value in path_parameters.items()}
        if query:
            event["queryStringParameters"] = {name: ",".join(values) for name, values in parse_qs(query, True).items()}
        if request.cookies:
            event["cookies"] = [f"{name}={value}" for name, value in request.cookies.items()]
        body = request.get_data()
        if body:
            is_text = (request.mimetype or "").startswith(TEXT_TYPES)
            event["body"] = body.decode("utf-8", "replace") if is_text else base64.b64encode(body).decode()
            event["isBase64Encoded"] = not is_text
        return event


def _werkzeug_path(path: str) -> str:
    return path.replace("{", "<").replace("}", ">")


def _path_of(request: Request) -> str:
    """Return the path as the client sent it: an escaped slash in a parameter doesn't end it."""
    return str(request.environ["REQUEST_URI"]).partition("?")[0]


def _as_text(claims: Mapping[str, object]) -> dict[str, str]:
    """Claims as API Gateway hands them on: each a string, a list in brackets with blanks between."""

    def text(value: object) -> str:
        if isinstance(value, list):
            return f"[{' '.join(map(str, value))}]"
        return value if isinstance(value, str) else json.dumps(value)

    return {name: text(value) for name, value in claims.items()}


def _response(answer: Any) -> Response:
    """Convert a function's response into an HTTP response. Raises `ValueError` if API Gateway couldn't."""
    if len(json.dumps(answer)) > MAX_RESPONSE_BYTES:
        raise ValueError("the function's answer is too large")
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return Response(json.dumps(answer), 200, content_type="application/json")
    body = answer.get("body", "")
    response = Response(base64.b64decode(body) if answer.get("isBase64Encoded") else body, answer["statusCode"])
    del response.headers["Content-Type"]
    response.headers.extend(answer.get("headers", {}))
    for cookie in answer.get("cookies", []):
        response.headers.add("Set-Cookie", cookie)
    return response


def _refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps({"message": message}), status, headers, content_type="application/json")
