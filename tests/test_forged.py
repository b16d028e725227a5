"""Tokens, states, keys and cursors that are forged or another customer's: none grants access."""

import base64
import hashlib
import hmac
import json
import re
import time
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import TimestampSigner

from seller_accounts.http.access_token import Verifier
from seller_accounts.http.problems import Problem
from seller_accounts.links.link_state import SALT, InvalidStateError
from tests.conftest import STATE_KEY, WEBHOOK_KEY, Imin, event, recording_calls
from tests.linking import CUSTOMER_EVENTS, Customer
from tests.test_identity import AUDIENCE, ISSUER, OTHER_KEY, RSA_KEY, Issuer, catch_problem, make_token
from tests.test_link_state import make_states

MEMBER = {"sub": "member"}
EVIL = "https://evil.example.com"
NOW = int(time.time())
PUBLIC_PEM = RSA_KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
PUBLIC_DER = RSA_KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def issuer() -> Issuer:
    """Make the broker's identity provider."""
    return Issuer()


@pytest.fixture
def verifier(issuer: Issuer) -> Verifier:
    """Make a verifier that has cached the issuer's keys."""
    verifier = Verifier(ISSUER, {AUDIENCE}, issuer.fetch_json, lambda: 1000.0)
    verifier.claims(f"Bearer {make_token()}")
    return verifier


def _encode(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _sign(header: dict[str, Any], key: Any, algorithm: str, **claims: Any) -> str:
    """Build a token with a header that a library wouldn't write."""
    payload = {"iss": ISSUER, "aud": AUDIENCE, "sub": "rosie", "exp": NOW + 86400} | claims
    signing_input = f"{_encode(header)}.{_encode(payload)}"
    return f"{signing_input}.{_encode(jwt.get_algorithm_by_name(algorithm).sign(signing_input.encode(), key))}"


def _sign_as_attacker(header: dict[str, Any], **claims: Any) -> str:
    """Build a token signed with the attacker's key, and a `header` that points to it."""
    return _sign({"alg": "RS256", "kid": "1"} | header, OTHER_KEY, "RS256", **claims)


class TestAlgorithms:
    @pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "", None, "HS256", "RS256 ", "ES256K", 5, ["RS256"]])
    @pytest.mark.parametrize("signature", ["", "AA", make_token().split(".")[2]])
    def test_token_with_alg_none_or_another_algorithm_is_401(self, verifier: Verifier, name: Any, signature: str) -> None:
        payload = make_token().split(".")[1]
        assert (
            catch_problem(verifier, f"Bearer {_encode({'alg': name, 'kid': '1'})}.{payload}.{signature}").code == "unauthenticated"
        )

    @pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
    @pytest.mark.parametrize("secret", [PUBLIC_PEM, PUBLIC_PEM.strip(), PUBLIC_DER, b""], ids=["PEM", "stripped", "DER", "empty"])
    def test_token_signed_with_the_public_key_as_secret_is_401(self, verifier: Verifier, algorithm: str, secret: bytes) -> None:
        digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[algorithm]
        signing_input = f"{_encode({'alg': algorithm, 'kid': '1'})}.{make_token().split('.')[1]}"
        mac = hmac.digest(secret, signing_input.encode(), digest)
        assert catch_problem(verifier, f"Bearer {signing_input}.{_encode(mac)}").code == "unauthenticated"

    def test_key_of_one_type_does_not_verify_another_algorithm(self, verifier: Verifier) -> None:
        ec_key = ec.generate_private_key(ec.SECP256R1())
        assert catch_problem(verifier, f"Bearer {_sign({'alg': 'ES256', 'kid': '1'}, ec_key, 'ES256')}").code == "unauthenticated"


