"""Identification of the caller: claims verified by API Gateway, and tokens verified by the function itself."""

import functools
import json
import socket
import threading
import time
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from seller_accounts.http import access_token
from seller_accounts.http.access_token import Verifier
from seller_accounts.http.http_api import Request
from seller_accounts.http.identity import Identity
from seller_accounts.http.problems import Problem
from seller_accounts.settings import IdentitySettings
from tests.conftest import App, Context, Output, event
from tests.loopback import respond, send_slowly, serve

ISSUER = "https://identity.example.com"
AUDIENCE = "broker-app"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


class TestClaims:
    @pytest.mark.parametrize("path", ["me", "rosie"])
    def test_me_and_own_identifier_are_the_caller(self, app: App, path: str) -> None:
        assert app.get(path).json["customerIdentifier"] == "rosie"

    @pytest.mark.parametrize("path", ["someone", "ROSIE", "rosie.", "me2"])
    def test_identifier_of_another_customer_is_403(self, app: App, path: str) -> None:
        response = app.get(path)
        assert (response.status, response.json["code"]) == (403, "forbidden")

    @pytest.mark.parametrize(
        "path", ["", ".", "..", "a b", "a/b", "a%2Fb", "é", "a" * 129, "rosie\n", "a;b", "a*b", "a%40b", "a&b", "a'b"]
    )
    def test_malformed_identifier_is_400(self, app: App, path: str) -> None:
        response = app.get(path)
        assert (response.status, response.json["code"]) == (400, "invalid_request")

    @pytest.mark.parametrize("parameters", [None, {}, {"customer": "rosie"}])
    def test_path_without_an_identifier_is_400(self, app: App, parameters: Any) -> None:
        response = app.send(event("accounts-get") | {"pathParameters": parameters})
        assert (response.status, response.json["code"]) == (400, "invalid_request")

    def test_log_line_has_the_customer_identifier(self, app: App, output: Output) -> None:
        app.get("me")
        (line,) = output.lines()
        assert line["customer_identifier"] == "rosie"

    @pytest.mark.parametrize(
        "claims", [{}, {"sub": ""}, {"sub": None}, {"sub": ["rosie"]}, {"sub": True}, {"sub": "a b"}, {"sub": ".."}]
    )
    @pytest.mark.parametrize("path", ["me", "None", "True"])
    def test_token_without_a_customer_is_403(self, app: App, path: str, claims: dict[str, Any]) -> None:
        assert app.get(path, claims=claims).json["code"] == "forbidden"

    def test_every_allowed_character_and_length_is_accepted(self) -> None:
        longest = ("AZaz09._~-|:@+=," * 8)[:128]
        identity = Identity(IdentitySettings(ISSUER, frozenset({AUDIENCE}), "sub"))
        assert identity.customer(_build_request(longest, {"sub": longest})) == longest

    @pytest.mark.parametrize("customer", ["auth0|5fe4", "cust:17", "rosie@example.com", "a+b=c,d", "google-oauth2|1"])
    @pytest.mark.parametrize("is_me", [True, False])
    def test_identifiers_of_identity_providers_are_accepted(self, customer: str, is_me: bool) -> None:
        identity = Identity(IdentitySettings(ISSUER, frozenset({AUDIENCE}), "sub"))
        request = _build_request("me" if is_me else customer, {"sub": customer})
        assert identity.customer(request) == request.log["customer_identifier"] == customer

    @pytest.mark.parametrize(
        ("claims", "path", "reason"),
        [
            ({}, "me", {"reason": "claim_missing", "claim": "sub"}),
            ({"sub": None}, "me", {"reason": "claim_missing", "claim": "sub"}),
            ({"sub": ""}, "rosie", {"reason": "claim_missing", "claim": "sub"}),
            ({"sub": "rosie smith"}, "me", {"reason": "claim_unusable", "claim": "sub"}),
            ({"sub": ["rosie"]}, "rosie", {"reason": "claim_unusable", "claim": "sub"}),
            ({"sub": "a" * 129}, "me", {"reason": "claim_unusable", "claim": "sub"}),
            ({"sub": "rosie"}, "someone", {"reason": "other_customer"}),
        ],
    )
    def test_log_line_has_the_reason_of_a_403(
        self, app: App, output: Output, claims: dict[str, Any], path: str, reason: dict[str, str]
    ) -> None:
        assert app.get(path, claims=claims).status == 403
        (line,) = output.lines()
        assert {name: line[name] for name in ("reason", "claim") if name in line} == reason
        assert not {"rosie smith", "a" * 129, "someone"} & set(map(str, line.values()))

    def test_customer_claim_is_configurable_and_may_be_a_number(self) -> None:
        identity = Identity(IdentitySettings(ISSUER, frozenset({AUDIENCE}), "customer_number"))
        assert identity.customer(_build_request("1234", {"sub": "x", "customer_number": 1234})) == "1234"


