"""A local identity provider: an OIDC issuer whose tokens anybody on this machine can mint, for any customer and any claim."""

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
    """Make an OIDC issuer called `issuer`, with a key that lives as long as the application.

    Of several comma-separated audiences, tokens get the first.
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
        """`customerIdentifier` names the customer; every other member is a claim, also those in `claims`; null takes one away."""
        asked = request.get_json(force=True, silent=True)
        if not isinstance(asked, dict) or not isinstance(asked.get("customerIdentifier"), str) or not asked["customerIdentifier"]:
            return jsonify(message='expected JSON like {"customerIdentifier": "rosie"}'), 400
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": issuer,
            "aud": audience.partition(",")[0],
            "iat": now,
            "nbf": now,
            "exp": now + TOKEN_TTL_SECONDS,
        }
        claims[customer_claim] = asked.pop("customerIdentifier")
        more = asked.pop("claims", None)
        claims |= asked | (more if isinstance(more, dict) else {})
        claims = {name: value for name, value in claims.items() if value is not None}
        # PyJWT checks some claims as it encodes; this issuer mints invalid ones too, so that their rejection can be tested
        payload = json.dumps(claims).encode()
        return jsonify(accessToken=jwt.api_jws.encode(payload, key, "RS256", {"kid": KEY_ID, "typ": "JWT"})), 200

    return app
