"""The local gateway, with functions that only echo: tokens, scopes and CORS as API Gateway handles them."""

import json
import time
from typing import TYPE_CHECKING, Any, cast

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from werkzeug.test import Client, TestResponse

from local.authorizer import Authorizer
from local.cors import Cors
from local.gateway import Gateway
from local.template import Route, Template

if TYPE_CHECKING:
    from local.function_pool import FunctionPool

ISSUER = "https://identity.example.com"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ACCOUNTS = "/v1/customers/me/accounts"
ORIGIN = "https://app.example.com"
CORS = Template().document["Resources"]["Api"]["Properties"]["CorsConfiguration"]["Fn::If"][1]


class Echo:
    """A function that returns what the authorizer added to its event, or fails."""

    def invoke(self, event: dict[str, Any]) -> Any:
        if event["rawPath"].endswith("/fails"):
            raise ValueError("too large")
        return {
            "statusCode": 200,
            "headers": {"content-type": "application/json", "etag": '"1"'},
            "body": json.dumps(event["requestContext"].get("authorizer")),
        }


class Issuer:
    """The issuer's two documents."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = [
            {**RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True), "kid": "rsa"},
            {**RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True), "kid": "rs256", "alg": "RS256", "use": "sig"},
            {**RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True), "kid": "enc", "use": "enc"},
            {**ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True), "kid": "ec"},
        ]
        self.requests = 0
        self.is_down = False

    def fetch_json(self, url: str) -> Any:
        self.requests += 1
        if self.is_down:
            raise requests.ConnectionError
        if url == f"{ISSUER}/.well-known/openid-configuration":
            return {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}
        return {"keys": self.keys}


def make_token(key: Any = RSA_KEY, algorithm: str = "RS256", kid: str | None = "rsa", **claims: Any) -> str:
    """Make a token that is valid except for the arguments; a claim that is None is left out."""
    now = int(time.time())
    merged = {"iss": ISSUER, "aud": "ios", "sub": "rosie", "exp": now + 86400, "nbf": now, "iat": now} | claims
    payload = json.dumps({name: value for name, value in merged.items() if value is not None}).encode()
    return jwt.api_jws.encode(payload, key, algorithm, {"kid": kid} if kid else {})


@pytest.fixture
def issuer() -> Issuer:
    """Make an issuer with RSA keys and an elliptic curve key."""
    return Issuer()


def make_client(issuer: Issuer, scopes: tuple[str, ...] = (), origins: tuple[str, ...] = ()) -> Client:
    """Make a client of a gateway with two audiences."""
    pool = cast("FunctionPool", Echo())
    routes = [Route("GET", "/v1/customers/{customerIdentifier}/accounts", True), Route("GET", "/v1/fails", False)]
    authorizer = Authorizer(ISSUER, ["ios", "android"], scopes, issuer.fetch_json)
    return Client(Gateway(dict.fromkeys(routes, pool), authorizer, Cors(CORS, origins), "127.0.0.1"))


def get_accounts(client: Client, authorization: str | None = None, path: str = ACCOUNTS, **headers: str) -> TestResponse:
    """Get the accounts, or another path."""
    merged = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(path, headers=merged if authorization is None else merged | {"Authorization": authorization})


def read_challenge(response: TestResponse) -> str:
    """Check that a token was rejected, and return the header with the reason."""
    assert response.status_code == 401
    assert response.json == {"message": "Unauthorized"}
    return response.headers["www-authenticate"]


class TestTokens:
    @pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
    def test_rsa_signature_by_a_key_without_alg_is_accepted(self, issuer: Issuer, algorithm: str) -> None:
        response = get_accounts(make_client(issuer), f"Bearer {make_token(algorithm=algorithm)}")
        assert response.json is not None
        assert response.json["jwt"]["claims"]["sub"] == "rosie"
        assert response.json["jwt"]["scopes"] is None

    @pytest.mark.parametrize("prefix", ["Bearer ", "bearer ", ""])
    def test_token_is_accepted_with_or_without_the_scheme(self, issuer: Issuer, prefix: str) -> None:
        assert get_accounts(make_client(issuer), prefix + make_token()).status_code == 200

    @pytest.mark.parametrize(
        "claims",
        [
            {"aud": "android"},
            {"aud": ["other", "ios"]},
            {"aud": None, "client_id": "android"},
            {"nbf": None, "iat": None},
            {"exp": time.time() + 86400.5},
        ],
    )
    def test_valid_claims_are_accepted_in_any_form(self, issuer: Issuer, claims: dict[str, Any]) -> None:
        assert get_accounts(make_client(issuer), f"Bearer {make_token(**claims)}").status_code == 200

    @pytest.mark.parametrize(
        ("token", "reason"),
        [
            (make_token(EC_KEY, "ES256", "ec"), "signed by ES256"),
            (make_token(algorithm="PS256"), "signed by PS256"),
            (make_token(b"secret" * 8, "HS256"), "signed by HS256"),
            (make_token(None, "none"), "signed by none"),
            (make_token(kid=None), "no kid"),
            (make_token(kid="unknown"), "no key with the token's kid"),
            (make_token(kid="enc"), "no key with the token's kid"),
            (make_token(kid="ec"), "not one for RS256"),
            (make_token(algorithm="RS512", kid="rs256"), "not one for RS512"),
            (make_token(OTHER_KEY), "InvalidSignatureError"),
            (make_token(aud="other"), "the token does not have a valid audience"),
            (make_token(aud="other", client_id="ios"), "the token does not have a valid audience"),
            (make_token(aud=[], client_id="ios"), "the token does not have a valid audience"),
            (make_token(aud=None), "the token does not have a valid audience"),
            (make_token(iss="https://evil.example.com"), "valid issuer"),
            (make_token(exp=1), "expired"),
            (make_token(exp=None), "expired"),
            (make_token(exp="tomorrow"), "not a number"),
            (make_token(nbf=9999999999), "not valid yet (nbf)"),
            (make_token(iat=9999999999), "not valid yet (iat)"),
            ("a.b.c", "not valid (DecodeError)"),
            ("x", "not valid (DecodeError)"),
        ],
    )
    def test_rejected_token_gets_the_reason_in_header_and_terminal(
        self, issuer: Issuer, token: str, reason: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        header = read_challenge(get_accounts(make_client(issuer), f"Bearer {token}"))
        assert header.startswith('Bearer scope="" error="invalid_token" error_description="')
        assert reason in header
        printed = capsys.readouterr().err
        assert reason in printed
        assert token not in printed

    def test_missing_token_gets_a_bare_challenge(self, issuer: Issuer) -> None:
        assert read_challenge(get_accounts(make_client(issuer))) == "Bearer"

    def test_algorithm_name_cannot_inject_a_header_line(self, issuer: Issuer) -> None:
        header = jwt.utils.base64url_encode(b'{"alg":"a\\r\\nX: \\"y","kid":"rsa"}').decode()
        assert "\n" not in read_challenge(get_accounts(make_client(issuer), f"Bearer {header}.e30.AAAA"))

    def test_keys_are_cached_and_an_unreachable_issuer_is_401(self, issuer: Issuer) -> None:
        issuer.is_down = True
        gateway = make_client(issuer)
        assert "OIDC discovery endpoint communication error" in read_challenge(get_accounts(gateway, make_token()))
        issuer.is_down = False
        assert get_accounts(gateway, make_token()).status_code == 200
        requests_before = issuer.requests
        assert get_accounts(gateway, make_token()).status_code == 200
        assert issuer.requests == requests_before


class TestScopes:
    @pytest.mark.parametrize("claims", [{"scope": "openid accounts.read"}, {"scp": ["accounts.read"]}, {"scp": "accounts.write"}])
    def test_one_of_the_scopes_is_enough_and_reaches_the_function(self, issuer: Issuer, claims: dict[str, Any]) -> None:
        response = get_accounts(make_client(issuer, ("accounts.read", "accounts.write")), f"Bearer {make_token(**claims)}")
        assert response.json is not None
        assert response.json["jwt"]["scopes"] == ["accounts.write" if claims == {"scp": "accounts.write"} else "accounts.read"]

    @pytest.mark.parametrize("claims", [{}, {"scope": "openid"}, {"scope": "accounts"}, {"scp": 1}])
    def test_token_without_a_scope_is_403_naming_the_scopes(self, issuer: Issuer, claims: dict[str, Any]) -> None:
        response = get_accounts(make_client(issuer, ("accounts.read", "accounts.write")), f"Bearer {make_token(**claims)}")
        assert (response.status_code, response.json) == (403, {"message": "Forbidden"})
        assert response.headers["www-authenticate"] == (
            'Bearer scope="accounts.read accounts.write" error="insufficient_scope" '
            'error_description="expected scopes: [accounts.read accounts.write]"'
        )


PREFLIGHT = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}


class TestCors:
    @pytest.mark.parametrize("origin", [ORIGIN, "capacitor://localhost"])
    @pytest.mark.parametrize("path", [ACCOUNTS, "/v1/nothing"])
    def test_preflight_of_an_allowed_origin_needs_no_token(self, issuer: Issuer, origin: str, path: str) -> None:
        response = make_client(issuer, origins=(ORIGIN, "capacitor://localhost")).options(
            path, headers=PREFLIGHT | {"Origin": origin}
        )
        assert response.status_code == 204
        assert response.headers["access-control-allow-origin"] == origin
        assert response.headers["access-control-allow-methods"] == "GET,DELETE"
        assert response.headers["access-control-allow-headers"] == "authorization,accept,if-none-match"
        assert response.headers["access-control-max-age"] == "300"

    @pytest.mark.parametrize("headers", [PREFLIGHT | {"Origin": "https://evil.example.com"}, {}])
    def test_any_other_preflight_gets_no_cors_headers(self, issuer: Issuer, headers: dict[str, str]) -> None:
        response = make_client(issuer, origins=(ORIGIN,)).options(ACCOUNTS, headers=headers)
        assert response.status_code == 204
        assert not [name for name, _ in response.headers if name.startswith("access-control")]

    @pytest.mark.parametrize(
        ("path", "authorization", "status"),
        [(ACCOUNTS, f"Bearer {make_token()}", 200), (ACCOUNTS, "", 401), ("/v1/nothing", "", 404), ("/v1/fails", "", 500)],
    )
    def test_every_response_to_an_allowed_origin_can_be_read(
        self, issuer: Issuer, path: str, authorization: str, status: int
    ) -> None:
        gateway = make_client(issuer, origins=(ORIGIN,))
        response = get_accounts(gateway, authorization, path, Origin=ORIGIN)
        assert response.status_code == status
        assert response.headers["access-control-allow-origin"] == ORIGIN
        assert response.headers["access-control-expose-headers"] == "etag,retry-after,apigw-requestid"
        assert (
            "access-control-allow-origin"
            not in get_accounts(gateway, authorization, path, Origin="https://evil.example.com").headers
        )
        assert "access-control-allow-origin" not in get_accounts(gateway, authorization, path).headers

    def test_cors_is_off_without_allowed_origins(self, issuer: Issuer) -> None:
        assert make_client(issuer).options(ACCOUNTS, headers=PREFLIGHT).status_code == 404
        assert "access-control-allow-origin" not in get_accounts(make_client(issuer), Origin=ORIGIN).headers
