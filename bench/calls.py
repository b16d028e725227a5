"""Call the handler repeatedly in this process, requesting gzip, as phones do.

`python -m bench.calls SELLERS CALLS…` prints the peak memory of the process, in MB, after each number of CALLS.
"""

import resource
import sys
from pathlib import Path

from bench.documents import make_event, upstream_body
from bench.service import running_handler

STATUS = Path("/proc/self/status")


def main(sellers: str, *stops: str) -> None:
    """Call until each stop, and print the peaks."""
    peaks = []
    done = 0
    with running_handler(make_event(accept_encoding="gzip"), upstream_body(int(sellers))) as call:
        for stop in map(int, stops):
            for _ in range(stop - done):
                call()
            done = stop
            peaks.append(_peak_megabytes())
    print(*peaks)


def _peak_megabytes() -> float:
    """Return the peak memory of this process. On Linux, `getrusage` would include the parent's memory at the start."""
    if STATUS.exists():
        (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2  # macOS: bytes


if __name__ == "__main__":
    main(*sys.argv[1:])
