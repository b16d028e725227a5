"""A secret of AWS Secrets Manager, cached in memory for five minutes."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from snapshot_restore_py import register_after_restore

from seller_accounts.aws import aws_client
from seller_accounts.http.problems import Problem
from seller_accounts.telemetry import count, exception_fields, log

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

TTL_SECONDS = 300
MIN_REFRESH_SECONDS = 10  # the shortest time between two fetches because of unknown keys
STALE_RETRY_SECONDS = 30  # while Secrets Manager fails, a cached value stays in use, and is fetched again after this


def make_client() -> "SecretsManagerClient":
    """Make a client that reports a failure after at most about six seconds, including a retry."""
    return cast("SecretsManagerClient", aws_client.make_client("secretsmanager", read_timeout_seconds=2))


class _Cached(NamedTuple):
    """The versions of a secret that were fetched; `versions` is None while only the current one was needed."""

    current: str
    versions: list[str] | None
    expires_at: float


class Secret:
    """The secret called `name`, in its current and its previous version. `clock` returns seconds."""

    def __init__(self, client: "SecretsManagerClient", name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._name = name
        self._clock = clock
        self._forget()
        register_after_restore(self._forget)  # a snapshot may be weeks old

    def _forget(self) -> None:
        self._cached: _Cached | None = None
        self._last_refresh = -float("inf")
        self._last_refresh_failed = False

    def value(self) -> str:
        """Return the current value, at most five minutes old, or older while Secrets Manager fails.

        Raises `Problem` (`secret_unavailable`).
        """
        self._refresh_if_expired()
        return self._cached.current if self._cached else self.refresh()

    def versions(self) -> list[str]:
        """Return the valid values, oldest first: the previous one, if any, and the current one.

        At most five minutes old, unless Secrets Manager fails. Raises `Problem` (`secret_unavailable`).
        """
        self._refresh_if_expired()
        if self._cached and self._cached.versions:
            return self._cached.versions
        return self._refresh_versions()

    def refresh_if_due(self) -> bool:
        """Fetch all versions for a key that matches none of them, at most every ten seconds; return whether they were fetched.

        Raises `Problem` (`secret_unavailable`), also in the ten seconds after a failure: a rotated key must not count as wrong.
        """
        if self._clock() - self._last_refresh >= MIN_REFRESH_SECONDS:
            self._last_refresh = self._clock()
            self._last_refresh_failed = True
            self._refresh_versions()
            return True
        if self._last_refresh_failed:
            raise _unavailable()
        return False

    def refresh(self) -> str:
        """Fetch the current value. Raises `Problem` (`secret_unavailable`)."""
        current = self._fetch("AWSCURRENT")
        self._cache(current, None)
        return current

    def _refresh_versions(self) -> list[str]:
        current = self._fetch("AWSCURRENT")
        try:
            versions = [self._fetch("AWSPREVIOUS"), current]
        except Problem as problem:
            if not _has_no_key(problem.__cause__):
                raise
            versions = [current]
        self._cache(current, versions)
        self._last_refresh_failed = False
        return versions

    def _cache(self, current: str, versions: list[str] | None) -> None:
        self._cached = _Cached(current, versions, self._clock() + TTL_SECONDS)

    def _refresh_if_expired(self) -> None:
        """Fetch cached versions again if they have expired. If that fails, they stay in use for a while."""
        if self._cached is None or self._clock() < self._cached.expires_at:
            return
        try:
            if self._cached.versions is None:
                self.refresh()
            else:
                self._refresh_versions()
        except Problem as problem:
            log(logging.WARNING, "stale_secret_used", secret=self._name, **exception_fields(problem))
            self._cached = self._cached._replace(expires_at=self._clock() + STALE_RETRY_SECONDS)

    def _fetch(self, stage: str) -> str:
        count("KeyRefreshes")
        try:
            return _parse_key(self._client.get_secret_value(SecretId=self._name, VersionStage=stage))
        except (BotoCoreError, ClientError, KeyError, NoKeyError) as error:
            raise _unavailable() from error


def _unavailable() -> Problem:
    return Problem("secret_unavailable", "A required secret is temporarily unavailable.", retry_after_seconds=5)


def _has_no_key(cause: BaseException | None) -> bool:
    """Whether a version doesn't exist or has no key (a corrected typo), as opposed to a failed call."""
    if isinstance(cause, ClientError):
        return cause.response["Error"]["Code"] == "ResourceNotFoundException"
    return isinstance(cause, NoKeyError)


class NoKeyError(ValueError):
    """A version of a secret has no valid key."""


def _parse_key(response: Mapping[str, Any]) -> str:
    """Return the key in a version of a secret: a plain string, or JSON with `apiKey` or `key`.

    Raises `NoKeyError`, or `KeyError` for a response that isn't a version.
    """
    text = "" if "SecretBinary" in response else response["SecretString"].strip()
    if text.startswith("{"):
        try:
            members = msgspec.json.decode(text, type=dict[str, Any])
        except (ValueError, RecursionError):
            members = {}
        texts = (members.get(name) for name in ("apiKey", "key"))
        text = next((member.strip() for member in texts if isinstance(member, str) and member.strip()), "")
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise NoKeyError
    return text
