"""A scripted server on loopback, for tests that need control over every byte of a response."""

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

Script = Callable[[socket.socket, bytes], None]
"""A function that responds to one request (its bytes) on a connection. The connection stays open unless the script closes it."""


class Server:
    """A server that runs one script for each request, and the last script for all further requests.

    `requests` holds the received bytes; `connections` counts the connections whose TLS handshake, if any, succeeded.
    """

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._scripts = list(scripts)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.requests: list[bytes] = []
        self.connections = 0
        self.stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        """Return the server's URL."""
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self._listener.getsockname()[1]}"

    def run(self) -> None:
        """Accept connections until the server is stopped."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=[connection])
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Stop the server and wait until all running scripts end."""
        self.stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _serve(self, connection: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            self._tls.wrap_socket(connection, server_side=True) if self._tls else connection as connection,
        ):
            self.connections += 1
            connection.settimeout(0.1)
            request = b""
            while not self.stopping.is_set():
                with contextlib.suppress(TimeoutError):
                    received = connection.recv(65536)
                    if not received:
                        return
                    request += received
                if _is_complete(request):
                    self.requests.append(request)
                    script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
                    request = b""
                    script(connection, self.requests[-1])


def _is_complete(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


@contextlib.contextmanager
def serve(*scripts: Script, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Run a server with `scripts`, one for each request."""
    server = Server(*scripts, tls=tls)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


def respond(body: bytes = b'{"imin:item": []}', status: str = "200 OK", **headers: str) -> Script:
    """Send a response and keep the connection open."""
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Length: {len(body)}",
        *(f"{name.replace('_', '-')}: {headers[name]}" for name in headers),
    ]

    def script(connection: socket.socket, _request: bytes) -> None:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return script


def send(data: bytes) -> Script:
    """Send `data` and close the connection."""

    def script(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(data)
        connection.close()

    return script


def send_slowly(data: bytes, seconds: float, stopping: threading.Event) -> Script:
    """Send `data` byte by byte, one per interval."""

    def script(connection: socket.socket, _request: bytes) -> None:
        for index in range(len(data)):
            connection.sendall(data[index : index + 1])
            if stopping.wait(seconds):
                return

    return script
