"""Measure how many TLS connections an execution environment opens to imin: one, for any number of calls."""

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import trustme
from cheroot.ssl.builtin import BuiltinSSLAdapter

from bench.figures import Figure
from bench.service import silence
from local.dependencies import serve
from local.imin import make_imin
from seller_accounts.aws.secret import Secret
from seller_accounts.imin.imin_client import Upstream, upstream_deadline
from seller_accounts.network.transport import make_session
from seller_accounts.settings import UpstreamSettings

CALLS = 1000
HOST = "127.0.0.1"
KEY = "key-of-the-bench"


class _CountingAdapter(BuiltinSSLAdapter):
    """A TLS adapter that counts its handshakes."""

    handshakes = 0

    def wrap(self, sock: Any) -> Any:
        connection = super().wrap(sock)  # type: ignore[no-untyped-call]  # cheroot has no types
        self.handshakes += 1
        return connection


def measure() -> Iterator[Figure]:
    """Count the handshakes at the local imin."""
    authority = trustme.CA()
    with ExitStack() as running, silence():
        folder = running.enter_context(tempfile.TemporaryDirectory())
        certificate = Path(folder, "imin.pem")
        authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(certificate)
        adapter = _CountingAdapter(certificate, certificate)
        port = serve(running, make_imin(KEY), HOST, 0, adapter)
        tls = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
        _call_repeatedly(f"https://{HOST}:{port}", tls)
    yield Figure(f"TLS handshakes in {CALLS:,} calls", "", adapter.handshakes, goal=1)


def _call_repeatedly(url: str, tls: ssl.SSLContext) -> None:
    settings = UpstreamSettings.from_environment({**os.environ, "IMIN_BASE_URL": url})
    secrets: Any = SimpleNamespace(get_secret_value=lambda **_: {"SecretString": KEY})
    upstream = Upstream(settings, Secret(secrets, settings.api_key_secret), make_session(tls))
    for _ in range(CALLS):
        upstream.accounts("rosie", None, upstream_deadline(15_000))
