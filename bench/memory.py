"""Measure the peak memory of a process after many calls, and its growth."""

import subprocess
import sys
from collections.abc import Iterator

from bench.children import artefact
from bench.figures import Figure

GOAL_MB = 128
GROWTH_GOAL_MB = 1


def measure() -> Iterator[Figure]:
    """Measure both in a child process that runs only the function."""
    with artefact() as environment:
        command = [sys.executable, "-P", "-m", "bench.calls", "500", "100", "10000"]
        process = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)  # noqa: S603 - our own program
    early, late = map(float, process.stdout.split())
    yield Figure("peak memory, 10,000 calls of 500 sellers", "MB", late, goal=GOAL_MB)
    yield Figure("growth of peak memory after 100 calls", "MB", late - early, goal=GROWTH_GOAL_MB)
