"""Faults of imin and of the token issuer, by a server on loopback that does to each request what a script says."""

import contextlib
import itertools
import math
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.clock import Clock
from tests.loopback import Script, answer, send

CUT = send(b"")
BUSY = answer(b"<html>", "429 Busy")
BUSY_FOR_A_SECOND = answer(b"<html>", "429 Busy", Retry_After="1")
DOWN = answer(b"<html>", "503 Down")


@contextlib.contextmanager
def refusing(times: float = math.inf) -> Iterator[None]:
    """Refuse the next connections."""
    connect = socket.socket.connect
    attempts = itertools.count()

    def refuse(self: socket.socket, address: Any) -> None:
        if next(attempts) < times:
            raise ConnectionRefusedError
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        yield


def hangs(released: threading.Event) -> Script:
    """Says nothing until it is released."""

    def script(connection: socket.socket, _request: bytes) -> None:
        released.wait(10)
        connection.close()

    return script


def sends_slowly(clock: Clock, released: threading.Event) -> Script:
    """Send a valid response byte by byte, one per second."""
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n"

    def script(connection: socket.socket, _request: bytes) -> None:
        for place in range(len(data)):
            clock.advance(1)
            connection.sendall(data[place : place + 1])
            if released.wait(0.001):
                break
        connection.close()

    return script


def imin_faults(clock: Clock, released: threading.Event) -> dict[str, tuple[Script, bool]]:
    """Make a fault of a call to imin: by script, and whether only for the first attempt."""
    every = {
        "429, `Retry-After: 60`": answer(b"", "429 Busy", Retry_After="60"),
        "502, 503 or 504": DOWN,
        "500": answer(b"<html>", "500 Broken"),
        "401 or 403": answer(b"{}", "401 Unauthorized"),
        "404": answer(b"{}", "404 Not Found"),
        "invalid response": answer(b"<html>"),
    }
    return _all(clock, released, every, {"503 once": DOWN, "429 once, `Retry-After: 1`": BUSY_FOR_A_SECOND})


def issuer_faults(clock: Clock, released: threading.Event) -> dict[str, tuple[Script, bool]]:
    """Make the same fault of a call to the issuer."""
    every = {"503": DOWN, "invalid response": answer(b"[]"), "invalid JSON": answer(b"<html>")}
    return _all(clock, released, every, {"cut off once": CUT})


def _all(
    clock: Clock, released: threading.Event, every: dict[str, Script], once: dict[str, Script]
) -> dict[str, tuple[Script, bool]]:
    both = {
        "connection refused": CUT,  # a connection that is there is lost; `refusing` lets no new one be made
        "cut off": CUT,
        "hung": hangs(released),
        "slow, byte by byte": sends_slowly(clock, released),
        "429": BUSY,
    }
    return {name: (script, False) for name, script in (both | every).items()} | {
        name: (script, True) for name, script in once.items()
    }
