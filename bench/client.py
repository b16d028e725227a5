"""Lambda's runtime interface client, which also reports the CPU time of its process with each request for an invocation.

`client.py HANDLER`, in the runtime's Python, replaces `python -m awslambdaric HANDLER`. The times go to the named
pipe `CPU_TIMES`, in milliseconds, one per line.
"""

import os
import sys
import time

from awslambdaric import __main__ as client
from awslambdaric.lambda_runtime_client import LambdaRuntimeClient


def main() -> None:
    """Run the client until the emulator ends it."""
    pipe = os.open(os.environ["CPU_TIMES"], os.O_WRONLY)
    wait_next_invocation = LambdaRuntimeClient.wait_next_invocation

    def report_and_wait(self: LambdaRuntimeClient) -> object:
        os.write(pipe, b"%.3f\n" % (time.process_time() * 1000))
        return wait_next_invocation(self)

    LambdaRuntimeClient.wait_next_invocation = report_and_wait
    client.main(sys.argv)


if __name__ == "__main__":
    main()