class TestKeyHeaders:
    def test_key_in_or_named_by_the_token_is_neither_used_nor_fetched(self, verifier: Verifier, issuer: Issuer) -> None:
        urls_before = list(issuer.requested_urls)
        own_key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(OTHER_KEY.public_key()))
        for header in (
            {"jku": f"{EVIL}/keys"},
            {"x5u": f"{EVIL}/certificate"},
            {"jwk": own_key},
            {"x5c": [_encode(PUBLIC_DER)]},
            {"x5t": "AAAA"},
            {"kid": f"{EVIL}/keys#1", "jku": f"{EVIL}/keys"},
        ):
            assert catch_problem(verifier, f"Bearer {_sign_as_attacker(header)}").code == "unauthenticated", header
        assert issuer.requested_urls == urls_before

    @pytest.mark.parametrize(
        "kid",
        [
            "../../../../dev/null",
            "/proc/sys/kernel/randomize_va_space",
            "1' OR '1'='1",
            "1; cat /etc/passwd",
            "1\x00",
            "1\r\nX: y",
            "",
            " 1",
            "I" * 100_000,
            None,
            1,
            True,
            ["1"],
            {"kid": "1"},
        ],
    )
    def test_injected_key_id_is_401_and_fetches_nothing(self, verifier: Verifier, issuer: Issuer, kid: Any) -> None:
        urls_before = list(issuer.requested_urls)
        assert catch_problem(verifier, f"Bearer {_sign_as_attacker({'kid': kid})}").code == "unauthenticated"
        assert issuer.requested_urls == urls_before

    @pytest.mark.parametrize("header", [{"crit": ["x"], "x": 1}, {"crit": ["exp"]}, {"b64": False, "crit": ["b64"]}, {"crit": 5}])
    def test_token_with_an_unknown_critical_header_is_401(self, verifier: Verifier, header: dict[str, Any]) -> None:
        token = _sign({"alg": "RS256", "kid": "1"} | header, RSA_KEY, "RS256")
        assert catch_problem(verifier, f"Bearer {token}").code == "unauthenticated"


class TestClaims:
    @pytest.mark.parametrize(
        "claims",
        [
            {"exp": NOW - 1},
            {"exp": 0},
            {"exp": -1},
            {"exp": "soon"},
            {"exp": None},
            {"exp": [NOW + 86400]},
            {"exp": float("inf")},
            {"exp": float("nan")},
            {"nbf": NOW + 86400},
            {"nbf": "later"},
            {"nbf": float("inf")},
            {"iat": NOW + 86400},
            {"iat": float("inf")},
            {"iss": f"{ISSUER}/"},
            {"iss": f"{ISSUER}.evil.example.com"},
            {"iss": [ISSUER]},
            {"iss": ISSUER.upper()},
            {"aud": []},
            {"aud": ["another-app"]},
            {"aud": AUDIENCE[:-1]},
            {"aud": f"{AUDIENCE} another"},
            {"aud": [AUDIENCE, 5]},
            {"aud": {AUDIENCE: True}},
        ],
        ids=lambda claims: re.sub(r"\d{10}", "time", str(claims)),  # every worker must collect the same ids
    )
    def test_token_with_an_invalid_claim_is_401(self, verifier: Verifier, claims: dict[str, Any]) -> None:
        assert catch_problem(verifier, f"Bearer {_sign({'alg': 'RS256', 'kid': '1'}, RSA_KEY, 'RS256', **claims)}").status == 401

    @pytest.mark.parametrize(
        "payload", [b"[]", b"null", b"5", b'"rosie"', b"{", b"\xff", b"[" * 3000, b'{"exp":' + b"9" * 5000 + b"}"]
    )
    def test_token_with_a_non_object_payload_is_401(self, verifier: Verifier, payload: bytes) -> None:
        signing_input = f"{_encode({'alg': 'RS256', 'kid': '1'})}.{_encode(payload)}"
        signature = jwt.get_algorithm_by_name("RS256").sign(signing_input.encode(), RSA_KEY)
        assert catch_problem(verifier, f"Bearer {signing_input}.{_encode(signature)}").code == "unauthenticated"


class TestMalformedTokens:
    @pytest.mark.parametrize("size", [10_000, 1_000_000])
    @pytest.mark.parametrize("unit", ["a", ".", "a.", "[", _encode(b"[" * 3), " ", "é", "="])
    def test_huge_token_is_401(self, verifier: Verifier, unit: str, size: int) -> None:
        start = time.monotonic()
        assert catch_problem(verifier, f"Bearer {unit * (size // len(unit))}").code == "unauthenticated"
        assert time.monotonic() - start < 2

    @pytest.mark.parametrize(
        "header", [b"[" * 100_000, b'{"a":' * 100_000, b'{"alg":"RS256","kid":' + b"9" * 5000 + b"}", b"1e999"]
    )
    def test_token_with_a_deeply_nested_header_is_401(self, verifier: Verifier, header: bytes) -> None:
        assert catch_problem(verifier, f"Bearer {_encode(header)}.{_encode({})}.AA").code == "unauthenticated"


