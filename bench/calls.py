"""A process that only calls the handler, and asks for gzip, as phones do.

`python -m bench.calls SELLERS CALLS…` prints the peak of its memory, in MB, at each of CALLS.
"""

import resource
import sys
from pathlib import Path

from bench.documents import event, upstream_body
from bench.service import given

STATUS = Path("/proc/self/status")


def main(sellers: str, *stops: str) -> None:
    """Keep calling from one stop to the next."""
    peaks = []
    done = 0
    with given(event(accept_encoding="gzip"), upstream_body(int(sellers))) as call:
        for stop in map(int, stops):
            for _ in range(stop - done):
                call()
            done = stop
            peaks.append(_peak_megabytes())
    print(*peaks)


def _peak_megabytes() -> float:
    """Linux has it in the status file; `getrusage` would include the parent's memory at the start of this process."""
    if STATUS.exists():
        (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2  # macOS: bytes


if __name__ == "__main__":
    main(*sys.argv[1:])
