"""A cold start's CPU time, in fresh processes: the handler with its clients, against `requests` and a Secrets Manager client.

All with bytecode. A bare interpreter is taken beside them: what it costs is nobody's doing, so the goal is for what comes on top.
"""

import functools
import os
import sys
from collections.abc import Iterator, Mapping

from bench.children import artefact
from bench.figures import Figure, compared
from bench.timing import in_turn

HANDLER = "import accounts; accounts.handler"
FLOOR = "import requests, boto3; boto3.client('secretsmanager')"
BARE = "pass"
GOAL = 1.25
ROUNDS = 15


def measure() -> Iterator[Figure]:
    """The whole processes, and what they cost over a bare interpreter."""
    with artefact() as environment:
        costs = [functools.partial(_cpu_milliseconds, program, environment) for program in (HANDLER, FLOOR, BARE)]
        in_turn(costs, 1)
        rounds = in_turn(costs, ROUNDS)
    yield compared("cold start, whole process", "ms", [(ours, floor) for ours, floor, _ in rounds])
    over_bare = [(ours - bare, floor - bare) for ours, floor, bare in rounds]
    yield compared("cold start, over a bare interpreter", "ms", over_bare, GOAL)


def _cpu_milliseconds(program: str, environment: Mapping[str, str]) -> float:
    """What a process costs that runs `program` and ends."""
    child = os.posix_spawn(sys.executable, [sys.executable, "-P", "-c", program], environment)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise ChildProcessError(f"{program!r} failed")
    return (usage.ru_utime + usage.ru_stime) * 1000
