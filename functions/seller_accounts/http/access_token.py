"""Verify a bearer token: signature by the issuer's published keys, `iss`, `aud` (or `client_id`), `exp`, `nbf`.

Only asymmetric algorithms are accepted, so that a public key can't be used as a shared secret. Authorization belongs to `identity`.
Source: RFC 6750 (bearer tokens), RFC 7519 (JWT), RFC 8725 (JWT best practice), OpenID Connect Discovery 1.0; API Gateway's
developer guide, "Control access to HTTP APIs with JWT authorizers" (`client_id` instead of a missing `aud`).
"""

import contextlib
import functools
import logging
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

import jwt
import requests

from seller_accounts.http.problems import Problem
from seller_accounts.network import transport
from seller_accounts.telemetry import exception_fields, log

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
KEYS_TTL_SECONDS = 300
KEYS_REFRESH_SECONDS = 10  # the shortest time between two fetches because of unknown key ids
CONNECT_TIMEOUT_SECONDS = 1.0
FETCH_SECONDS = 3.0  # for one document, including slow responses

FetchJson = Callable[[str], Any]

_session = functools.cache(transport.make_session)


def fetch_json(url: str) -> Any:
    """Fetch `url` and decode its JSON. Redirects aren't followed.

    Raises `requests.RequestException` on a network error, a status other than 200, or invalid JSON.
    """
    with transport.deadline_at(time.monotonic() + FETCH_SECONDS):
        response = _session().get(url, timeout=CONNECT_TIMEOUT_SECONDS, allow_redirects=False)
    if response.status_code != 200:
        raise requests.HTTPError(response=response)
    return response.json()


class Verifier:
    """Verifies tokens of one issuer, whose keys it caches for five minutes. `clock` returns seconds."""

    def __init__(
        self,
        issuer: str,
        audiences: Collection[str],
        fetch_json: FetchJson = fetch_json,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._audiences = frozenset(audiences)
        self._fetch_json = fetch_json
        self._clock = clock
        self._keys: dict[tuple[str, str], jwt.PyJWK] = {}
        self._fetched_at = -float("inf")

    def claims(self, authorization: str) -> Mapping[str, object]:
        """Verify the token in an `Authorization` header and return its claims.

        Raises `Problem`: `unauthenticated`, or `secret_unavailable` if the issuer's keys are unavailable.
        """
        scheme, _, token = authorization.strip().partition(" ")
        if scheme.lower() != "bearer":
            raise _unauthenticated("A bearer token is required.", "Bearer")
        options: Any = {"require": ["exp", "iss"], "verify_aud": False}
        try:
            key = self._key(jwt.get_unverified_header(token.strip()))
            claims: dict[str, object] = jwt.decode(token.strip(), key, algorithms=ALGORITHMS, issuer=self._issuer, options=options)
            self._check_audience(claims)
        except jwt.PyJWTError as error:
            raise _unauthenticated("The bearer token is invalid.", 'Bearer error="invalid_token"') from error
        return claims

    def _check_audience(self, claims: Mapping[str, object]) -> None:
        """Raise `jwt.InvalidAudienceError` unless `aud` (or `client_id` if there is no `aud`) has one of the audiences."""
        audience = claims["aud"] if "aud" in claims else claims.get("client_id")
        members = audience if isinstance(audience, list) else [audience]
        if not all(isinstance(member, str) for member in members) or self._audiences.isdisjoint(members):
            raise jwt.InvalidAudienceError("another audience")

    def _key(self, header: Mapping[str, object]) -> jwt.PyJWK:
        wanted = (str(header.get("kid")), str(header.get("alg")))
        age = self._clock() - self._fetched_at
        if age >= KEYS_TTL_SECONDS or (wanted not in self._keys and age >= KEYS_REFRESH_SECONDS):
            self._refresh()
        if wanted not in self._keys:
            raise jwt.InvalidKeyError("no such key")
        return self._keys[wanted]

    def _refresh(self) -> None:
        """Fetch the issuer's keys. Known ones stay in use while the issuer is unavailable."""
        try:
            configuration = self._fetch_json(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
            if configuration["issuer"] != self._issuer:
                raise ValueError("the issuer has another name")
            keys = _usable_keys(self._fetch_json(configuration["jwks_uri"])["keys"])
        except (requests.RequestException, jwt.PyJWTError, ValueError, KeyError, TypeError, AttributeError) as error:
            if not self._keys:
                raise Problem(
                    "secret_unavailable", "The keys that verify tokens are temporarily unavailable.", retry_after_seconds=5
                ) from error
            log(logging.WARNING, "stale_keys_used", **exception_fields(error))
        else:
            self._keys = keys
        self._fetched_at = self._clock()


def _usable_keys(keys: Any) -> dict[tuple[str, str], jwt.PyJWK]:
    """Return public keys by id and algorithm; a key without `alg` serves every algorithm that fits it (RFC 7517 4.4).

    Keys without an id, of another type or that are malformed are left out. Raises `ValueError` if none is left.
    """
    usable = {}
    for key in keys:
        if not isinstance(key, dict) or not isinstance(key.get("kid"), str) or not key["kid"]:
            continue
        for algorithm in ALGORITHMS:
            if key.get("alg") in {None, algorithm}:
                with contextlib.suppress(jwt.PyJWTError):
                    usable[key["kid"], algorithm] = jwt.PyJWK(key, algorithm)
    if not usable:
        raise ValueError("no usable key")
    return usable


def _unauthenticated(detail: str, challenge: str) -> Problem:
    return Problem("unauthenticated", detail, headers={"WWW-Authenticate": challenge})
