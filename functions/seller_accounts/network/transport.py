"""A pooled `requests` session with one TLS context and an overall deadline that also covers slow headers and bodies.

`requests` bounds only each read, so a response that arrives slowly could take for ever. Here each read gets the time that is left
until the deadline. Callers reject redirects and interpret statuses.
"""

import io
import logging
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import certifi
import requests
from requests.adapters import HTTPAdapter
from snapshot_restore_py import register_after_restore
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from seller_accounts.network import connecting

READ_TIMEOUT_SECONDS = 4.0

_deadline: ContextVar[float] = ContextVar("deadline")


@contextmanager
def deadline_at(deadline: float) -> Iterator[None]:
    """Bound all calls in this context: they end by `deadline`, a time of `time.monotonic`."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


def seconds_left() -> float:
    """Return the seconds until the deadline; negative if it has passed."""
    return _deadline.get() - time.monotonic()


class _TimedReader(io.RawIOBase):
    """Reads a socket within the read timeout and the deadline. Raises `TimeoutError`."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._bytes = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = seconds_left()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(min(left, READ_TIMEOUT_SECONDS))
        return self._bytes.readinto(buffer)

    def close(self) -> None:
        self._bytes.close()
        super().close()


class _TimedSocket:
    """The one method of a socket that `http.client` uses to read a response."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._socket))


class _TimedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(_TimedSocket(sock), *arguments, **options)  # type: ignore[arg-type]  # it only calls makefile()


class _TimedHttpConnection(HTTPConnection):
    response_class = _TimedResponse


class _TimedHttpsConnection(HTTPSConnection):
    response_class = _TimedResponse


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _TimedHttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _TimedHttpsConnection


class _Adapter(HTTPAdapter):
    """Shares one TLS context; `requests` itself loads all root certificates for each new connection."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, ssl_context=self._tls, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave verification to the TLS context."""


class _Session(requests.Session):
    """Closes idle connections before a request: a new one costs a handshake, a dead one the whole read timeout."""

    _last_used = 0.0

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if time.monotonic() - self._last_used >= connecting.MAX_IDLE_SECONDS:
            self.close()
        try:
            return super().send(request, **options)
        finally:
            self._last_used = time.monotonic()

    def get_redirect_target(self, _response: requests.Response) -> None:
        """Ignore redirects: `requests` parses the target and reads the whole body even if it doesn't follow them."""


def make_session(tls: ssl.SSLContext | None = None) -> requests.Session:
    """Make a session without proxies, netrc and cookies that trusts certifi's roots, or those of `tls`."""
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)  # it logs malformed headers with the URL, whose query is secret
    connecting.bound_connecting()
    session = _Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # a cookie of one customer must not be sent for another
    adapter = _Adapter(tls or ssl.create_default_context(cafile=certifi.where()))
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    register_after_restore(session.close)  # connections don't survive a snapshot; the next call opens one
    return session
