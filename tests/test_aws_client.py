"""Clients of AWS: answers that are none, and how long a hanging service is waited for in real time."""

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

GET = {"TableName": "x", "Key": {"pk": {"S": "x"}}}


def _get(script: Script) -> Any:
    """Return a client's result from a server on loopback."""
    with serve(script) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", server.url)
        return aws_client.make_client("dynamodb", read_timeout_seconds=1).get_item(**GET)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"Item": '])
def test_non_object_response_raises_instead_of_reading_as_missing_record(body: bytes) -> None:
    with pytest.raises(aws_client.InvalidResponseError):
        _get(respond(body))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]"])
def test_non_object_error_is_an_error(body: bytes) -> None:
    with pytest.raises(ClientError):
        _get(respond(body, "400 Bad Request"))


def test_incomplete_response_is_a_storage_fault() -> None:
    with serve(respond(b"{}")) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", server.url)
        records = table.Table(StoreSettings("x", 400), aws_client.make_client("dynamodb", read_timeout_seconds=1))
        with pytest.raises(Problem) as caught:
            records.page("rosie", "LINK", 20, None)
    assert caught.value.code == "storage_unavailable"


class Known:
    """A key that is known."""

    def value(self) -> str:
        return "key"


def test_hanging_call_ends_within_the_documented_time() -> None:
    """The longest times of its tables, in real time; all at once, so that it takes no longer than one."""
    key: Any = Known()

    def hang(_connection: socket.socket, _request: bytes) -> None:
        server.stopping.wait()

    with serve(hang) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", server.url)
        dynamodb, secrets = aws_client.make_client("dynamodb", 1), aws_client.make_client("secretsmanager", 2)
        imin = Upstream(UpstreamSettings(server.url, "/{customerIdentifier}", "x"), key)
        waits: dict[Callable[[], object], tuple[float, float, type[Exception]]] = {
            lambda: dynamodb.get_item(**GET): (2, 5, ReadTimeoutError),
            lambda: secrets.get_secret_value(SecretId="x"): (4, 7, ReadTimeoutError),
            lambda: imin.accounts("rosie", None, time.monotonic() + 8): (4, 5, Problem),
            lambda: imin.accounts("rosie", None, time.monotonic() + 2.5): (2.4, 3.5, Problem),
            lambda: access_token.fetch_json(server.url): (2.9, 3.5, requests.RequestException),
        }
        with ThreadPoolExecutor(len(waits)) as pool:
            for call, least, most, took in pool.map(lambda item: _time(*item), waits.items()):
                assert least <= took < most + 1, call
        server.stopping.set()


def _time(call: Callable[[], object], expected: tuple[float, float, type[Exception]]) -> tuple[object, float, float, float]:
    least, most, error = expected
    start = time.monotonic()
    with pytest.raises(error):
        call()
    return call, least, most, time.monotonic() - start
