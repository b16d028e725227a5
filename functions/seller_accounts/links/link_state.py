"""The state of a link: issued into imin's redirect URI, read back from the callback's path, stored nowhere in between.

A state is signed and timed, by itsdangerous; it is no secret, and says nothing that imin does not know. It carries the
link's id, the customer and the app's redirect URI. A key that does not fit is a reason to look for a rotated one.
"""

import hashlib
import itertools
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from itsdangerous import BadData, SignatureExpired, TimestampSigner, URLSafeTimedSerializer

from seller_accounts.aws.secret import Secret
from seller_accounts.settings import StateSettings
from seller_accounts.uuid7 import uuid7

SALT = "seller-accounts.link-state"
DIGEST_BYTES = 4
MAX_DIGESTS = 25_000  # so that a record stays below the 400 KB that DynamoDB allows an item
CLOCK_SKEW_SECONDS = 300  # as in confirmation: a state of an environment whose clock is ahead is not one that has expired


class LinkState(msgspec.Struct, array_like=True, frozen=True):
    """What a state says.

    `connected` is empty. States of earlier versions have the digests of connected sellers in it, and stay readable; those versions
    read this one's in turn, which matters while two versions serve side by side.
    """

    link_id: str
    customer_identifier: str
    redirect_uri: str
    connected: bytes = b""


class IssuedLink(msgspec.Struct, frozen=True):
    """A link just issued: `state` goes into the path of the callback, the rest to the app."""

    id: str
    state: str
    issued_at: datetime
    expires_at: datetime


class _MessagePack:
    """How a state is written before it is signed: shorter than JSON, and digests are bytes."""

    @staticmethod
    def dumps(state: LinkState) -> bytes:
        return msgspec.msgpack.encode(state)

    @staticmethod
    def loads(text: bytes) -> LinkState:
        return msgspec.msgpack.decode(text, type=LinkState)


class _Signer(TimestampSigner):
    def __init__(self, *arguments: Any, clock: Callable[[], float], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock())


class InvalidStateError(Exception):
    """Not a state that we issued."""


class ExpiredStateError(Exception):
    """A `state` with a valid signature that was issued too long ago."""

    def __init__(self, state: LinkState) -> None:
        super().__init__()
        self.state = state


class LinkStates:
    """Issues states with the current key and reads those of the current or the previous one. `clock` gives seconds since 1970."""

    def __init__(self, settings: StateSettings, key: Secret, clock: Callable[[], float] = time.time) -> None:
        self._ttl_seconds = settings.ttl_seconds
        self._key = key
        self._clock = clock

    def issue(self, customer_identifier: str, redirect_uri: str) -> IssuedLink:
        """Issue a new link for the customer. Raises `Problem` (`secret_unavailable`)."""
        now = self._clock()
        state = LinkState(str(uuid7(now)), customer_identifier, redirect_uri)
        token = self._serializer([self._key.value()]).dumps(state)
        issued_at = datetime.fromtimestamp(int(now), UTC)
        return IssuedLink(state.link_id, token if isinstance(token, str) else token.decode(), issued_at, self.expires_at(issued_at))

    def expires_at(self, issued_at: datetime) -> datetime:
        """Return when the time of a link is over that was issued at `issued_at`."""
        return issued_at + timedelta(seconds=self._ttl_seconds)

    def read(self, token: str) -> tuple[LinkState, datetime]:
        """The state in `token`, and when it was issued.

        Raises `InvalidStateError`, `ExpiredStateError`, and `Problem` `secret_unavailable`.
        """
        try:
            return self._read(token)
        except InvalidStateError:
            if not self._key.refresh_if_due():
                raise
            return self._read(token)

    def _read(self, token: str) -> tuple[LinkState, datetime]:
        serializer = self._serializer(self._key.versions(), ahead_seconds=CLOCK_SKEW_SECONDS)
        state: LinkState
        try:
            try:
                state, issued_at = serializer.loads(token, max_age=self._ttl_seconds + CLOCK_SKEW_SECONDS, return_timestamp=True)
            except SignatureExpired as error:  # itsdangerous checks the signature before the age
                raise ExpiredStateError(serializer.load_payload(error.payload or b"")) from error
        except BadData as error:
            raise InvalidStateError from error
        return state, issued_at

    def _serializer(self, keys: list[str], ahead_seconds: int = 0) -> URLSafeTimedSerializer:
        """Signs with the last of `keys` and takes what any of them signed. Its clock is so many seconds ahead."""
        signer_options = {"clock": lambda: self._clock() + ahead_seconds, "digest_method": hashlib.sha256}
        return URLSafeTimedSerializer(keys, SALT, serializer=_MessagePack, signer=_Signer, signer_kwargs=signer_options)


def seller_digest(seller_id: str) -> bytes:
    """Return enough of a hash to know a seller again within one customer's list."""
    return hashlib.sha256(seller_id.encode()).digest()[:DIGEST_BYTES]


def join_digests(seller_ids: Iterable[str]) -> bytes:
    """Return the digests of sellers one after the other, at most `MAX_DIGESTS`."""
    return b"".join(map(seller_digest, itertools.islice(seller_ids, MAX_DIGESTS)))


def split_digests(digests: bytes) -> set[bytes]:
    """Return the digests that `join_digests` joined."""
    return {digests[start : start + DIGEST_BYTES] for start in range(0, len(digests), DIGEST_BYTES)}
