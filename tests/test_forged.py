"""Tokens, states and cursors that were not issued here, or not to this customer: none of them opens anything."""

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
from tests.conftest import STATE_KEY, WEBHOOK_KEY, App, Imin, event, recording_calls
from tests.linking import Customer
from tests.test_identity import AUDIENCE, ISSUER, OTHER_KEY, RSA_KEY, Issuer, refused, token
from tests.test_link_state import states

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
    made = Verifier(ISSUER, {AUDIENCE}, issuer.fetch_json, lambda: 1000.0)
    made.claims(f"Bearer {token()}")
    return made


def _part(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _signed(header: dict[str, Any], key: Any, algorithm: str, **claims: Any) -> str:
    """Build a token with a header that a library wouldn't write."""
    given = {"iss": ISSUER, "aud": AUDIENCE, "sub": "rosie", "exp": NOW + 86400} | claims
    signing_input = f"{_part(header)}.{_part(given)}"
    return f"{signing_input}.{_part(jwt.get_algorithm_by_name(algorithm).sign(signing_input.encode(), key))}"


def _own(header: dict[str, Any], **claims: Any) -> str:
    """Build a token signed with the attacker's key, and a `header` that points to it."""
    return _signed({"alg": "RS256", "kid": "1"} | header, OTHER_KEY, "RS256", **claims)


class TestAlgorithms:
    @pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "", None, "HS256", "RS256 ", "ES256K", 5, ["RS256"]])
    @pytest.mark.parametrize("signature", ["", "AA", token().split(".")[2]])
    def test_token_with_alg_none_or_another_algorithm_is_401(self, verifier: Verifier, name: Any, signature: str) -> None:
        payload = token().split(".")[1]
        assert refused(verifier, f"Bearer {_part({'alg': name, 'kid': '1'})}.{payload}.{signature}").code == "unauthenticated"

    @pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
    @pytest.mark.parametrize("secret", [PUBLIC_PEM, PUBLIC_PEM.strip(), PUBLIC_DER, b""], ids=["PEM", "stripped", "DER", "empty"])
    def test_token_signed_with_the_public_key_as_secret_is_401(self, verifier: Verifier, algorithm: str, secret: bytes) -> None:
        digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[algorithm]
        signing_input = f"{_part({'alg': algorithm, 'kid': '1'})}.{token().split('.')[1]}"
        mac = hmac.digest(secret, signing_input.encode(), digest)
        assert refused(verifier, f"Bearer {signing_input}.{_part(mac)}").code == "unauthenticated"

    def test_key_of_one_type_does_not_verify_another_algorithm(self, verifier: Verifier) -> None:
        other = ec.generate_private_key(ec.SECP256R1())
        assert refused(verifier, f"Bearer {_signed({'alg': 'ES256', 'kid': '1'}, other, 'ES256')}").code == "unauthenticated"


class TestHeadersThatPointElsewhere:
    def test_key_in_or_named_by_the_token_is_neither_used_nor_fetched(self, verifier: Verifier, issuer: Issuer) -> None:
        asked = list(issuer.asked)
        own_key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(OTHER_KEY.public_key()))
        for header in (
            {"jku": f"{EVIL}/keys"},
            {"x5u": f"{EVIL}/certificate"},
            {"jwk": own_key},
            {"x5c": [_part(PUBLIC_DER)]},
            {"x5t": "AAAA"},
            {"kid": f"{EVIL}/keys#1", "jku": f"{EVIL}/keys"},
        ):
            assert refused(verifier, f"Bearer {_own(header)}").code == "unauthenticated", header
        assert issuer.asked == asked

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
    def test_key_id_is_only_a_name(self, verifier: Verifier, issuer: Issuer, kid: Any) -> None:
        asked = list(issuer.asked)
        assert refused(verifier, f"Bearer {_own({'kid': kid})}").code == "unauthenticated"
        assert issuer.asked == asked

    @pytest.mark.parametrize("header", [{"crit": ["x"], "x": 1}, {"crit": ["exp"]}, {"b64": False, "crit": ["b64"]}, {"crit": 5}])
    def test_token_with_an_unknown_critical_header_is_401(self, verifier: Verifier, header: dict[str, Any]) -> None:
        bad = _signed({"alg": "RS256", "kid": "1"} | header, RSA_KEY, "RS256")
        assert refused(verifier, f"Bearer {bad}").code == "unauthenticated"


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
        assert refused(verifier, f"Bearer {_signed({'alg': 'RS256', 'kid': '1'}, RSA_KEY, 'RS256', **claims)}").status == 401

    @pytest.mark.parametrize(
        "payload", [b"[]", b"null", b"5", b'"rosie"', b"{", b"\xff", b"[" * 3000, b'{"exp":' + b"9" * 5000 + b"}"]
    )
    def test_token_with_a_non_object_payload_is_401(self, verifier: Verifier, payload: bytes) -> None:
        signing_input = f"{_part({'alg': 'RS256', 'kid': '1'})}.{_part(payload)}"
        signature = jwt.get_algorithm_by_name("RS256").sign(signing_input.encode(), RSA_KEY)
        assert refused(verifier, f"Bearer {signing_input}.{_part(signature)}").code == "unauthenticated"


