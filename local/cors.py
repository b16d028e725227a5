"""API Gateway's CORS for HTTP APIs on this machine: preflights and headers according to the template's `CorsConfiguration`.

API Gateway answers every OPTIONS request itself, whatever the path.
Source: API Gateway's developer guide, "Configure CORS for HTTP APIs". Assumption: its own error responses have the headers too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.wrappers import Request, Response


class Cors:
    """The CORS configuration in force for `origins`."""

    def __init__(self, configuration: Mapping[str, Any], origins: Sequence[str]) -> None:
        self._origins = frozenset(origins)
        self._preflight = {
            "access-control-allow-methods": ",".join(configuration["AllowMethods"]),
            "access-control-allow-headers": ",".join(configuration["AllowHeaders"]).lower(),
            "access-control-max-age": str(configuration["MaxAge"]),
        }
        self._exposed = ",".join(configuration["ExposeHeaders"]).lower()

    def preflight(self, request: Request) -> Response | None:
        """Return the response to an OPTIONS request, which has no route; None for any other request, or without CORS."""
        if not self._origins or request.method != "OPTIONS":
            return None
        response = Response(status=204)
        del response.headers["Content-Type"]
        if request.headers.get("Origin") in self._origins and "Access-Control-Request-Method" in request.headers:
            response.headers.update(self._preflight)
        return response

    def add_headers(self, request: Request, response: Response) -> None:
        """Add the headers that let a page of an allowed origin read `response`."""
        origin = request.headers.get("Origin")
        if origin in self._origins:
            response.headers["access-control-allow-origin"] = origin
            response.headers["access-control-expose-headers"] = self._exposed
