"""Execution environments restored from a SnapStart snapshot: new connections, fetched secrets and new random numbers."""

import json
import os
import random
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
import snapshot_restore_py

from seller_accounts.aws import aws_client
from seller_accounts.http.http_api import init_handler
from seller_accounts.routes import accounts
from tests.conftest import App
from tests.loopback import respond, serve

pytestmark = pytest.mark.external

RESPONSE_BODY = json.dumps({"imin:item": [{"seller": {"@id": "1"}}]}).encode()


class Restorable:
    """The restore hooks registered since this object was made, to run like Lambda's runtime."""

    def __init__(self) -> None:
        self._hooks_before = len(snapshot_restore_py.get_after_restore())

    def restore(self) -> None:
        """Run the hooks, as after a restore from a snapshot."""
        hooks: list[Any] = snapshot_restore_py.get_after_restore()
        for hook, arguments, options in hooks[self._hooks_before :]:
            hook(*arguments, **options)


@pytest.fixture
def restorable() -> Iterator[Restorable]:
    """Yield the restore hooks of this test, and remove them afterwards."""
    hooks: list[Any] = snapshot_restore_py.get_after_restore()
    hooks_before = len(hooks)
    yield Restorable()
    del hooks[hooks_before:]


def test_restored_function_reconnects_and_fetches_the_secret_again(
    restorable: Restorable, environment: dict[str, str], secrets_manager: Any
) -> None:
    with serve(respond(RESPONSE_BODY)) as imin:
        app = App(accounts.make_handler({**environment, "IMIN_BASE_URL": imin.url}))
        assert app.get().status == app.get().status == 200
        assert imin.connections == 1
        secrets_manager.put_secret_value(SecretId=environment["IMIN_API_KEY_SECRET"], SecretString="rotated")
        assert app.get().status == 200
        assert b"rotated" not in imin.requests[-1]

        restorable.restore()

        assert app.get().status == 200
        assert imin.connections == 2
        assert b"\r\nX-Api-Key: rotated\r\n" in imin.requests[-1]


def test_restored_aws_client_reconnects(restorable: Restorable, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(respond(b'{"SecretString": "key"}', Content_Type="application/x-amz-json-1.1")) as manager:
        monkeypatch.setenv("AWS_ENDPOINT_URL", manager.url)
        client = aws_client.make_client("secretsmanager", read_timeout_seconds=1)
        for _ in range(2):
            client.get_secret_value(SecretId="a")
        assert manager.connections == 1

        restorable.restore()

        assert client.get_secret_value(SecretId="a")["SecretString"] == "key"
        assert manager.connections == 2


def test_restored_function_reseeds_random_numbers(restorable: Restorable, environment: dict[str, str]) -> None:
    with patch.dict(os.environ, environment):
        init_handler(accounts.make_handler)
    random.seed(1)
    snapshot_state = random.getstate()

    restorable.restore()

    assert random.getstate() != snapshot_state