class TestShapes:
    @pytest.mark.parametrize("size", [10_000, 1_000_000])
    @pytest.mark.parametrize("unit", ["a", ".", "a.", "[", _part(b"[" * 3), " ", "é", "="])
    def test_huge_token_is_401(self, verifier: Verifier, unit: str, size: int) -> None:
        start = time.monotonic()
        assert refused(verifier, f"Bearer {unit * (size // len(unit))}").code == "unauthenticated"
        assert time.monotonic() - start < 2

    @pytest.mark.parametrize(
        "header", [b"[" * 100_000, b'{"a":' * 100_000, b'{"alg":"RS256","kid":' + b"9" * 5000 + b"}", b"1e999"]
    )
    def test_token_with_a_deeply_nested_header_is_401(self, verifier: Verifier, header: bytes) -> None:
        assert refused(verifier, f"Bearer {_part(header)}.{_part({})}.AA").code == "unauthenticated"


GOOD = token()


@pytest.fixture
def fetched(secrets_manager: Any) -> Iterator[list[str]]:
    """Record the requested versions of secrets."""
    asked: list[str] = []
    with recording_calls(secrets_manager, lambda _, params: asked.append(params["VersionStage"])):
        yield asked


class TestAnotherCustomersRecords:
    @pytest.mark.parametrize("name", ["links-get", "link-get", "notices-get", "records-delete"])
    def test_path_of_another_customer_is_rejected(self, rosie: Customer, name: str, calls: list[str]) -> None:
        for path in ("member", "MEMBER", "rosie ", "rosie/../member", "%6De", "member%00", "*", "CUSTOMER#member"):
            assert rosie.read(name, customerIdentifier=path).status in {400, 403}, path
        assert calls == []

    def test_accounts_of_another_customer_are_rejected(self, rosie: Customer, imin: Imin) -> None:
        for path in ("member", "..", "me/../member", "rosie?x=", "rosie%2F..%2Fmember", "rosie#", "\uff4d\uff45"):
            assert rosie.accounts.get(path).status in {400, 403}, path
        assert imin.calls == []

    def test_header_and_query_do_not_change_the_caller(self, rosie: Customer) -> None:
        query = {"customerIdentifier": "member", "customer": "member", "sub": "member"}
        answer = rosie.accounts.get(query=query, x_customer_identifier="member", x_forwarded_user="member", cookie="sub=member")
        assert answer.json["customerIdentifier"] == "rosie"

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
        monkeypatch.setattr(zlib, "decompress", lambda *_: pytest.fail("it was unpacked"))
        assert rosie.open_callback(f".{bomb}.aVNzdQ.AAAA").status == 400

    def test_flood_of_invalid_states_fetches_the_keys_once(self, rosie: Customer, fetched: list[str]) -> None:
        for number in range(20):
            assert rosie.open_callback(f"bad.{number}.state").status == 400
        assert 1 <= len(fetched) <= 4, "twice for two versions: when it is first needed, and once more in ten seconds"


class TestWebhookKeys:
    def test_flood_of_wrong_webhook_keys_fetches_the_keys_once(self, rosie: Customer, fetched: list[str]) -> None:
        for number in range(20):
            assert rosie.notify(key=f"wrong-{number}").status == 401
        assert 1 <= len(fetched) <= 4

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
            reply = rosie.read(name, MEMBER, f"cursor={cursor}", customerIdentifier="member")
            assert (reply.status, *reply.json.values()) == (200, [])

    def test_any_cursor_text_is_a_page_or_400(self, rosie: Customer) -> None:
        @given(st.text(max_size=60) | st.binary(max_size=40).map(_part))
        def ask(text: str) -> None:
            reply = rosie.read(query=urlencode({"cursor": text}))
            assert reply.status == 400 or reply.json == {"links": []}

        ask()


def test_token_of_another_customer_is_403_on_every_customer_route(rosie: Customer) -> None:
    apps: dict[str, App] = {"accounts-get": rosie.accounts} | dict.fromkeys(
        ["links-get", "link-get", "notices-get", "records-delete"], rosie.links
    )
    for name, app in apps.items():
        asked = event(name)
        asked["pathParameters"]["customerIdentifier"] = "rosie"
        asked["requestContext"]["authorizer"]["jwt"]["claims"] = MEMBER
        assert app.send(asked).status == 403, name


@given(st.text(max_size=80) | st.lists(st.binary(max_size=40), max_size=4).map(lambda parts: ".".join(map(_part, parts))))
def test_random_text_is_not_a_token(text: str) -> None:
    with pytest.raises(Problem, match="bearer token"):
        Verifier(ISSUER, {AUDIENCE}, Issuer().fetch_json).claims(f"Bearer {text}")


@given(place=st.integers(0), letter=st.characters(codec="utf-8"))
def test_changed_token_is_401(place: int, letter: str) -> None:
    place %= GOOD.rindex(".")  # a signature's last letter can have bits that mean nothing
    if letter == GOOD[place]:
        return
    with pytest.raises(Problem, match="bearer token"):
        Verifier(ISSUER, {AUDIENCE}, Issuer().fetch_json).claims(f"Bearer {GOOD[:place]}{letter}{GOOD[place + 1 :]}")


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=5))
def test_random_bytes_are_not_a_state(parts: list[bytes]) -> None:
    with pytest.raises(InvalidStateError):
        states().read(".".join(map(_part, parts)))


def test_state_contains_only_link_customer_and_redirect_uri() -> None:
    link = states().issue("rosie", "brokerapp://linked")
    content = base64.urlsafe_b64decode(link.state.split(".")[0] + "==")
    assert msgspec.msgpack.decode(content) == [link.id, "rosie", "brokerapp://linked", b""]
