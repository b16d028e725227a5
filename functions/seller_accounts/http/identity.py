"""Identify the caller from a verified access token, and check that the path belongs to them.

API Gateway's JWT authorizer has verified the token when the event has its claims. When it has none (`sam local` skips native
authorizers, or a route was deployed without one), the token is verified here: there is no way around it.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from seller_accounts.http.http_api import Request
from seller_accounts.http.problems import Problem
from seller_accounts.settings import IdentitySettings

if TYPE_CHECKING:
    from seller_accounts.http.access_token import Verifier

CUSTOMER_IDENTIFIER = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._~|:@+=,-]{1,128}")
"""One path segment once percent-encoded, such as `auth0|5fe4`, `cust:17` or `rosie@example.com`."""


class Identity:
    """Identifies the caller of a request; makes its token verifier on first use."""

    def __init__(self, settings: IdentitySettings) -> None:
        self._settings = settings
        self._verifier: Verifier | None = None

    def customer(self, request: Request) -> str:
        """Return the customer identifier of the path, `me` resolved, when it is the caller's own.

        Raises `Problem`: `unauthenticated`, `invalid_request` (a malformed identifier), `forbidden`, and `secret_unavailable`
        (the issuer's keys are unavailable). The log line has the reason for `forbidden`, without the claim's value.
        """
        claims = self._claims(request)
        requested = request.path_parameters.get("customerIdentifier", "")
        if not CUSTOMER_IDENTIFIER.fullmatch(requested):
            raise Problem("invalid_request", "A customer identifier has 1 to 128 characters of A-Z a-z 0-9 . _ ~ - | : @ + = ,")
        claim = self._settings.customer_claim
        caller = _text(claims.get(claim))
        if not CUSTOMER_IDENTIFIER.fullmatch(caller):
            request.log.update(reason="claim_unusable" if claims.get(claim) else "claim_missing", claim=claim)
            raise Problem("forbidden", "The token names no customer.")
        customer = caller if requested == "me" else requested
        if customer != caller:
            request.log["reason"] = "other_customer"
            raise Problem("forbidden", "The token is another customer's.")
        request.log["customer_identifier"] = customer
        return customer

    def _claims(self, request: Request) -> Mapping[str, object]:
        if request.claims is not None:
            return request.claims
        if self._verifier is None:
            # Imported late: it loads a JWT library, which is needless if API Gateway's authorizer verifies tokens.
            from seller_accounts.http.access_token import Verifier

            self._verifier = Verifier(self._settings.issuer, self._settings.audiences)
        return self._verifier.claims(request.headers.get("authorization", ""))


def _text(claim: object) -> str:
    """Return a claim as API Gateway passes it: a number as its digits. Empty for one that can't name a customer."""
    return str(claim) if isinstance(claim, str | int) and not isinstance(claim, bool) else ""
