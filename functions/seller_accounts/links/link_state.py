"""The signed state of a link: put into imin's redirect URI, and read from the path of the callback.

itsdangerous signs and timestamps it. A state isn't secret: it carries the link's id, the customer and the app's redirect URI, all
known to imin. If no cached key matches its signature, the keys are fetched again, because they may have been rotated.
"""

import hashlib
import itertools
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer

from seller_accounts.aws.secret import Secret
from seller_accounts.settings import StateSettings
from seller_accounts.uuid7 import uuid7

SALT = "seller-accounts.link-state"
DIGEST_BYTES = 4
MAX_DIGESTS = 25_000  # a record stays below DynamoDB's limit of 400 KB
CLOCK_SKEW_SECONDS = 300  # the clock of the issuing environment may be ahead; as in confirmation


class LinkState(msgspec.Struct, array_like=True, frozen=True):
    """The content of a state.

    `connected` is empty, but states of earlier versions have the digests of connected sellers in it and stay readable. Those
    versions can read states of this one, too: during a deployment both run.
    """

    link_id: str
    customer_identifier: str
    redirect_uri: str
    connected: bytes = b""


class IssuedLink(msgspec.Struct, frozen=True):
    """A new link: `state` is for the path of the callback, the rest for the app."""

    id: str
    state: str
    issued_at: datetime
    expires_at: datetime


class _MessagePack:
    """Serializes a state for itsdangerous: shorter than JSON, with digests as bytes."""

    @staticmethod
    def dumps(state: LinkState) -> bytes:
        return msgspec.msgpack.encode(state)

    @staticmethod
    def loads(text: bytes) -> LinkState:
        return msgspec.msgpack.decode(text, type=LinkState)


class _Signer(TimestampSigner):
    def __init__(self, *arguments: Any, clock: Callable[[], int], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._clock = clock

    def get_timestamp(self) -> int:
        return self._clock()


class InvalidStateError(Exception):
    """A token isn't a state that this service issued."""


class ExpiredStateError(Exception):
    """A state has a valid signature, but its time is over or its timestamp is in the future."""

    def __init__(self, state: LinkState) -> None:
        super().__init__()
        self.state = state


class LinkStates:
    """Issues states with the current key and verifies those of either key. `clock` returns seconds since 1970."""

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
        """Return the expiry of a link issued at `issued_at`."""
        return issued_at + timedelta(seconds=self._ttl_seconds)

    def read(self, token: str) -> tuple[LinkState, datetime]:
        """Verify `token` and return its state and the time of issue.

        Raises `InvalidStateError`, `ExpiredStateError` and `Problem` (`secret_unavailable`).
        """
        try:
            return self._read(token)
        except InvalidStateError:
            if not self._key.refresh_if_due():
                raise
            return self._read(token)

    def _read(self, token: str) -> tuple[LinkState, datetime]:
        try:
            state, issued_at = self._serializer(self._key.versions()).loads(token, return_timestamp=True)
        except BadData as error:
            raise InvalidStateError from error
        age_seconds = self._now() - int(issued_at.timestamp())
        if not -CLOCK_SKEW_SECONDS <= age_seconds <= self._ttl_seconds:
            raise ExpiredStateError(state)
        return state, issued_at

    def _now(self) -> int:
        return int(self._clock())

    def _serializer(self, keys: list[str]) -> URLSafeTimedSerializer:
        """Make a serializer that signs with the last of `keys` and verifies with any of them."""
        signer_options = {"clock": self._now, "digest_method": hashlib.sha256}
        return URLSafeTimedSerializer(keys, SALT, serializer=_MessagePack, signer=_Signer, signer_kwargs=signer_options)


def seller_digest(seller_id: str) -> bytes:
    """Return a short hash that identifies a seller within one customer's list."""
    return hashlib.sha256(seller_id.encode()).digest()[:DIGEST_BYTES]


def join_digests(seller_ids: Iterable[str]) -> bytes:
    """Concatenate the digests of at most `MAX_DIGESTS` sellers."""
    return b"".join(map(seller_digest, itertools.islice(seller_ids, MAX_DIGESTS)))


def split_digests(digests: bytes) -> set[bytes]:
    """Split the result of `join_digests`."""
    return {digests[start : start + DIGEST_BYTES] for start in range(0, len(digests), DIGEST_BYTES)}
