"""A function under Lambda's own runtime interface emulator and client, without a container; on Linux, which both are made for.

The emulator starts a function when its first event comes, and a second event in flight crashes it: so a cold start takes an
emulator of its own, and events go one by one.
"""

import os
import platform
import select
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import requests

from bench.documents import ROOT
from local.template import Template

RUNTIME = Template().document["Globals"]["Function"]["Runtime"]
SAM = ROOT / ".venv-sam"
PYTHON = SAM / "bin" / "python"  # the runtime's version
EMULATORS = "lib/python*/site-packages/samcli/local/rapid"
NAMES = {"x86_64": "aws-lambda-rie-x86_64", "aarch64": "aws-lambda-rie-arm64"}
CLIENT = ROOT / "bench" / "client.py"
HOST = "127.0.0.1"
SECONDS = 60  # that something takes only when it fails


@dataclass(frozen=True)
class Function:
    """A function: its handler, its folder, and its variables."""

    handler: str
    folder: Path
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Invocation:
    """An answer, and what CPU time the client's process had spent when it asked for this event, and when for the next one."""

    answer: bytes
    ready_ms: float
    done_ms: float


class Emulator:
    """One environment of a function; it is started by the first event."""

    def __init__(self, url: str, times: FileIO) -> None:
        self._url = f"{url}/2015-03-31/functions/function/invocations"
        self._times = times
        self._ready_ms: float | None = None

    def invoke(self, event: bytes) -> Invocation:
        """Has the function answer `event`. Raises `TimeoutError`, with what the emulator says, when it can't be started."""
        answer = requests.post(self._url, event, timeout=SECONDS).content
        ready_ms = self._next_time(answer) if self._ready_ms is None else self._ready_ms
        self._ready_ms = self._next_time(answer)
        return Invocation(answer, ready_ms, self._ready_ms)

    def _next_time(self, answer: bytes) -> float:
        if not select.select([self._times], [], [], SECONDS)[0]:
            raise TimeoutError(answer)
        return float(self._times.readline())


@contextmanager
def emulated(function: Function, runtime: Path) -> Iterator[Emulator]:
    """Run an emulator for `function` with the packages in `runtime`. Raises `TimeoutError` if it doesn't listen."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        pipe = Path(folder, "times")
        os.mkfifo(pipe)
        times = running.enter_context(FileIO(os.open(pipe, os.O_RDWR)))  # open for both, so that nobody waits for the other end
        addresses = _free_addresses(2)
        process = running.enter_context(
            subprocess.Popen(  # noqa: S603 - the emulator, the client and a function of this project
                _command(function, *addresses),
                cwd=function.folder,
                env=_variables(function, runtime, pipe),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        running.callback(process.terminate)  # the emulator ends the client
        _wait_until_listening(addresses[0])
        yield Emulator(f"http://{addresses[0]}", times)


def _command(function: Function, address: str, runtime_address: str) -> list[str | Path]:
    """Without site-packages: the function finds its own folder and the runtime's, and no others, as in Lambda."""
    (emulator,) = SAM.glob(f"{EMULATORS}/{NAMES[platform.machine()]}")
    addresses = ["--runtime-interface-emulator-address", address, "--runtime-api-address", runtime_address]
    return [emulator, *addresses, PYTHON, "-S", "-P", CLIENT, function.handler]


def _variables(function: Function, runtime: Path, times: Path) -> dict[str, str]:
    """All that the runtime sets and that something reads; its folders are read-only."""
    return {
        **function.variables,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{RUNTIME}",
        "CPU_TIMES": str(times),
        "LAMBDA_TASK_ROOT": str(function.folder),
        "LANG": "en_US.UTF-8",
        "PATH": os.environ.get("PATH", ""),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": f"{function.folder}{os.pathsep}{runtime}",
        "TZ": ":UTC",
    }


def _free_addresses(number: int) -> list[str]:
    """Addresses that nobody listens on."""
    with ExitStack() as sockets:
        found = [sockets.enter_context(socket.create_server((HOST, 0))) for _ in range(number)]
        return [f"{HOST}:{each.getsockname()[1]}" for each in found]


def _wait_until_listening(address: str) -> None:
    host, _, port = address.partition(":")
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection((host, int(port))).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise TimeoutError("the emulator has not started") from None
            time.sleep(0.01)  # for another process, not for a clock
        else:
            return
