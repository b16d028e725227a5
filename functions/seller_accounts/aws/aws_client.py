"""AWS clients: one boto3 session for all, short timeouts, checked responses, and no connection that was idle for too long."""

import functools
import time
from typing import Any

import boto3
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
    """A successful response of AWS has a body that isn't a JSON object."""

    fmt = "The response body must be a JSON object"


class _Loader(Loader):
    """Knows only the services in use: botocore's own loader searches some four hundred folders, twice for each client."""

    def list_available_services(self, type_name: str) -> list[str]:
        return SERVICES


@functools.cache
def _session() -> boto3.Session:
    session = botocore.session.get_session()
    session.register_component("data_loader", _Loader())
    return boto3.Session(botocore_session=session)


def _reject_invalid_json(response_dict: dict[str, Any], **_: Any) -> None:
    """Reject a body that isn't JSON: botocore would parse it as an empty response, and an existing record would look missing."""
    try:
        msgspec.json.decode(response_dict["body"], type=dict[str, msgspec.Raw])
    except ValueError as error:
        if response_dict["status_code"] < 300:
            raise InvalidResponseError from error
        response_dict["body"] = b"{}"  # of an error response, the status is enough


class _IdleLimit:
    """A botocore event handler that closes idle connections before a request is sent."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._last_used = time.monotonic()

    def __call__(self, **_: Any) -> None:
        now = time.monotonic()
        if now - self._last_used >= connecting.MAX_IDLE_SECONDS:
            self._client.close()
        self._last_used = now


def make_client(service: str, read_timeout_seconds: int) -> Any:
    """Make a client with two attempts, each with one second to connect, so that a failure can be reported in time."""
    connecting.bound_connecting()
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=read_timeout_seconds,
        retries={"mode": "standard", "total_max_attempts": 2},
    )
    client: Any = _session().client(service, config=config)  # type: ignore[call-overload]
    client.meta.events.register("before-parse", _reject_invalid_json)
    client.meta.events.register("before-send", _IdleLimit(client))
    register_after_restore(client.close)  # connections don't survive a snapshot; the next call opens one
    return client
