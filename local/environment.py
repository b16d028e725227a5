"""A function's execution environment, as in Lambda: a process that builds the handler once and serves one invocation at a time.

Run as a program (`environment.py HANDLER FILE_DESCRIPTOR`), this module is that process. It receives events and sends responses as
JSON over a socket, and ends when the socket is closed. Its standard output is the function's log.
"""

import importlib
import json
import signal
import sys
import time
import traceback
from multiprocessing.connection import Connection
from typing import Any


class Context:
    """The context object of one invocation."""

    function_version = "$LATEST"

    def __init__(self, invocation: dict[str, Any]) -> None:
        self.function_name: str = invocation["functionName"]
        self.memory_limit_in_mb: int = invocation["memoryMb"]
        self.invoked_function_arn = f"arn:aws:lambda:eu-west-2:123456789012:function:{self.function_name}"
        self.aws_request_id: str = invocation["requestId"]
        self._deadline = time.monotonic() + invocation["timeoutSeconds"]

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda would end the invocation."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def main(handler_name: str, file_descriptor: str) -> None:
    """Build the handler, report success or the error, and serve invocations until the socket is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group, but the stack stops its environments
    with Connection(int(file_descriptor)) as stack:
        try:
            module, _, attribute = handler_name.rpartition(".")
            handler = getattr(importlib.import_module(module), attribute)
        except Exception as error:  # noqa: BLE001 - reported to the stack
            stack.send_bytes(json.dumps({"initError": f"{type(error).__name__}: {error}"}).encode())
            return
        stack.send_bytes(b'{"ready": true}')
        while True:
            try:
                invocation = json.loads(stack.recv_bytes())
            except (EOFError, ConnectionError):
                return
            stack.send_bytes(_invoke(handler, invocation))


def _invoke(handler: Any, invocation: dict[str, Any]) -> bytes:
    try:
        return json.dumps({"response": handler(invocation["event"], Context(invocation))}).encode()
    except Exception as error:  # noqa: BLE001 - Lambda, too, reports every exception of a handler
        traceback.print_exc()
        return json.dumps({"error": type(error).__name__}).encode()


if __name__ == "__main__":
    main(*sys.argv[1:])
