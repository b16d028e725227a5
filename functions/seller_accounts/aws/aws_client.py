"""Clients of AWS, made by one session of botocore's own: boto3, or a session for each, would only add to the start."""

import functools
import time
from typing import Any

import botocore.session
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader
from snapshot_restore_py import register_after_restore

from seller_accounts.network import connecting

CONNECT_TIMEOUT_SECONDS = 1
SERVICES = ["dynamodb", "secretsmanager"]


class InvalidResponseError(BotoCoreError):
    """AWS, or what stands before it, answered with something else than an object of JSON."""

    fmt = "The answer is no JSON object"


class _Loader(Loader):
    """Knows the services that are used. Botocore's own looks through the folders of some four hundred, twice for each client."""

    def list_available_services(self, type_name: str) -> list[str]:
        return SERVICES


@functools.cache
def _session() -> botocore.session.Session:
    session = botocore.session.get_session()
    session.register_component("data_loader", _Loader())
    return session


def _reject_invalid_json(response_dict: dict[str, Any], **_: Any) -> None:
    """Botocore takes what is no JSON for an empty answer, and then a record that is there is one that isn't."""
    try:
        msgspec.json.decode(response_dict["body"], type=dict[str, msgspec.Raw])
    except ValueError as error:
        if response_dict["status_code"] < 300:
            raise InvalidResponseError from error
        response_dict["body"] = b"{}"  # its status says enough


class _IdleLimit:
    """A botocore event handler: before a request is sent, close connections that were idle for too long."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._last_used = time.monotonic()

    def __call__(self, **_: Any) -> None:
        now = time.monotonic()
        if now - self._last_used >= connecting.MAX_IDLE_SECONDS:
            self._client.close()
        self._last_used = now


def make_client(service: str, read_timeout_seconds: int) -> Any:
    """Make a client that gives up early enough to report it: two attempts, each with a second to connect in all."""
    connecting.bound_connecting()
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=read_timeout_seconds,
        retries={"mode": "standard", "total_max_attempts": 2},
    )
    client = _session().create_client(service, config=config)
    client.meta.events.register("before-parse", _reject_invalid_json)
    client.meta.events.register("before-send", _IdleLimit(client))
    register_after_restore(client.close)  # a connection does not outlive a snapshot; the next call makes a new one
    return client
