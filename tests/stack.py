"""The local stack as a process, on ports of its own, for tests that go through it as its users do."""

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

from tests.conformance import check_answer, route_of
from tests.leaks import watch

ROOT = Path(__file__).parent.parent
START_SECONDS = 60
STOP_SECONDS = 15


@dataclass
class Stack:
    """A running stack. `log` is the file that it prints to."""

    url: str
    aws_url: str
    imin_url: str
    process: subprocess.Popen[bytes]
    log: Path

    def token(self, customer: str, **claims: object) -> str:
        """Mint a token for `customer`."""
        response = requests.post(f"{self.url}/local/token", json={"customerIdentifier": customer, **claims}, timeout=5)
        return str(response.json()["accessToken"])

    def get(self, path: str, customer: str = "rosie", **options: object) -> requests.Response:
        """Get `path` as `customer`."""
        return self.send("GET", path, headers={"Authorization": f"Bearer {self.token(customer)}"}, **options)

    def send(self, method: str, path: str, **options: object) -> requests.Response:
        """Asks for `path`; an answer of the API must be one that `openapi.json` describes."""
        response = requests.request(method, self.url + path, timeout=30, allow_redirects=False, **options)  # type: ignore[arg-type]
        if path.startswith("/v1/") and method != "HEAD":
            check_answer(route_of(method, path), response.status_code, response.headers, response.content)
            watch.answer(route_of(method, path), response.status_code, response.headers, response.content)
        return response

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop the stack and return its exit status."""
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)


def free_ports(number: int) -> list[int]:
    """Ports that nobody listens on."""
    with contextlib.ExitStack() as sockets:
        found = [sockets.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [each.getsockname()[1] for each in found]


@contextlib.contextmanager
def running(folder: Path, command: tuple[str, ...] = (sys.executable, "-m", "local"), **settings: str) -> Iterator[Stack]:
    """Start a stack by `command` with `settings`; its log, including the functions' logs, is in `folder`."""
    port, aws_port, imin_port = free_ports(3)
    ports = {"PORT": str(port), "AWS_PORT": str(aws_port), "IMIN_PORT": str(imin_port)}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYENV_ROOT") if name in os.environ}
    log = folder / f"stack-{port}.log"
    with log.open("wb") as output:
        environment = kept | ports | {"LOGS": "json"} | settings
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)  # noqa: S603
        try:
            _wait_until_ready(process, log, f"ready http://127.0.0.1:{port}\n")
            urls = [f"http://127.0.0.1:{each}" for each in (port, aws_port, imin_port)]
            yield Stack(urls[0], urls[1], urls[2], process, log)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(STOP_SECONDS)
            watch.output("a local stack", log.read_text())


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path, line: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while line not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"the stack did not start: {log.read_text()}")
        time.sleep(0.05)  # for another process, not for a clock
