"""Concurrent callbacks, served by processes that share no state."""

import json
import random
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.aws import make_client, read_link_record
from tests.loopback import respond, serve
from tests.stack import start_stack

pytestmark = pytest.mark.external

CALLBACKS = 50
RESPONSES_WITHOUT_ACCOUNT = 12  # imin's first ones, for the new link and for callbacks, list no account


def test_fifty_concurrent_callbacks_are_all_counted_and_stay_confirmed(tmp_path: Path) -> None:
    connected = {"seller": {"@id": "1"}, "dateLinked": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    rng = random.Random(7)  # noqa: S311 - a fixed seed makes the run repeatable

    def script(connection: socket.socket, request: bytes) -> None:
        items = [connected] if issued and len(imin.requests) > RESPONSES_WITHOUT_ACCOUNT and rng.random() < 0.3 else []
        respond(json.dumps({"imin:item": items}).encode())(connection, request)

    issued = False
    with serve(script) as imin, start_stack(tmp_path, IMIN_BASE_URL=imin.url, CONCURRENCY="4") as stack:
        link_id = stack.get("/v1/customers/me/accounts", params={"redirectUri": "brokerapp://linked"}).json()["link"]["id"]
        redirect_uri = parse_qs(urlsplit(imin.requests[-1].split()[1].decode()).query)["redirectUri"][0]
        issued = True

        def open_callback(number: int) -> str:
            response = stack.send("GET", f"{unquote(redirect_uri).removeprefix(stack.url)}?number={number}")
            assert response.status_code == 303
            return response.headers["Location"].rpartition("status=")[2]

        with ThreadPoolExecutor(CALLBACKS) as pool:
            statuses = Counter(pool.map(open_callback, range(CALLBACKS)))

        link = stack.get(f"/v1/customers/me/links/{link_id}").json()
        item = read_link_record(make_client(stack.aws_url))

    assert set(statuses) == {"confirmed", "not_confirmed"}
    assert (link["callbackCount"], link["status"]) == (CALLBACKS, "confirmed")
    assert [seller["id"] for seller in link["sellers"]] == ["1"]
    stored_queries = [callback["M"]["query"]["S"] for callback in item["callbacks"]["L"]]
    assert len(set(stored_queries)) == len(stored_queries) == 20
