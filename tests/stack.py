"""The local stack as a separate process on free ports, for tests that use it over HTTP."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.conformance import check_response, find_route_key
from tests.leaks import leak_detector

ROOT = Path(__file__).parent.parent
START_SECONDS = 60
STOP_SECONDS = 15


@dataclass
class Stack:
    """A running stack. `log` is the file with its output."""

    url: str
    aws_url: str
    imin_url: str
    process: subprocess.Popen[bytes]
    log: Path

    def token(self, customer: str, **claims: object) -> str:
        """Issue a token for `customer`."""
        response = requests.post(f"{self.url}/local/token", json={"customerIdentifier": customer, **claims}, timeout=5)
        return str(response.json()["accessToken"])

    def get(self, path: str, customer: str = "rosie", **options: object) -> requests.Response:
        """Get `path` as `customer`."""
        return self.send("GET", path, headers={"Authorization": f"Bearer {self.token(customer)}"}, **options)

    def send(self, method: str, path: str, **options: object) -> requests.Response:
        """Send a request. For an API path, check that `openapi.json` describes the response."""
        response = requests.request(method, self.url + path, timeout=30, allow_redirects=False, **options)  # type: ignore[arg-type]
        if path.startswith("/v1/") and method != "HEAD":
            check_response(find_route_key(method, path), response.status_code, response.headers, response.content)
            leak_detector.search_response(find_route_key(method, path), response.status_code, response.headers, response.content)
        return response

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """Stop the stack and return its exit status."""
        self.process.send_signal(signal_number)
        return self.process.wait(STOP_SECONDS)


def find_free_ports(count: int) -> list[int]:
    """Return ports on which nothing listens."""
    with contextlib.ExitStack() as sockets:
        listeners = [sockets.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [listener.getsockname()[1] for listener in listeners]


@contextlib.contextmanager
def start_stack(folder: Path, command: tuple[str, ...] = (sys.executable, "-m", "local"), **settings: str) -> Iterator[Stack]:
    """Start a stack by `command` with `settings`. Its log, which includes the functions' logs, is written to `folder`."""
    port, aws_port, imin_port = find_free_ports(3)
    ports = {"PORT": str(port), "AWS_PORT": str(aws_port), "IMIN_PORT": str(imin_port)}
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "PYENV_ROOT") if name in os.environ}
    log = folder / f"stack-{port}.log"
    with log.open("wb") as output:
        environment = inherited | ports | {"LOGS": "json"} | settings
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)  # noqa: S603
        try:
            _wait_until_ready(process, log, f"ready http://127.0.0.1:{port}\n")
            urls = [f"http://127.0.0.1:{number}" for number in (port, aws_port, imin_port)]
            yield Stack(urls[0], urls[1], urls[2], process, log)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(STOP_SECONDS)
            leak_detector.search_output("a local stack", log.read_text())


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path, line: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while line not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"the stack did not start: {log.read_text()}")
        time.sleep(0.05)  # waits for another process, so a fake clock can't help
