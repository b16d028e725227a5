"""A secret of AWS Secrets Manager, kept in memory for five minutes.

It knows nothing of what a secret is for. The client is botocore's own: boto3 would only add to the start.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import botocore.session
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from problems import Problem
from telemetry import count, describe, logger

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

TTL_SECONDS = 300
STALE_FOR_SECONDS = 30  # while Secrets Manager fails, a value that is known is used on, and asked for again after this
CLIENT_CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})


def make_client() -> "SecretsManagerClient":
    """A client that gives up in time to say so: at most about six seconds, retry included."""
    client = botocore.session.get_session().create_client("secretsmanager", config=CLIENT_CONFIG)
    return cast("SecretsManagerClient", client)


class Secret:
    """The secret called `name`. `clock` counts seconds."""

    def __init__(self, client: "SecretsManagerClient", name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._name = name
        self._clock = clock
        self._value: str | None = None
        self._good_until = 0.0

    def value(self) -> str:
        """The current value, at most five minutes old. Raises `Problem` `secret_unavailable`."""
        if self._value is None or self._clock() >= self._good_until:
            try:
                return self.refresh()
            except Problem as problem:
                if self._value is None:
                    raise
                logger.warning("stale_secret_used", extra={"secret": self._name, **describe(problem)})
                self._good_until = self._clock() + STALE_FOR_SECONDS
        return self._value

    def refresh(self) -> str:
        """The current value, fetched now. Raises `Problem` `secret_unavailable`."""
        count("KeyRefreshes")
        try:
            answer = self._client.get_secret_value(SecretId=self._name)
            self._value = _key_in(answer["SecretString"])
        except (BotoCoreError, ClientError, KeyError, ValueError) as error:
            raise Problem("secret_unavailable", "A key that this needs can't be had now.", retry_after_seconds=5) from error
        self._good_until = self._clock() + TTL_SECONDS
        return self._value


class _KeyMembers(msgspec.Struct, rename="camel"):
    api_key: str = ""
    key: str = ""


def _key_in(secret: str) -> str:
    """The key in a secret that is a plain string, or JSON with `apiKey` or `key`. Raises `ValueError`."""
    text = secret.strip()
    if text.startswith("{"):
        members = msgspec.json.decode(text, type=_KeyMembers)
        text = (members.api_key or members.key).strip()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("no key in the secret")
    return text
