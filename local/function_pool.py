"""Execution environments of one function: a fixed number of processes, each serving one invocation at a time."""

import json
import os
import queue
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from local.function_log import print_short
from local.template import Function

ENVIRONMENT_PROGRAM = Path(__file__).parent / "environment.py"
INIT_SECONDS = 30
STOP_SECONDS = 5


class FunctionError(Exception):
    """A function could not be started, failed, or took longer than its timeout."""


class _Process:
    """One execution environment."""

    def __init__(self, function: Function, variables: Mapping[str, str]) -> None:
        parent_socket, child_socket = socket.socketpair()
        with child_socket:
            command = [sys.executable, "-P", str(ENVIRONMENT_PROGRAM), function.handler, str(child_socket.fileno())]
            is_short = os.environ.get("LOGS") != "json"
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                command,
                env=dict(variables),
                pass_fds=[child_socket.fileno()],
                stdout=subprocess.PIPE if is_short else None,
                text=True,
            )
        self._log: threading.Thread | None = None
        if self._process.stdout:
            self._log = threading.Thread(target=print_short, args=(self._process.stdout, variables), daemon=True)
            self._log.start()
        self._connection = Connection(parent_socket.detach())
        self._function = function
        start_message = self._exchange(None, INIT_SECONDS)
        if "initError" in start_message:
            self.stop()
            raise FunctionError(start_message["initError"])

    def invoke(self, event: dict[str, Any]) -> Any:
        function = self._function
        invocation = {
            "event": event,
            "functionName": function.name,
            "memoryMb": function.memory_mb,
            "timeoutSeconds": function.timeout_seconds,
            "requestId": str(uuid.uuid4()),
        }
        result = self._exchange(json.dumps(invocation).encode(), function.timeout_seconds)
        if "error" in result:
            raise FunctionError(result["error"])
        return result["response"]

    def is_running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        self._connection.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._end()

    def kill(self) -> None:
        self._process.kill()
        self._end()

    def _end(self) -> None:
        self._process.wait()
        if self._log:
            self._log.join(STOP_SECONDS)  # until the last line is printed

    def _exchange(self, message: bytes | None, seconds: float) -> dict[str, Any]:
        """Send `message`, if any, and wait for a reply.

        Raises `FunctionError`, also if the process has died: the HTTP server would drop the client's connection on a broken pipe.
        """
        try:
            if message is not None:
                self._connection.send_bytes(message)
            if self._connection.poll(seconds):
                reply: dict[str, Any] = json.loads(self._connection.recv_bytes())
                return reply
        except (EOFError, ConnectionError):
            self.kill()
            raise FunctionError(f"{self._function.name} ended") from None
        self.kill()
        raise FunctionError(f"{self._function.name} took longer than {seconds} s")


class FunctionPool:
    """All environments of `function`, started immediately. A dead one is replaced when it is next needed."""

    def __init__(self, function: Function, variables: Mapping[str, str], concurrency: int) -> None:
        self._function = function
        self._variables = {
            **variables,
            **function.environment,
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(function.folder),
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "TZ": ":UTC",
            "PYTHONUNBUFFERED": "1",  # logs appear immediately
        }
        self._idle: queue.Queue[_Process | None] = queue.Queue()
        for _ in range(concurrency):
            self._idle.put(self._start())

    def invoke(self, event: dict[str, Any]) -> Any:
        """Wait for an idle environment, and return its response to `event`. Raises `FunctionError`."""
        process = self._idle.get()
        try:
            if process is None or not process.is_running():
                process = self._start()
            return process.invoke(event)
        finally:
            self._idle.put(process)

    def close(self) -> None:
        """Stop all idle environments."""
        while not self._idle.empty():
            process = self._idle.get()
            if process:
                process.stop()

    def _start(self) -> _Process:
        return _Process(self._function, self._variables)
