"""States: what they carry, how long they are good, and that nobody else can make one."""

import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seller_accounts.links.link_state import (
    DIGEST_BYTES,
    MAX_DIGESTS,
    ExpiredStateError,
    InvalidStateError,
    LinkState,
    LinkStates,
    join_digests,
    seller_digest,
    split_digests,
)
from seller_accounts.settings import StateSettings
from seller_accounts.uuid7 import uuid7


class Key:
    """A signing key with versions; `later` are those that looking again finds."""

    def __init__(self, *versions: str, later: list[str] | None = None) -> None:
        self._versions = list(versions)
        self._later = later

    def value(self) -> str:
        return self._versions[-1]

    def versions(self) -> list[str]:
        return self._versions

    def refresh_if_due(self) -> bool:
        if self._later is None:
            return False
        self._versions, self._later = self._later, None
        return True


def states(*keys: str, now: float = 1_767_268_800.0, later: list[str] | None = None) -> LinkStates:
    """States signed with the last of `keys`, at `now`."""
    key: Any = Key(*(keys or ("key",)), later=later)
    return LinkStates(StateSettings("name", 86400), key, lambda: now)


@given(st.text(max_size=20), st.text(max_size=20))
def test_issued_state_is_read_back(customer: str, redirect_uri: str) -> None:
    link = states().issue(customer, redirect_uri)
    state, issued_at = states().read(link.state)
    assert (state.link_id, state.customer_identifier, state.redirect_uri) == (link.id, customer, redirect_uri)
    assert state.connected == b""
    assert issued_at == link.issued_at == datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert link.expires_at == datetime(2026, 1, 2, 12, tzinfo=UTC)
    assert quote(link.state, safe="") == link.state, "it is one path segment as it is"


def test_state_is_valid_until_it_expires() -> None:
    token = states().issue("rosie", "a://b").state
    assert states(now=1_767_268_800.0 + 86400).read(token)
    with pytest.raises(ExpiredStateError) as expired:
        states(now=1_767_268_800.0 + 86401).read(token)
    assert expired.value.state.redirect_uri == "a://b"


def test_clock_skew_of_five_minutes_is_tolerated() -> None:
    token = states().issue("rosie", "a://b").state
    assert states(now=1_767_268_800.0 - 300).read(token)[1] == datetime(2026, 1, 1, 12, tzinfo=UTC)
    with pytest.raises(ExpiredStateError):
        states(now=1_767_268_800.0 - 301).read(token)


def test_current_and_previous_key_are_accepted() -> None:
    token = states("old").issue("rosie", "a://b").state
    assert states("old", "new").read(token)
    with pytest.raises(InvalidStateError):
        states("new", "newer").read(token)


def test_rotated_key_is_fetched_once() -> None:
    token = states("old", "new").issue("rosie", "a://b").state
    assert states("older", "old", later=["old", "new"]).read(token)
    with pytest.raises(InvalidStateError):
        states("older", "old", later=["older", "old"]).read(token)


@given(st.data())
def test_changed_state_is_invalid(data: st.DataObject) -> None:
    token = states().issue("rosie", "brokerapp://linked").state
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.characters(codec="utf-8").filter(lambda letter: letter != token[place]))
    changed = token[:place] + letter + token[place + 1 :]
    # the last letter of base64 can have bits that mean nothing: then it is the same state
    try:
        assert states().read(changed) == states().read(token)
    except InvalidStateError:
        return
    assert place == len(token) - 1


@given(st.text(max_size=200))
def test_random_text_is_not_a_state(text: str) -> None:
    with pytest.raises(InvalidStateError):
        states().read(text)


def test_state_is_a_few_hundred_characters_long() -> None:
    assert len(states().issue("a" * 128, "https://app.example.com/linked?from=list").state) < 450


class _EarlierState(msgspec.Struct, array_like=True):
    """A state as version e85a704 writes and reads it."""

    link_id: str
    customer_identifier: str
    redirect_uri: str
    connected: bytes


def test_states_of_an_earlier_version_are_read_with_digests() -> None:
    digests = join_digests(["1", "2"])
    earlier: Any = _EarlierState("id", "rosie", "a://b", digests)
    signed = states()._serializer(["key"]).dumps(earlier)
    state, _ = states().read(signed if isinstance(signed, str) else signed.decode())
    assert state == LinkState("id", "rosie", "a://b", digests)


def test_earlier_version_reads_states_of_this_one() -> None:
    written = msgspec.msgpack.encode(LinkState("id", "rosie", "a://b"))
    assert msgspec.msgpack.decode(written, type=_EarlierState).connected == b""


def test_digests_distinguish_sellers() -> None:
    ids = [str(number) for number in range(1000)]
    assert split_digests(join_digests(ids)) == set(map(seller_digest, ids))
    assert len(split_digests(join_digests(ids))) == 1000
    assert split_digests(b"") == set()


def test_joined_digests_are_limited() -> None:
    assert len(join_digests(map(str, range(MAX_DIGESTS + 1)))) == MAX_DIGESTS * DIGEST_BYTES


def test_ids_are_uuid_version_7_and_sort_by_time() -> None:
    ids = [uuid7(1_767_268_800.0 + n / 1000) for n in range(100)]
    assert sorted(ids) == ids
    assert {(each.version, each.variant) for each in ids} == {(7, uuid.RFC_4122)}
    assert len({uuid7(0.0) for _ in range(1000)}) == 1000
    assert uuid7(1_645_557_742.0).hex.startswith("017f22e279b0"), "the time of RFC 9562's example"
