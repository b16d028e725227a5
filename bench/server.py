"""A server on loopback that stands for imin (GET) and Secrets Manager (any other method), with a fixed response for each.

`local.imin` and `local.aws` are the realistic models. `python -m bench.server SELLERS [CERTIFICATE]` prints its URL, and serves
until SIGTERM.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import trustme
from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Server

from bench.documents import upstream_body

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HOST = "127.0.0.1"
SECRET = b'{"SecretString": "key-of-the-bench"}'


@contextmanager
def running(sellers: int, *certificate: str) -> Iterator[str]:
    """Serve in another process, so that its CPU time isn't counted. Yield the URL."""
    command = [sys.executable, "-m", "bench.server", str(sellers), *certificate]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
        assert process.stdout  # noqa: S101
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@contextmanager
def running_with_tls(sellers: int) -> Iterator[tuple[str, bytes]]:
    """Serve over TLS. Yield the URL and the root certificate that clients must trust."""
    authority = trustme.CA()
    with tempfile.TemporaryDirectory() as folder:
        certificate = Path(folder, "server.pem")
        authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(certificate)
        with running(sellers, str(certificate)) as url:
            yield url, authority.cert_pem.bytes()


def main(sellers: str, *certificate: str) -> None:
    """Serve until the process is stopped."""
    body = upstream_body(int(sellers))

    def application(environment: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        content = body if environment["REQUEST_METHOD"] == "GET" else SECRET
        start_response("200 OK", [("Content-Type", "application/ld+json"), ("Content-Length", str(len(content)))])
        return [content]

    server = Server((HOST, 0), application, numthreads=2)
    for path in certificate:
        server.ssl_adapter = BuiltinSSLAdapter(path, path)
    server.prepare()
    print(f"{'https' if certificate else 'http'}://{HOST}:{server.bind_addr[1]}", flush=True)
    server.serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
