"""A secret of AWS Secrets Manager, kept in memory for five minutes.

It knows nothing of what a secret is for.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from snapshot_restore_py import register_after_restore

from seller_accounts.aws import aws_client
from seller_accounts.http.problems import Problem
from seller_accounts.telemetry import count, exception_fields, log

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

TTL_SECONDS = 300
MIN_REFRESH_SECONDS = 10  # how often keys that fit no version can make it ask for them
STALE_RETRY_SECONDS = 30  # while Secrets Manager fails, a value that is known is used on, and asked for again after this


def make_client() -> "SecretsManagerClient":
    """A client that gives up in time to say so: at most about six seconds, retry included."""
    return cast("SecretsManagerClient", aws_client.make_client("secretsmanager", read_timeout_seconds=2))


class Secret:
    """The secret called `name`, in its current and its previous version. `clock` counts seconds."""

    def __init__(self, client: "SecretsManagerClient", name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._name = name
        self._clock = clock
        self._forget()
        register_after_restore(self._forget)  # a snapshot may be weeks old

    def _forget(self) -> None:
        self._current: str | None = None
        self._versions: list[str] | None = None
        self._expires_at = 0.0
        self._last_refresh = -float("inf")
        self._last_refresh_failed = False

    def value(self) -> str:
        """The current value, at most five minutes old. Raises `Problem` `secret_unavailable`."""
        self._renew()
        return self._current or self.refresh()

    def versions(self) -> list[str]:
        """The values that are good now, oldest first: the previous one, if there is one, and the current one.

        At most five minutes old. Raises `Problem` `secret_unavailable`.
        """
        self._renew()
        return self._versions or self._refresh_versions()

    def refresh_if_due(self) -> bool:
        """Fetches all versions afresh, for a key that fits none of them; False if that was done less than ten seconds ago.

        Raises `Problem` `secret_unavailable`, in those ten seconds too if it failed: a rotated key must not pass for a wrong one.
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
        """The current value, fetched now. Raises `Problem` `secret_unavailable`."""
        current = self._fetch("AWSCURRENT")
        self._keep(current, None)
        return current

    def _refresh_versions(self) -> list[str]:
        current = self._fetch("AWSCURRENT")
        try:
            versions = [self._fetch("AWSPREVIOUS"), current]
        except Problem as problem:
            if not _has_no_key(problem.__cause__):
                raise
            versions = [current]
        self._keep(current, versions)
        self._last_refresh_failed = False
        return versions

    def _keep(self, current: str, versions: list[str] | None) -> None:
        self._current = current
        self._versions = versions
        self._expires_at = self._clock() + TTL_SECONDS

    def _renew(self) -> None:
        """Fetches what is known afresh when it is too old; keeps it for a while where that fails."""
        if self._current is None or self._clock() < self._expires_at:
            return
        try:
            self.refresh() if self._versions is None else self._refresh_versions()
        except Problem as problem:
            log(logging.WARNING, "stale_secret_used", secret=self._name, **exception_fields(problem))
            self._expires_at = self._clock() + STALE_RETRY_SECONDS

    def _fetch(self, stage: str) -> str:
        count("KeyRefreshes")
        try:
            return _key_in(self._client.get_secret_value(SecretId=self._name, VersionStage=stage))
        except (BotoCoreError, ClientError, KeyError, NoKeyError) as error:
            raise _unavailable() from error


def _unavailable() -> Problem:
    return Problem("secret_unavailable", "A required key is temporarily unavailable.", retry_after_seconds=5)


def _has_no_key(cause: BaseException | None) -> bool:
    """Whether a version was never there, or holds no key (a typo that was put right), unlike one that could not be fetched."""
    if isinstance(cause, ClientError):
        return cause.response["Error"]["Code"] == "ResourceNotFoundException"
    return isinstance(cause, NoKeyError)


class NoKeyError(ValueError):
    """A version of a secret holds no key."""


def _key_in(answer: Mapping[str, Any]) -> str:
    """Return the key in a version of a secret: a plain string, or JSON with `apiKey` or `key`.

    Raises `NoKeyError`, or `KeyError` for a response that isn't a version.
    """
    text = "" if "SecretBinary" in answer else answer["SecretString"].strip()
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
