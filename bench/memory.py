"""The most memory that a process has held after many calls, and whether it still grows."""

import subprocess
import sys
from collections.abc import Iterator

from bench.children import artefact
from bench.figures import Figure

GOAL_MB = 128
GROWTH_GOAL_MB = 1


def measure() -> Iterator[Figure]:
    """Peak and growth of a child that is nothing but the function."""
    with artefact() as environment:
        command = [sys.executable, "-P", "-m", "bench.calls", "500", "100", "10000"]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)  # noqa: S603 - our own program
    early, late = map(float, done.stdout.split())
    yield Figure("peak memory, 10,000 calls of 500 sellers", "MB", late, goal=GOAL_MB)
    yield Figure("its growth from call 100 on", "MB", late - early, goal=GROWTH_GOAL_MB)
