"""Faults of imin and of the token issuer, as scripts for the loopback server."""

import contextlib
import itertools
import math
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.clock import Clock
from tests.loopback import Script, respond, send

CLOSE_CONNECTION = send(b"")
BUSY = respond(b"<html>", "429 Busy")
BUSY_FOR_A_SECOND = respond(b"<html>", "429 Busy", Retry_After="1")
DOWN = respond(b"<html>", "503 Down")


@contextlib.contextmanager
def refuse_connections(count: float = math.inf) -> Iterator[None]:
    """Refuse the next `count` connections."""
    connect = socket.socket.connect
    attempts = itertools.count()

    def refuse(self: socket.socket, address: Any) -> None:
        if next(attempts) < count:
            raise ConnectionRefusedError
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        yield


def hang(released: threading.Event) -> Script:
    """Send nothing until the test releases the script."""

    def script(connection: socket.socket, _request: bytes) -> None:
        released.wait(10)
        connection.close()

    return script


def send_slowly(clock: Clock, released: threading.Event) -> Script:
    """Send the start of a valid response, one byte per second."""
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n"

    def script(connection: socket.socket, _request: bytes) -> None:
        for index in range(len(data)):
            clock.advance(1)
            connection.sendall(data[index : index + 1])
            if released.wait(0.001):
                break
        connection.close()

    return script


def make_imin_faults(clock: Clock, released: threading.Event) -> dict[str, tuple[Script, bool]]:
    """Return imin's faults by name: the script, and whether it applies only to the first attempt."""
    lasting = {
        "429, `Retry-After: 60`": respond(b"", "429 Busy", Retry_After="60"),
        "502, 503 or 504": DOWN,
        "500": respond(b"<html>", "500 Broken"),
        "401 or 403": respond(b"{}", "401 Unauthorized"),
        "404": respond(b"{}", "404 Not Found"),
        "invalid response": respond(b"<html>"),
    }
    return _make_faults(clock, released, lasting, {"503 once": DOWN, "429 once, `Retry-After: 1`": BUSY_FOR_A_SECOND})


def make_issuer_faults(clock: Clock, released: threading.Event) -> dict[str, tuple[Script, bool]]:
    """Return the issuer's faults in the same form."""
    lasting = {"503": DOWN, "invalid response": respond(b"[]"), "invalid JSON": respond(b"<html>")}
    return _make_faults(clock, released, lasting, {"cut off once": CLOSE_CONNECTION})


def _make_faults(
    clock: Clock, released: threading.Event, lasting: dict[str, Script], once: dict[str, Script]
) -> dict[str, tuple[Script, bool]]:
    common = {
        "connection refused": CLOSE_CONNECTION,  # ends an open connection; `refuse_connections` prevents new ones
        "cut off": CLOSE_CONNECTION,
        "hung": hang(released),
        "slow, byte by byte": send_slowly(clock, released),
        "429": BUSY,
    }
    return {name: (script, False) for name, script in (common | lasting).items()} | {
        name: (script, True) for name, script in once.items()
    }