VALID_TOKEN = make_token()


@pytest.fixture
def fetched_versions(secrets_manager: Any) -> Iterator[list[str]]:
    """Record the requested versions of secrets."""
    versions: list[str] = []
    with recording_calls(secrets_manager, lambda _, params: versions.append(params["VersionStage"])):
        yield versions


class TestOtherCustomers:
    @pytest.mark.parametrize("name", CUSTOMER_EVENTS)
    def test_path_of_another_customer_is_rejected(self, rosie: Customer, name: str, calls: list[str]) -> None:
        for path in ("member", "MEMBER", "rosie ", "rosie/../member", "%6De", "member%00", "*", "CUSTOMER#member"):
            payload = event(name)
            payload["pathParameters"]["customerIdentifier"] = path
            assert rosie.send(payload).status in {400, 403}, path
        assert calls == []

    def test_accounts_of_another_customer_are_rejected(self, rosie: Customer, imin: Imin) -> None:
        for path in ("member", "..", "me/../member", "rosie?x=", "rosie%2F..%2Fmember", "rosie#", "\uff4d\uff45"):
            assert rosie.accounts.get(path).status in {400, 403}, path
        assert imin.calls == []

    def test_header_and_query_do_not_change_the_caller(self, rosie: Customer) -> None:
        query = {"customerIdentifier": "member", "customer": "member", "sub": "member"}
        response = rosie.accounts.get(query=query, x_customer_identifier="member", x_forwarded_user="member", cookie="sub=member")
        assert response.json["customerIdentifier"] == "rosie"

    def test_erasing_own_records_leaves_those_of_others(self, rosie: Customer) -> None:
        assert rosie.notify({"identifier": "member"}).status == 204
        assert rosie.notify({"identifier": "rosie"}).status == 204
        assert rosie.read("records-delete").status == 204
        assert len(rosie.read("notices-get", MEMBER, customerIdentifier="member").json["notices"]) == 1

    def test_prefix_of_an_identifier_is_another_customer(self, rosie: Customer) -> None:
        assert rosie.notify({"identifier": "rosie2"}).status == 204
        assert rosie.read("notices-get").json == {"notices": []}
        assert rosie.read("records-delete").status == 204
        assert len(rosie.read("notices-get", {"sub": "rosie2"}, customerIdentifier="rosie2").json["notices"]) == 1


