"""Connect within one bound: name look-up, every address of a host and the TLS handshake share the connect timeout.

`requests` and botocore both connect by urllib3, whose connect timeout applies to each address and doesn't cover the look-up.
Source: RFC 8305 (Happy Eyeballs): an address that doesn't respond must not keep the others from being tried.
"""

import socket
import threading
import time
from typing import Any

import urllib3.util.connection

MAX_IDLE_SECONDS = 30.0  # the peer may silently drop a pooled connection that is idle for longer, and Lambda freezes environments
MIN_ADDRESS_SECONDS = 0.25  # for each address, unless less is left

_connect_unbounded = urllib3.util.connection.create_connection


def bound_connecting() -> None:
    """Make urllib3 open all connections of this process by `create_connection`. Idempotent."""
    urllib3.util.connection.create_connection = create_connection


def create_connection(
    address: tuple[str, int], timeout: Any = None, source_address: Any = None, socket_options: Any = None
) -> socket.socket:
    """Return a socket connected to `address`, within `timeout` seconds in all; the rest of them is its timeout.

    Raises `OSError`: `TimeoutError`, `socket.gaierror` for an unknown host, or the error of the last address.
    Replaces urllib3's function, but calls it if the timeout isn't a number or there is a source address.
    """
    if not isinstance(timeout, int | float) or source_address:
        return _connect_unbounded(address, timeout, source_address, socket_options)
    end = time.monotonic() + timeout
    host, port = address
    addresses = _look_up(host.strip("[]"), port, timeout)
    failure: OSError = TimeoutError("connecting took too long")
    for tried, (family, kind, protocol, _, socket_address) in enumerate(addresses):
        left = end - time.monotonic()
        if left <= 0:
            break
        connection = socket.socket(family, kind, protocol)
        try:
            for option in socket_options or ():
                connection.setsockopt(*option)
            connection.settimeout(min(left, max(left / (len(addresses) - tried), MIN_ADDRESS_SECONDS)))
            connection.connect(socket_address)
            connection.settimeout(max(end - time.monotonic(), 0.001))
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure


def _look_up(host: str, port: int, timeout: float) -> list[Any]:
    """Return the addresses of `host`, looked up in a thread because the system's look-up has no timeout.

    Raises `TimeoutError`, `socket.gaierror`, `UnicodeError`.
    """
    outcome: list[Any] = []

    def look_up() -> None:
        try:
            outcome.append(socket.getaddrinfo(host, port, urllib3.util.connection.allowed_gai_family(), socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            outcome.append(error)

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(timeout)
    if not outcome:
        raise TimeoutError("the name look-up took too long")
    (result,) = outcome
    if isinstance(result, Exception):
        raise result
    return list(result)
