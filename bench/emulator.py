"""Run a function in Lambda's runtime interface emulator and client, without a container. Both need Linux.

The emulator starts the function at the first event, and concurrent events crash it. Each cold start therefore needs a new emulator,
and events are sent one at a time.
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
TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Function:
    """A function: its handler, folder and environment variables."""

    handler: str
    folder: Path
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Invocation:
    """A response, and the CPU time of the client's process when it requested this event and when it requested the next one."""

    response: bytes
    ready_ms: float
    done_ms: float


class Emulator:
    """One execution environment of a function, started by its first event."""

    def __init__(self, url: str, times: FileIO) -> None:
        self._url = f"{url}/2015-03-31/functions/function/invocations"
        self._times = times
        self._ready_ms: float | None = None

    def invoke(self, event: bytes) -> Invocation:
        """Send `event` to the function. Raises `TimeoutError` with the emulator's response if the function can't be started."""
        response = requests.post(self._url, event, timeout=TIMEOUT_SECONDS).content
        ready_ms = self._next_time(response) if self._ready_ms is None else self._ready_ms
        self._ready_ms = self._next_time(response)
        return Invocation(response, ready_ms, self._ready_ms)

    def _next_time(self, response: bytes) -> float:
        if not select.select([self._times], [], [], TIMEOUT_SECONDS)[0]:
            raise TimeoutError(response)
        return float(self._times.readline())


@contextmanager
def emulated(function: Function, runtime: Path) -> Iterator[Emulator]:
    """Run an emulator for `function` with the packages in `runtime`. Raises `TimeoutError` if it doesn't listen."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        pipe = Path(folder, "times")
        os.mkfifo(pipe)
        times = running.enter_context(FileIO(os.open(pipe, os.O_RDWR)))  # opening both ends doesn't block
        addresses = _free_addresses(2)
        process = running.enter_context(
            subprocess.Popen(  # noqa: S603 - the emulator, the client and this project's function
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
    """Return the emulator's command. As in Lambda, the function finds only its own folder and the runtime's (`-S`)."""
    (emulator,) = SAM.glob(f"{EMULATORS}/{NAMES[platform.machine()]}")
    addresses = ["--runtime-interface-emulator-address", address, "--runtime-api-address", runtime_address]
    return [emulator, *addresses, PYTHON, "-S", "-P", CLIENT, function.handler]


def _variables(function: Function, runtime: Path, times: Path) -> dict[str, str]:
    """Return the function's variables and those of the runtime. Lambda's folders are read-only, so no bytecode is written."""
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
    """Return unused addresses."""
    with ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server((HOST, 0))) for _ in range(number)]
        return [f"{HOST}:{server.getsockname()[1]}" for server in servers]


def _wait_until_listening(address: str) -> None:
    host, _, port = address.partition(":")
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        try:
            socket.create_connection((host, int(port))).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise TimeoutError("the emulator didn't start") from None
            time.sleep(0.01)  # until another process is ready
        else:
            return
