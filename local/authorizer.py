"""API Gateway's JWT authorizer on this machine: it accepts and rejects the same tokens as the real one.

Tokens need an RSA signature (RS256, RS384, RS512) and a `kid`. This module shares no code with the functions' own check.
Source: API Gateway's developer guide, "Control access to HTTP APIs with JWT authorizers" and "Troubleshooting issues with HTTP API
JWT authorizers". Assumption: the descriptions in challenges, except those about audience and scopes, which are API Gateway's.
"""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jwt
import requests

ALGORITHMS = ("RS256", "RS384", "RS512")
FETCH_TIMEOUT_SECONDS = 1.5
MIN_REFRESH_SECONDS = 10
KEYS_TTL_SECONDS = 300  # API Gateway keeps keys for up to two hours

FetchJson = Callable[[str], Any]


class RejectionError(Exception):
    """A rejected request, with the status and the challenge that API Gateway sends."""

    def __init__(self, status: int, challenge: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.challenge = challenge


@dataclass(frozen=True)
class Authorized:
    """The verified claims of a token, and those of the route's scopes that it has (None if the route has no scopes)."""

    claims: Mapping[str, object]
    scopes: list[str] | None


def fetch_json(url: str) -> Any:
    """Fetch `url` and decode its JSON. Raises `requests.RequestException`."""
    response = requests.get(url, timeout=FETCH_TIMEOUT_SECONDS, allow_redirects=False)
    response.raise_for_status()
    return response.json()


@dataclass
class Authorizer:
    """The JWT authorizer of an issuer, for any of `audiences`; a token must have one of `scopes`, if any are given."""

    issuer: str
    audiences: Sequence[str]
    scopes: Sequence[str] = ()
    fetch_json: FetchJson = fetch_json
    clock: Callable[[], float] = time.time
    _keys: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _fetched_at: float = -float("inf")

    def authorize(self, authorization: str | None) -> Authorized:
        """Check the token in an `Authorization` header. Raises `RejectionError`."""
        if not authorization:
            raise RejectionError(401, "Bearer", "no token")
        try:
            return self._check(authorization)
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise _invalid(f"the token is not valid ({type(error).__name__})") from error

    def _check(self, authorization: str) -> Authorized:
        scheme, _, rest = authorization.strip().partition(" ")
        token = rest.strip() if scheme.lower() == "bearer" else authorization.strip()
        header = jwt.get_unverified_header(token)
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS:
            raise _invalid(f"the token is signed by {algorithm}, but API Gateway takes only {', '.join(ALGORITHMS)}")
        key = self._find_key(header.get("kid"))
        if key.get("kty") != "RSA" or key.get("alg", algorithm) != algorithm:
            raise _invalid(f"the key is not one for {algorithm}")
        claims: dict[str, object] = json.loads(jwt.api_jws.decode(token, jwt.PyJWK(dict(key), algorithm), [algorithm]))
        self._check_claims(claims)
        return Authorized(claims, self._check_scopes(claims))

    def _find_key(self, key_id: object) -> Mapping[str, Any]:
        if not isinstance(key_id, str):
            raise _invalid("the token has no kid")
        age = self.clock() - self._fetched_at
        if age >= KEYS_TTL_SECONDS or (key_id not in self._keys and age >= MIN_REFRESH_SECONDS):
            self._refresh_keys()
        if key_id not in self._keys:
            raise _invalid("the issuer has no key with the token's kid")
        return self._keys[key_id]

    def _refresh_keys(self) -> None:
        try:
            document = self.fetch_json(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
            if document["issuer"] != self.issuer:
                raise ValueError("the discovery document names another issuer")
            keys = self.fetch_json(document["jwks_uri"])["keys"]
            self._keys = {key["kid"]: key for key in keys if isinstance(key.get("kid"), str) and key.get("use", "sig") == "sig"}
        except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError) as error:
            if not self._keys:
                raise _invalid(f"OIDC discovery endpoint communication error ({type(error).__name__})") from error
        self._fetched_at = self.clock()

    def _check_claims(self, claims: Mapping[str, object]) -> None:
        if not isinstance(claims, dict) or claims.get("iss") != self.issuer:
            raise _invalid("the token does not have a valid issuer")
        audience = claims["aud"] if "aud" in claims else claims.get("client_id")
        if not set(_texts(audience)) & set(self.audiences):
            raise _invalid("the token does not have a valid audience")
        now = self.clock()
        if not now < _number(claims.get("exp"), missing=0):
            raise _invalid("the token has expired")
        for name in ("nbf", "iat"):
            if now < _number(claims.get(name), missing=0):
                raise _invalid(f"the token is not valid yet ({name})")

    def _check_scopes(self, claims: Mapping[str, object]) -> list[str] | None:
        if not self.scopes:
            return None
        held = {scope for name in ("scope", "scp") for text in _texts(claims.get(name)) for scope in text.split()}
        common = [scope for scope in self.scopes if scope in held]
        if not common:
            names = " ".join(self.scopes)
            reason = f"expected scopes: [{names}]"
            raise RejectionError(403, f'Bearer scope="{names}" error="insufficient_scope" error_description="{reason}"', reason)
        return common


def _invalid(reason: str) -> RejectionError:
    quoted = re.sub(r"[^ !#-\[\]-~]", "?", reason)
    return RejectionError(401, f'Bearer scope="" error="invalid_token" error_description="{quoted}"', reason)


def _texts(claim: object) -> list[str]:
    return [text for text in (claim if isinstance(claim, list) else [claim]) if isinstance(text, str)]


def _number(claim: object, missing: float) -> float:
    """Return a time claim in seconds. Raises `RejectionError` unless it is a number."""
    if claim is None:
        return missing
    if isinstance(claim, bool) or not isinstance(claim, int | float):
        raise _invalid("a time in the token is not a number")
    return claim
