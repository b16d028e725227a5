"""A server on loopback that answers everything with a document. It is no model of imin: that is `local.imin`.

`python -m bench.server SELLERS` prints its URL; SIGTERM ends it.
"""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from cheroot.wsgi import Server

from bench.documents import upstream_body

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HOST = "127.0.0.1"


def main(sellers: str) -> None:
    """Serves until it is killed."""
    body = upstream_body(int(sellers))
    headers = [("Content-Type", "application/ld+json"), ("Content-Length", str(len(body)))]

    def application(_environment: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response("200 OK", headers)
        return [body]

    server = Server((HOST, 0), application, numthreads=2)
    server.prepare()
    print(f"http://{HOST}:{server.bind_addr[1]}", flush=True)
    server.serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