class TestStates:
    def test_state_writes_only_to_the_customer_it_was_issued_for(self, rosie: Customer) -> None:
        link_id, state = rosie.get_link()
        rosie.open_callback(state, "customerIdentifier=member&linkId=x")
        assert rosie.read_link(link_id)["id"] == link_id
        assert rosie.read("links-get", MEMBER, customerIdentifier="member").json == {"links": []}

    @pytest.mark.parametrize("salt", ["", "itsdangerous", f"{SALT}signer", "itsdangerous.Signer"])
    @pytest.mark.parametrize("key", ["", "key", "state-key", WEBHOOK_KEY, f"{STATE_KEY} "])
    def test_state_signed_for_another_use_or_with_another_key_is_400(self, rosie: Customer, key: str, salt: str) -> None:
        forged = TimestampSigner(key or "-", salt=salt, digest_method=hashlib.sha256).sign(b"lJCk").decode()
        assert rosie.open_callback(forged).status == 400

    @pytest.mark.parametrize("digest", [hashlib.sha1, hashlib.md5, hashlib.sha512])
    def test_state_signed_with_another_hash_is_400(self, rosie: Customer, digest: Any) -> None:
        _, state = rosie.get_link()
        payload = state.split(".")[0]
        forged = TimestampSigner(STATE_KEY, salt=SALT, digest_method=digest).sign(payload.encode()).decode()
        assert rosie.open_callback(forged).status == 400

    def test_state_is_signed_with_sha_256_for_this_use(self, rosie: Customer) -> None:
        _, state = rosie.get_link()
        assert TimestampSigner(STATE_KEY, salt=SALT, digest_method=hashlib.sha256).validate(state)
        assert not TimestampSigner(STATE_KEY, digest_method=hashlib.sha256).validate(state)
        assert not TimestampSigner(STATE_KEY, salt=SALT).validate(state)

    def test_state_without_a_signature_is_not_decoded(self, rosie: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
        bomb = base64.urlsafe_b64encode(zlib.compress(b" " * 10_000_000)).decode().rstrip("=")
        monkeypatch.setattr(zlib, "decompress", lambda *_: pytest.fail("the payload was decompressed"))
        assert rosie.open_callback(f".{bomb}.aVNzdQ.AAAA").status == 400

    def test_flood_of_invalid_states_fetches_the_keys_once(self, rosie: Customer, fetched_versions: list[str]) -> None:
        for number in range(20):
            assert rosie.open_callback(f"bad.{number}.state").status == 400
        assert 1 <= len(fetched_versions) <= 4, "two versions, at first use and at most once again within ten seconds"


class TestWebhookKeys:
    def test_flood_of_wrong_webhook_keys_fetches_the_keys_once(self, rosie: Customer, fetched_versions: list[str]) -> None:
        for number in range(20):
            assert rosie.notify(key=f"wrong-{number}").status == 401
        assert 1 <= len(fetched_versions) <= 4

    @pytest.mark.parametrize(
        "key", [f" {WEBHOOK_KEY}", f"{WEBHOOK_KEY},{WEBHOOK_KEY}", WEBHOOK_KEY.upper(), f"{WEBHOOK_KEY}\0", "x" * 10**6]
    )
    def test_webhook_key_is_compared_exactly(self, rosie: Customer, key: str) -> None:
        assert rosie.notify(key=key).status == 401

    def test_webhook_key_is_read_only_from_its_header(self, rosie: Customer) -> None:
        forged = event("webhook-post") | {"rawQueryString": f"x-api-key={WEBHOOK_KEY}"}
        forged["headers"] |= {"authorization": f"Bearer {WEBHOOK_KEY}", "cookie": f"x-api-key={WEBHOOK_KEY}", "x-api-key": ""}
        assert rosie.webhook.send(forged).status == 401


class TestCursors:
    def test_cursor_of_another_customer_or_list_shows_only_own_records(self, rosie: Customer) -> None:
        for _ in range(2):
            rosie.open_callback(rosie.get_link()[1])
        cursor = rosie.read(query="limit=1").json["nextCursor"]
        for name in ("links-get", "notices-get"):
            response = rosie.read(name, MEMBER, f"cursor={cursor}", customerIdentifier="member")
            assert (response.status, *response.json.values()) == (200, [])

    def test_any_cursor_text_returns_an_empty_page_or_400(self, rosie: Customer) -> None:
        @given(st.text(max_size=60) | st.binary(max_size=40).map(_encode))
        def check(text: str) -> None:
            response = rosie.read(query=urlencode({"cursor": text}))
            assert response.status == 400 or response.json == {"links": []}

        check()


@pytest.mark.parametrize("name", CUSTOMER_EVENTS)
def test_token_of_another_customer_is_403_on_every_customer_route(rosie: Customer, name: str) -> None:
    payload = event(name)
    payload["pathParameters"]["customerIdentifier"] = "rosie"
    payload["requestContext"]["authorizer"]["jwt"]["claims"] = MEMBER
    assert rosie.send(payload).status == 403


@given(st.text(max_size=80) | st.lists(st.binary(max_size=40), max_size=4).map(lambda parts: ".".join(map(_encode, parts))))
def test_random_text_is_not_a_token(text: str) -> None:
    with pytest.raises(Problem, match="bearer token"):
        Verifier(ISSUER, {AUDIENCE}, Issuer().fetch_json).claims(f"Bearer {text}")


@given(index=st.integers(0), character=st.characters(codec="utf-8"))
def test_changed_token_is_401(index: int, character: str) -> None:
    index %= VALID_TOKEN.rindex(".")  # not the signature, whose last character can have unused bits
    if character == VALID_TOKEN[index]:
        return
    with pytest.raises(Problem, match="bearer token"):
        Verifier(ISSUER, {AUDIENCE}, Issuer().fetch_json).claims(
            f"Bearer {VALID_TOKEN[:index]}{character}{VALID_TOKEN[index + 1 :]}"
        )


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=5))
def test_random_bytes_are_not_a_state(parts: list[bytes]) -> None:
    with pytest.raises(InvalidStateError):
        make_states().read(".".join(map(_encode, parts)))


def test_state_contains_only_link_customer_and_redirect_uri() -> None:
    link = make_states().issue("rosie", "brokerapp://linked")
    content = base64.urlsafe_b64decode(link.state.split(".")[0] + "==")
    assert msgspec.msgpack.decode(content) == [link.id, "rosie", "brokerapp://linked", b""]
