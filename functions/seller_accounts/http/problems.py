"""What a function refuses, and how it says so: one exception, one table, one JSON shape (RFC 9457).

A `Problem` carries what the app may read. What went wrong inside stays in `__cause__`, for the log and never for the answer.
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


class Kind(NamedTuple):
    """What all problems of one code share."""

    status: int
    title: str
    retryable: bool = False


KINDS: dict[Code, Kind] = {
    "invalid_request": Kind(400, "The request is not valid"),
    "redirect_uri_not_allowed": Kind(400, "The redirect URI is not allowed"),
    "unauthenticated": Kind(401, "Valid credentials are needed"),
    "forbidden": Kind(403, "The token does not give access to this"),
    "customer_not_found": Kind(404, "The customer is not known"),
    "link_not_found": Kind(404, "The link is not known"),
    "not_found": Kind(404, "There is nothing here"),
    "method_not_allowed": Kind(405, "The method is not allowed here"),
    "payload_too_large": Kind(413, "The body is too large"),
    "internal_error": Kind(500, "Something went wrong on our side", retryable=True),
    "upstream_rejected_key": Kind(502, "The booking platform refused our credentials"),
    "upstream_invalid_response": Kind(502, "The booking platform gave an answer that can't be used", retryable=True),
    "upstream_unavailable": Kind(503, "The booking platform is not available", retryable=True),
    "storage_unavailable": Kind(503, "Storage is not available", retryable=True),
    "secret_unavailable": Kind(503, "A key that is needed can't be had now", retryable=True),
    "upstream_timeout": Kind(504, "The booking platform took too long", retryable=True),
}


class Problem(Exception):
    """A request that can't be served, as the app is told.

    `detail` is public. `headers` go out with the answer, `Retry-After` (whole seconds, RFC 9110 10.2.3) among them when
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
        """The HTTP status that goes with the code."""
        return KINDS[self.code].status


class ProblemBody(msgspec.Struct, rename="camel"):
    """The JSON of a problem: `application/problem+json`, RFC 9457 with three members of our own."""

    type: str
    title: str
    status: int
    detail: str
    code: Code
    request_id: str
    retryable: bool


def problem_body(problem: Problem, request_id: str) -> bytes:
    """The answer's body for `problem`, encoded."""
    kind = KINDS[problem.code]
    return msgspec.json.encode(
        ProblemBody(
            f"urn:seller-accounts:problem:{problem.code}",
            kind.title,
            kind.status,
            problem.detail,
            problem.code,
            request_id,
            kind.retryable,
        )
    )
