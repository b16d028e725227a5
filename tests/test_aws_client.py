"""AWS clients: invalid responses, and the real time after which a hanging call ends."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError, ReadTimeoutError

from seller_accounts.aws import aws_client, table
from seller_accounts.http import access_token
from seller_accounts.http.problems import Problem
from seller_accounts.imin.imin_client import Upstream
from seller_accounts.settings import StoreSettings, UpstreamSettings
from tests.loopback import Script, respond, serve

pytestmark = pytest.mark.external

GET_ITEM = {"TableName": "x", "Key": {"pk": {"S": "x"}}}


def _get_item(script: Script) -> Any:
    """Return what a client reads from a server that runs `script`."""
    with serve(script) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", server.url)
        return aws_client.make_client("dynamodb", read_timeout_seconds=1).get_item(**GET_ITEM)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"Item": '])
def test_non_object_response_raises_instead_of_reading_as_missing_record(body: bytes) -> None:
    with pytest.raises(aws_client.InvalidResponseError):
        _get_item(respond(body))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]"])
def test_non_object_error_is_an_error(body: bytes) -> None:
    with pytest.raises(ClientError):
        _get_item(respond(body, "400 Bad Request"))


def test_incomplete_response_is_a_storage_fault() -> None:
    with serve(respond(b"{}")) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", server.url)
        records = table.Table(StoreSettings("x", 400), aws_client.make_client("dynamodb", read_timeout_seconds=1))
        with pytest.raises(Problem) as caught:
            records.page("rosie", "LINK", 20, None)
    assert caught.value.code == "storage_unavailable"


class FixedKey:
    """A secret with a fixed key."""

    def value(self) -> str:
        return "key"


def test_hanging_call_ends_within_the_documented_time() -> None:
    """Measure the longest call to each service in real time, all concurrently to save time."""
    key: Any = FixedKey()

    def hang(_connection: socket.socket, _request: bytes) -> None:
        server.stopping.wait()

    with serve(hang) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", server.url)
        dynamodb, secrets = aws_client.make_client("dynamodb", 1), aws_client.make_client("secretsmanager", 2)
        imin = Upstream(UpstreamSettings(server.url, "/{customerIdentifier}", "x"), key)
        limits: dict[Callable[[], object], tuple[float, float, type[Exception]]] = {
            lambda: dynamodb.get_item(**GET_ITEM): (2, 5, ReadTimeoutError),
            lambda: secrets.get_secret_value(SecretId="x"): (4, 7, ReadTimeoutError),
            lambda: imin.accounts("rosie", None, time.monotonic() + 8): (4, 5, Problem),
            lambda: imin.accounts("rosie", None, time.monotonic() + 2.5): (2.4, 3.5, Problem),
            lambda: access_token.fetch_json(server.url): (2.9, 3.5, requests.RequestException),
        }
        with ThreadPoolExecutor(len(limits)) as pool:
            for call, min_seconds, max_seconds, seconds in pool.map(lambda item: _time_call(*item), limits.items()):
                assert min_seconds <= seconds < max_seconds + 1, call
        server.stopping.set()


def _time_call(call: Callable[[], object], expected: tuple[float, float, type[Exception]]) -> tuple[object, float, float, float]:
    min_seconds, max_seconds, error = expected
    start = time.monotonic()
    with pytest.raises(error):
        call()
    return call, min_seconds, max_seconds, time.monotonic() - start
