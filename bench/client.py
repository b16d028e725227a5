"""Lambda's runtime interface client, which also reports the CPU time of its process with each request for an invocation.

`client.py HANDLER`, in the runtime's Python, takes the place of `python -m awslambdaric HANDLER`; nothing else is changed.
Milliseconds go to the named pipe `CPU_TIMES`, one line each.
"""

import os
import sys
import time

from awslambdaric import __main__ as client
from awslambdaric.lambda_runtime_client import LambdaRuntimeClient


def main() -> None:
    """Run the client until the emulator ends it."""
    pipe = os.open(os.environ["CPU_TIMES"], os.O_WRONLY)
    ask = LambdaRuntimeClient.wait_next_invocation

    def tell_and_ask(self: LambdaRuntimeClient) -> object:
        os.write(pipe, b"%.3f\n" % (time.process_time() * 1000))
        return ask(self)

    LambdaRuntimeClient.wait_next_invocation = tell_and_ask
    client.main(sys.argv)


if __name__ == "__main__":
    main()