def _build_request(path: str, claims: dict[str, Any]) -> Any:
    payload = event("accounts-get")
    payload["pathParameters"]["customerIdentifier"] = path
    payload["requestContext"]["authorizer"]["jwt"]["claims"] = claims
    return Request.from_event(payload, Context())


def make_token(key: Any = RSA_KEY, algorithm: str = "RS256", kid: Any = "1", **claims: Any) -> str:
    """Make a token for rosie that is valid except for the given claims; a claim that is None is left out.

    It is valid for a day, because tokens in parametrized tests are made at collection.
    """
    now = int(time.time())
    merged = {"iss": ISSUER, "aud": AUDIENCE, "sub": "rosie", "exp": now + 86400, "nbf": now} | claims
    payload = json.dumps({name: value for name, value in merged.items() if value is not None}).encode()
    return jwt.api_jws.encode(payload, key, algorithm, {"kid": kid} if kid else {})


class Issuer:
    """The documents that the broker's identity provider publishes."""

    def __init__(self) -> None:
        self.requested_urls: list[str] = []
        self.is_down = False
        self.discovery: Any = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}
        self.keys: Any = {"keys": [_make_jwk(RSA_KEY, "1"), _make_jwk(EC_KEY, "2")]}

    def fetch_json(self, url: str) -> Any:
        self.requested_urls.append(url)
        if self.is_down:
            raise requests.ConnectionError
        return {f"{ISSUER}/.well-known/openid-configuration": self.discovery, f"{ISSUER}/keys": self.keys}[url]


def _make_jwk(key: Any, key_id: str) -> dict[str, Any]:
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": key_id}


class Clock:
    """A clock that only the test advances."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer() -> Issuer:
    """Make an issuer with an RSA key and an elliptic curve key."""
    return Issuer()


@pytest.fixture
def clock() -> Clock:
    """Return the verifier's clock."""
    return Clock()


@pytest.fixture
def verifier(issuer: Issuer, clock: Clock) -> Verifier:
    """Make a verifier that trusts the issuer."""
    return Verifier(ISSUER, {AUDIENCE}, issuer.fetch_json, clock)


def catch_problem(verifier: Verifier, authorization: str) -> Problem:
    """Return the problem that a token causes."""
    with pytest.raises(Problem) as caught:
        verifier.claims(authorization)
    return caught.value


