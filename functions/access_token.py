"""Verifies a bearer token by itself: signature by the issuer's published keys, `iss`, `aud`, `exp`, `nbf`.

It says whether a token is good and what it claims, not who may do what. Only asymmetric algorithms are taken, so that a public
key can never pass for a shared secret.
Source: RFC 6750 (bearer tokens), RFC 7519 (JWT), RFC 8725 (JWT best practice), OpenID Connect Discovery 1.0.
"""

import functools
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import jwt
import requests

import transport
from problems import Problem
from telemetry import describe, log

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
KEYS_TTL_SECONDS = 300
KEYS_REFRESH_SECONDS = 10  # unknown key ids make the keys be fetched afresh no more often than this
CONNECT_TIMEOUT_SECONDS = 1.0
FETCH_SECONDS = 3.0  # in all for one document, bytes that drip in included

FetchJson = Callable[[str], Any]

_session = functools.cache(transport.make_session)


def fetch_json(url: str) -> Any:
    """The JSON at `url`. Raises `requests.RequestException`, also for an answer that is no JSON; follows no redirect."""
    token = transport.deadline.set(time.monotonic() + FETCH_SECONDS)
    try:
        response = _session().get(url, timeout=CONNECT_TIMEOUT_SECONDS, allow_redirects=False)
    finally:
        transport.deadline.reset(token)
    if response.status_code != 200:
        raise requests.HTTPError(response=response)
    return response.json()


class Verifier:
    """Verifies tokens of one issuer for one audience, and keeps the issuer's keys for five minutes. `clock` counts seconds."""

    def __init__(
        self, issuer: str, audience: str, fetch_json: FetchJson = fetch_json, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._fetch_json = fetch_json
        self._clock = clock
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._fetched_at = -float("inf")

    def claims(self, authorization: str) -> Mapping[str, object]:
        """The claims of the token in an `Authorization` header, when every check holds.

        Raises `Problem`: `unauthenticated`, or `secret_unavailable` when the issuer's keys can't be had.
        """
        scheme, _, token = authorization.strip().partition(" ")
        if scheme.lower() != "bearer":
            raise _unauthenticated("A bearer token is needed.", "Bearer")
        try:
            key = self._key(jwt.get_unverified_header(token.strip()).get("kid"))
            options: Any = {"require": ["exp", "iss", "aud"]}
            claims: dict[str, object] = jwt.decode(
                token.strip(), key, algorithms=ALGORITHMS, audience=self._audience, issuer=self._issuer, options=options
            )
        except jwt.PyJWTError as error:
            raise _unauthenticated("The bearer token is not valid.", 'Bearer error="invalid_token"') from error
        return claims

    def _key(self, key_id: str | None) -> jwt.PyJWK:
        age = self._clock() - self._fetched_at
        if age >= KEYS_TTL_SECONDS or (key_id not in self._keys and age >= KEYS_REFRESH_SECONDS):
            self._refresh()
        if key_id not in self._keys:
            raise jwt.InvalidKeyError("no such key")
        return self._keys[key_id]

    def _refresh(self) -> None:
        """Fetches the issuer's keys. Those that are known stay good while the issuer can't be reached."""
        try:
            about = self._fetch_json(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
            if about["issuer"] != self._issuer:
                raise ValueError("the issuer calls itself by another name")
            keys = jwt.PyJWKSet.from_dict(self._fetch_json(about["jwks_uri"])).keys
        except (requests.RequestException, jwt.PyJWTError, ValueError, KeyError, TypeError, AttributeError) as error:
            if not self._keys:
                raise Problem(
                    "secret_unavailable", "The keys that verify tokens can't be had now.", retry_after_seconds=5
                ) from error
            log(logging.WARNING, "stale_keys_used", **describe(error))
        else:
            self._keys = {key.key_id: key for key in keys if key.key_id}
        self._fetched_at = self._clock()


def _unauthenticated(detail: str, challenge: str) -> Problem:
    return Problem("unauthenticated", detail, headers={"WWW-Authenticate": challenge})
