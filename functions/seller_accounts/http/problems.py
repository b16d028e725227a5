"""Error responses: one exception, one table of problem types, one JSON shape (RFC 9457).

The texts of a `Problem` are public. The internal cause stays in `__cause__`: it is logged, but never sent.
"""

from typing import Literal, NamedTuple

import msgspec

Code = Literal[
    "invalid_request",
    "redirect_uri_not_allowed",
    "unauthenticated",
    "forbidden",
    "customer_not_found",
    "link_not_found",
    "not_found",
    "method_not_allowed",
    "payload_too_large",
    "internal_error",
    "upstream_rejected_key",
    "upstream_invalid_response",
    "upstream_unavailable",
    "storage_unavailable",
    "secret_unavailable",
    "upstream_timeout",
]


class ProblemType(NamedTuple):
    """The status, title and retry advice of a problem code."""

    status: int
    title: str
    retryable: bool = False


PROBLEM_TYPES: dict[Code, ProblemType] = {
    "invalid_request": ProblemType(400, "The request is not valid"),
    "redirect_uri_not_allowed": ProblemType(400, "The redirect URI is not allowed"),
    "unauthenticated": ProblemType(401, "Valid credentials are required"),
    "forbidden": ProblemType(403, "The token does not grant access to this resource"),
    "customer_not_found": ProblemType(404, "The customer is unknown"),
    "link_not_found": ProblemType(404, "The link is unknown"),
    "not_found": ProblemType(404, "There is no such resource"),
    "method_not_allowed": ProblemType(405, "The method is not allowed here"),
    "payload_too_large": ProblemType(413, "The body is too large"),
    "internal_error": ProblemType(500, "The service failed", retryable=True),
    "upstream_rejected_key": ProblemType(502, "The booking platform rejected the service's credentials"),
    "upstream_invalid_response": ProblemType(502, "The booking platform's response is invalid", retryable=True),
    "upstream_unavailable": ProblemType(503, "The booking platform is unavailable", retryable=True),
    "storage_unavailable": ProblemType(503, "Storage is unavailable", retryable=True),
    "secret_unavailable": ProblemType(503, "A required secret is temporarily unavailable", retryable=True),
    "upstream_timeout": ProblemType(504, "The booking platform took too long to respond", retryable=True),
}


class Problem(Exception):
    """A request that can't be served.

    `detail` is public. `headers` are sent with the response, including `Retry-After` (whole seconds, RFC 9110 10.2.3) if
    `retry_after_seconds` is given.
    """

    def __init__(
        self, code: Code, detail: str, *, retry_after_seconds: int | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds
        self.headers = headers or {}
        if retry_after_seconds is not None:
            self.headers["Retry-After"] = str(retry_after_seconds)

    @property
    def status(self) -> int:
        """The HTTP status of the code."""
        return PROBLEM_TYPES[self.code].status


class ProblemBody(msgspec.Struct, rename="camel"):
    """The JSON of a problem: `application/problem+json`, RFC 9457 with three extension members."""

    type: str
    title: str
    status: int
    detail: str
    code: Code
    request_id: str
    retryable: bool


def problem_body(problem: Problem, request_id: str) -> bytes:
    """Encode the response body for `problem`."""
    problem_type = PROBLEM_TYPES[problem.code]
    return msgspec.json.encode(
        ProblemBody(
            f"urn:seller-accounts:problem:{problem.code}",
            problem_type.title,
            problem_type.status,
            problem.detail,
            problem.code,
            request_id,
            problem_type.retryable,
        )
    )