class TestTokens:
    def test_valid_token_is_accepted(self, verifier: Verifier) -> None:
        assert verifier.claims(f"Bearer {make_token()}")["sub"] == "rosie"
        assert verifier.claims(f" bearer  {make_token(EC_KEY, 'ES256', '2')} ")["sub"] == "rosie"

    @pytest.mark.parametrize(
        "authorization", ["", "Basic cm9zaWU6eA==", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", make_token()]
    )
    def test_missing_token_is_401_with_a_challenge(self, verifier: Verifier, authorization: str) -> None:
        problem = catch_problem(verifier, authorization)
        assert problem.code == "unauthenticated"
        assert problem.headers["WWW-Authenticate"].startswith("Bearer")

    @pytest.mark.parametrize(
        "token",
        [
            make_token(OTHER_KEY),
            make_token(exp=int(time.time()) - 1),
            make_token(exp=None),
            make_token(nbf=int(time.time()) + 3600),
            make_token(iss="https://evil.example.com"),
            make_token(iss=None),
            make_token(aud="another-app"),
            make_token(aud=None),
            make_token(kid="3"),
            make_token(kid=None),
            make_token(kid="2"),
            make_token(None, "none"),
            make_token("secret" * 8, "HS256"),
            make_token()[:-4] + "AAAA",
            make_token().replace(".", ".A", 1),
        ],
    )
    def test_invalid_token_is_401(self, verifier: Verifier, token: str) -> None:
        assert catch_problem(verifier, f"Bearer {token}").code == "unauthenticated"

    def test_public_key_is_not_accepted_as_shared_secret(self, verifier: Verifier) -> None:
        public_pem = RSA_KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        header = jwt.utils.base64url_encode(b'{"alg":"HS256","kid":"1","typ":"JWT"}')
        payload = make_token().split(".")[1].encode()
        signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
        forged = signature.sign(header + b"." + payload, public_pem)
        token = b".".join([header, payload, jwt.utils.base64url_encode(forged)]).decode()
        assert catch_problem(verifier, f"Bearer {token}").code == "unauthenticated"

    def test_token_for_several_audiences_is_accepted_if_one_matches(self, verifier: Verifier) -> None:
        assert verifier.claims(f"Bearer {make_token(aud=['another-app', AUDIENCE])}")

    @pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
    def test_key_without_alg_verifies_all_algorithms_of_its_type(self, verifier: Verifier, algorithm: str) -> None:
        assert verifier.claims(f"Bearer {make_token(RSA_KEY, algorithm)}")["sub"] == "rosie"

    def test_key_with_alg_verifies_no_other_algorithm(self, verifier: Verifier, issuer: Issuer) -> None:
        issuer.keys["keys"][0]["alg"] = "RS384"
        assert verifier.claims(f"Bearer {make_token(RSA_KEY, 'RS384')}")
        assert catch_problem(verifier, f"Bearer {make_token(RSA_KEY, 'RS256')}").code == "unauthenticated"

    @pytest.mark.parametrize("audience", ["ios-app", "android-app"])
    def test_token_for_one_of_several_audiences_is_accepted(self, issuer: Issuer, audience: str) -> None:
        verifier = Verifier(ISSUER, {"ios-app", "android-app"}, issuer.fetch_json)
        assert verifier.claims(f"Bearer {make_token(aud=audience)}")
        assert verifier.claims(f"Bearer {make_token(aud=None, client_id=audience)}")


class TestClientId:
    """Access tokens of Cognito, which name the client in `client_id` and have no `aud`."""

    def test_client_id_replaces_a_missing_audience(self, verifier: Verifier) -> None:
        assert verifier.claims(f"Bearer {make_token(aud=None, client_id=AUDIENCE)}")["sub"] == "rosie"

    @pytest.mark.parametrize("audience", ["another-app", "", [], ["another-app"], {}, 5, False])
    def test_client_id_counts_only_without_an_audience(self, verifier: Verifier, audience: Any) -> None:
        assert catch_problem(verifier, f"Bearer {make_token(aud=audience, client_id=AUDIENCE)}").code == "unauthenticated"

    @pytest.mark.parametrize("client_id", ["another-app", "", None, [], {}, AUDIENCE[:4], 5])
    def test_other_client_is_rejected(self, verifier: Verifier, client_id: Any) -> None:
        assert catch_problem(verifier, f"Bearer {make_token(aud=None, client_id=client_id)}").code == "unauthenticated"


class TestKeys:
    def test_keys_are_fetched_once_in_five_minutes(self, verifier: Verifier, issuer: Issuer, clock: Clock) -> None:
        for _ in range(3):
            verifier.claims(f"Bearer {make_token()}")
        clock.now += 299
        verifier.claims(f"Bearer {make_token()}")
        assert issuer.requested_urls == [f"{ISSUER}/.well-known/openid-configuration", f"{ISSUER}/keys"]
        clock.now += 1
        verifier.claims(f"Bearer {make_token()}")
        assert len(issuer.requested_urls) == 4

    def test_flood_of_unknown_keys_fetches_once_in_ten_seconds(self, verifier: Verifier, issuer: Issuer, clock: Clock) -> None:
        verifier.claims(f"Bearer {make_token()}")
        issuer.keys["keys"].append(_make_jwk(OTHER_KEY, "3"))
        for _ in range(5):
            assert catch_problem(verifier, f"Bearer {make_token(OTHER_KEY, kid='3')}").code == "unauthenticated"
        assert len(issuer.requested_urls) == 2
        clock.now += 10
        assert verifier.claims(f"Bearer {make_token(OTHER_KEY, kid='3')}")

    @pytest.mark.parametrize("name", [ISSUER, f"{ISSUER}/"])
    def test_keys_are_fetched_from_the_issuers_jwks_uri(self, name: str) -> None:
        issuer = Issuer()
        issuer.discovery["issuer"] = name
        assert Verifier(name, {AUDIENCE}, issuer.fetch_json).claims(f"Bearer {make_token(iss=name)}")
        assert issuer.requested_urls == [f"{ISSUER}/.well-known/openid-configuration", f"{ISSUER}/keys"]

    def test_missing_keys_are_503_until_the_issuer_is_back(self, verifier: Verifier, issuer: Issuer) -> None:
        issuer.is_down = True
        problem = catch_problem(verifier, f"Bearer {make_token()}")
        assert (problem.code, problem.retry_after_seconds) == ("secret_unavailable", 5)
        issuer.is_down = False
        assert verifier.claims(f"Bearer {make_token()}")

    def test_cached_keys_stay_valid_while_the_issuer_is_down(
        self, verifier: Verifier, issuer: Issuer, clock: Clock, output: Output
    ) -> None:
        verifier.claims(f"Bearer {make_token()}")
        issuer.is_down = True
        clock.now += 300
        assert verifier.claims(f"Bearer {make_token()}")
        (line,) = output.lines()
        assert (line["level"], line["message"], line["errors"]) == ("WARNING", "stale_keys_used", ["ConnectionError"])
        assert catch_problem(verifier, f"Bearer {make_token(kid='3')}").code == "unauthenticated"

    @pytest.mark.parametrize(
        ("discovery", "keys"),
        [
            ({"issuer": "https://evil.example.com", "jwks_uri": f"{ISSUER}/keys"}, {"keys": []}),
            ({"issuer": ISSUER}, {"keys": []}),
            ({"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}, {"keys": []}),
            ({"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}, {"keys": "none"}),
            ({"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}, []),
            ([], {}),
        ],
    )
    def test_invalid_issuer_documents_are_503(self, verifier: Verifier, issuer: Issuer, discovery: Any, keys: Any) -> None:
        issuer.discovery, issuer.keys = discovery, keys
        assert catch_problem(verifier, f"Bearer {make_token()}").code == "secret_unavailable"

    @pytest.mark.parametrize(
        "unusable", ["text", None, {}, {"kid": 3}, {"kid": ""}, {"kid": "3"}, {"kid": "3", "kty": "RSA", "n": 1}]
    )
    def test_unusable_key_does_not_affect_later_ones(self, verifier: Verifier, issuer: Issuer, unusable: Any) -> None:
        issuer.keys["keys"].insert(0, unusable)
        assert verifier.claims(f"Bearer {make_token()}")["sub"] == "rosie"

    def test_key_with_an_empty_id_is_not_used(self, verifier: Verifier, issuer: Issuer) -> None:
        issuer.keys["keys"].append(_make_jwk(OTHER_KEY, ""))
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "rosie", "exp": int(time.time()) + 60}
        token = jwt.encode(claims, OTHER_KEY, "RS256", {"kid": ""})
        assert catch_problem(verifier, f"Bearer {token}").code == "unauthenticated"

    def test_shared_secret_among_the_keys_is_ignored(self, verifier: Verifier, issuer: Issuer) -> None:
        issuer.keys["keys"].append(
            {"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "kid": "3", "alg": "HS256"}
        )
        token = make_token(b"secret" * 6, "HS256", "3")
        assert catch_problem(verifier, f"Bearer {token}").code == "unauthenticated"


@pytest.mark.external
class TestFetching:
    def test_fetch_returns_json(self) -> None:
        with serve(respond(b'{"a": 1}')) as server:
            assert access_token.fetch_json(server.url) == {"a": 1}

    def test_fetch_follows_no_redirect(self) -> None:
        with (
            serve(respond(b"{}")) as elsewhere,
            serve(respond(status="302 Found", Location=elsewhere.url)) as server,
            pytest.raises(requests.HTTPError),
        ):
            access_token.fetch_json(server.url)
        assert elsewhere.requests == []

    def test_fetch_ignores_the_machines_proxy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        with serve(respond(b"{}")) as server:
            assert access_token.fetch_json(server.url) == {}

    def test_fetch_times_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(access_token, "FETCH_SECONDS", 0.1)
        with serve(lambda _connection, _request: None) as server, pytest.raises(requests.Timeout):
            access_token.fetch_json(server.url)

    def test_fetch_connects_within_a_second(self, monkeypatch: pytest.MonkeyPatch) -> None:
        timeouts: list[Any] = []
        connect = socket.socket.connect

        def record_timeout(self: socket.socket, address: Any) -> None:
            timeouts.append(self.gettimeout())
            connect(self, address)

        monkeypatch.setattr(socket.socket, "connect", record_timeout)
        with serve(respond(b"{}")) as server:
            access_token.fetch_json(server.url)
        assert timeouts == [pytest.approx(1, abs=0.5)]
        assert timeouts[0] <= 1

    def test_invalid_json_is_an_error(self) -> None:
        with serve(respond(b"<html>")) as server, pytest.raises(requests.RequestException):
            access_token.fetch_json(server.url)

    def test_slow_document_is_an_error_after_the_timeout(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(access_token, "FETCH_SECONDS", 0.2)
        stopping = threading.Event()
        data = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        with serve(send_slowly(data, 0.05, stopping)) as server, pytest.raises(requests.RequestException):
            access_token.fetch_json(server.url)
        stopping.set()


class TestMissingAuthorizer:
    """Calls without verified claims: `sam local` skips authorizers, and a route may be deployed without one."""

    @pytest.fixture
    def unauthorized_payload(self) -> dict[str, Any]:
        """Build an event without an authorizer."""
        payload = event("accounts-get")
        del payload["requestContext"]["authorizer"]
        return payload

    @pytest.fixture(autouse=True)
    def _issuer(self, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
        """Serve the issuer of the function's own verifier."""
        monkeypatch.setattr(access_token, "Verifier", functools.partial(Verifier, fetch_json=issuer.fetch_json))

    def test_function_verifies_the_token_itself(self, app: App, unauthorized_payload: dict[str, Any], issuer: Issuer) -> None:
        unauthorized_payload["headers"]["authorization"] = f"Bearer {make_token()}"
        assert [app.send(unauthorized_payload).status for _ in range(2)] == [200, 200]
        assert len(issuer.requested_urls) == 2

    def test_missing_token_is_401(self, app: App, unauthorized_payload: dict[str, Any]) -> None:
        response = app.send(unauthorized_payload)
        assert (response.status, response.json["code"]) == (401, "unauthenticated")
        assert response.headers["www-authenticate"] == "Bearer"

    def test_token_of_another_customer_is_403(self, app: App, unauthorized_payload: dict[str, Any]) -> None:
        unauthorized_payload["headers"]["authorization"] = f"Bearer {make_token(sub='member')}"
        assert app.send(unauthorized_payload).status == 403

    def test_token_is_checked_before_the_path(self, app: App, unauthorized_payload: dict[str, Any]) -> None:
        unauthorized_payload["pathParameters"]["customerIdentifier"] = ".."
        assert app.send(unauthorized_payload).status == 401
