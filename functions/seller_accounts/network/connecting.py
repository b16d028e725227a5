"""Connect within one bound: name look-up, every address of a host and the TLS handshake share the connect timeout.

`requests` and botocore both connect by urllib3, whose connect timeout is for each address alone and doesn't cover the look-up.
Reading, pools and deadlines are not known here.
Source: RFC 8305 (Happy Eyeballs), for an address that doesn't respond not to keep the others from being tried.
"""

import socket
import threading
import time
from typing import Any

import urllib3.util.connection

MAX_IDLE_SECONDS = (
    30.0  # a pooled connection that was idle for longer may be gone without a word, in a frozen environment above all
)
MIN_ADDRESS_SECONDS = 0.25  # for one of several addresses, as far as that is left

_connect_unbounded = urllib3.util.connection.create_connection


def bound_connecting() -> None:
    """Let all connections of this process be made by `create_connection`. Calling it again changes nothing."""
    urllib3.util.connection.create_connection = create_connection


def create_connection(
    address: tuple[str, int], timeout: Any = None, source_address: Any = None, socket_options: Any = None
) -> socket.socket:
    """Return a socket connected to `address`, within `timeout` seconds for everything; what is left of them is its timeout.

    Raises `OSError`: `TimeoutError` when the time is over, `socket.gaierror` for an unknown host, or what the last address raised.
    Stands in for urllib3's function, which is called still where the timeout is no number or there is a source address.
    """
    if not isinstance(timeout, int | float) or source_address:
        return _connect_unbounded(address, timeout, source_address, socket_options)
    end = time.monotonic() + timeout
    host, port = address
    found = _look_up(host.strip("[]"), port, timeout)
    failure: OSError = TimeoutError("connecting took too long")
    for tried, (family, kind, protocol, _, socket_address) in enumerate(found):
        left = end - time.monotonic()
        if left <= 0:
            break
        connection = socket.socket(family, kind, protocol)
        try:
            for option in socket_options or ():
                connection.setsockopt(*option)
            connection.settimeout(min(left, max(left / (len(found) - tried), MIN_ADDRESS_SECONDS)))
            connection.connect(socket_address)
            connection.settimeout(max(end - time.monotonic(), 0.001))
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure


def _look_up(host: str, port: int, timeout: float) -> list[Any]:
    """Return the addresses of `host`. The system's look-up has no timeout, so a thread waits for it.

    Raises `TimeoutError`, or what the look-up raised: `socket.gaierror`, `UnicodeError`.
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
    (found,) = outcome
    if isinstance(found, Exception):
        raise found
    return list(found)
