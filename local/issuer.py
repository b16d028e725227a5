"""A local identity provider: an OIDC issuer that gives anyone on this machine tokens with any customer and any claims."""

import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask, Response, jsonify, request
from jwt.algorithms import RSAAlgorithm

TOKEN_TTL_SECONDS = 3600
KEY_ID = "local"


def make_issuer(issuer: str, audience: str, customer_claim: str) -> Flask:
    """Return the issuer as an application with a new signing key.

    `audience` may be comma-separated; tokens get the first one.
    """
    app = Flask("issuer")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": KEY_ID, "use": "sig", "alg": "RS256"}

    @app.get("/.well-known/openid-configuration")
    def configuration() -> Response:
        return jsonify(issuer=issuer, jwks_uri=f"{issuer}/.well-known/jwks.json", id_token_signing_alg_values_supported=["RS256"])

    @app.get("/.well-known/jwks.json")
    def keys() -> Response:
        return jsonify(keys=[public])

    @app.post("/token")
    def token() -> tuple[Response, int]:
        """Issue a token for `customerIdentifier`. Other members, and those of `claims`, set claims; null removes one."""
        body = request.get_json(force=True, silent=True)
        if not isinstance(body, dict) or not isinstance(body.get("customerIdentifier"), str) or not body["customerIdentifier"]:
            return jsonify(message='expected JSON like {"customerIdentifier": "rosie"}'), 400
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": issuer,
            "aud": audience.partition(",")[0],
            "iat": now,
            "nbf": now,
            "exp": now + TOKEN_TTL_SECONDS,
        }
        claims[customer_claim] = body.pop("customerIdentifier")
        extra_claims = body.pop("claims", None)
        claims |= body | (extra_claims if isinstance(extra_claims, dict) else {})
        claims = {name: value for name, value in claims.items() if value is not None}
        # `jwt.encode` checks some claims, but this issuer must be able to make invalid tokens too
        payload = json.dumps(claims).encode()
        return jsonify(accessToken=jwt.api_jws.encode(payload, key, "RS256", {"kid": KEY_ID, "typ": "JWT"})), 200

    return app
