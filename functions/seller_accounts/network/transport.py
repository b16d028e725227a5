"""A `requests` session fit for holding a key: pooled, one TLS context, and a deadline that nothing outlasts.

`requests` bounds each read, so a response that arrives slowly, headers included, could last for ever. Here every read from the
socket is given what is left until `deadline`. Redirects are for the caller to reject; statuses mean nothing here.
"""

import io
import logging
import socket
import ssl
import time
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

deadline: ContextVar[float] = ContextVar("deadline")
"""When the call that is being made must be over, on the clock of `time.monotonic`."""


class _TimedReader(io.RawIOBase):
    """The bytes of a socket, each read no longer than the read timeout and the deadline allow. Raises `TimeoutError`."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._bytes = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = deadline.get() - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(min(left, READ_TIMEOUT_SECONDS))
        return self._bytes.readinto(buffer)

    def close(self) -> None:
        self._bytes.close()
        super().close()


class _TimedSocket:
    """All that `http.client` asks of a socket in order to read an answer from it."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._socket))


class _TimedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(_TimedSocket(sock), *arguments, **options)  # type: ignore[arg-type]  # it only makes a file of it


class _TimedHttpConnection(HTTPConnection):
    response_class = _TimedResponse


class _TimedHttpsConnection(HTTPSConnection):
    response_class = _TimedResponse


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _TimedHttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _TimedHttpsConnection


class _Adapter(HTTPAdapter):
    """Shares one TLS context: left alone, `requests` loads all root certificates again for each new connection."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, ssl_context=self._tls, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leaves verification to the context, which was made for it."""


class _Session(requests.Session):
    """Uses no connection that was idle for too long; a new one costs a handshake, a dead one the whole read timeout."""

    _last_used = 0.0

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if time.monotonic() - self._last_used >= connecting.MAX_IDLE_SECONDS:
            self.close()
        try:
            return super().send(request, **options)
        finally:
            self._last_used = time.monotonic()

    def get_redirect_target(self, _response: requests.Response) -> None:
        """Sees no redirect: of one that is not to be followed, `requests` still parses the target and reads all of the body."""


def make_session(tls: ssl.SSLContext | None = None) -> requests.Session:
    """A session that reads no proxies and no netrc, keeps no cookies, and trusts whom `tls` trusts (certifi's roots)."""
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)  # it warns of malformed headers with our URL, and its query is secret
    connecting.bound_connecting()
    session = _Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # one customer's cookies must not reach another's call
    adapter = _Adapter(tls or ssl.create_default_context(cafile=certifi.where()))
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    register_after_restore(session.close)  # a connection does not outlive a snapshot; the next call makes a new one
    return session
