"""Who is calling: the customer whom a verified access token names, and whether the path is hers.

API Gateway's JWT authorizer has verified the token when the event has its claims. When it has none (`sam local` skips native
authorizers, or a route was deployed without one), the token is verified here: there is no way around it.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from http_api import Request
from problems import Problem
from settings import IdentitySettings

if TYPE_CHECKING:
    from access_token import Verifier

CUSTOMER_IDENTIFIER = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._~-]{1,128}")  # safe as one path segment, unescaped (RFC 3986 2.3)


class Identity:
    """Reads the caller off a request. What verifies tokens is made when it is first needed."""

    def __init__(self, settings: IdentitySettings) -> None:
        self._settings = settings
        self._verifier: Verifier | None = None

    def customer(self, request: Request) -> str:
        """The customer identifier of the path, `me` resolved, when it is the caller's own.

        Raises `Problem`: `unauthenticated`, `invalid_request` (a malformed identifier), `forbidden`, and `secret_unavailable`
        (the issuer's keys are needed and can't be had).
        """
        claims = self._claims(request)
        asked = request.path_parameters.get("customerIdentifier", "")
        if not CUSTOMER_IDENTIFIER.fullmatch(asked):
            raise Problem("invalid_request", "A customer identifier is 1 to 128 of A-Z, a-z, 0-9, '.', '_', '~' and '-'.")
        caller = _text(claims.get(self._settings.customer_claim))
        if asked not in {caller, "me"} or not CUSTOMER_IDENTIFIER.fullmatch(caller):
            raise Problem("forbidden", "The token is not this customer's.")
        request.log["customer_identifier"] = caller
        return caller

    def _claims(self, request: Request) -> Mapping[str, object]:
        if request.claims is not None:
            return request.claims
        if self._verifier is None:
            from access_token import Verifier  # brings a JWT library, of no use where API Gateway has done its work

            self._verifier = Verifier(self._settings.issuer, self._settings.audience)
        return self._verifier.claims(request.headers.get("authorization", ""))


def _text(claim: object) -> str:
    """A claim as API Gateway hands it on: a number as its digits. What can't name a customer is empty."""
    return str(claim) if isinstance(claim, str | int) and not isinstance(claim, bool) else ""
