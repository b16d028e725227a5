"""A cold start's CPU time, in fresh processes: a handler with its clients, against `requests` and boto3's clients of the same.

All with bytecode. A bare interpreter is taken beside them: what it costs is nobody's doing, so the goal is for what comes on top.
"""

import functools
import os
import sys
from collections.abc import Iterator, Mapping

from bench.children import artefact
from bench.figures import Figure, compared
from bench.timing import in_turn

HANDLERS = {
    "accounts": ("import accounts; accounts.handler", "import requests, boto3; boto3.client('secretsmanager')"),
    "link_callback": (
        "import link_callback; link_callback.handler",
        "import requests, boto3; boto3.client('secretsmanager'); boto3.client('dynamodb')",
    ),
}
BARE = "pass"
GOAL = 1.25
ROUNDS = 15


def measure() -> Iterator[Figure]:
    """The whole processes, and what they cost over a bare interpreter."""
    with artefact() as environment:
        for name, (handler, floor) in HANDLERS.items():
            costs = [functools.partial(_cpu_milliseconds, program, environment) for program in (handler, floor, BARE)]
            in_turn(costs, 1)
            rounds = in_turn(costs, ROUNDS)
            yield compared(f"cold start of {name}, whole process", "ms", [(ours, theirs) for ours, theirs, _ in rounds])
            over_bare = [(ours - bare, theirs - bare) for ours, theirs, bare in rounds]
            yield compared(f"cold start of {name}, over a bare interpreter", "ms", over_bare, GOAL)


def _cpu_milliseconds(program: str, environment: Mapping[str, str]) -> float:
    """What a process costs that runs `program` and ends."""
    child = os.posix_spawn(sys.executable, [sys.executable, "-P", "-c", program], environment)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise ChildProcessError(f"{program!r} failed")
    return (usage.ru_utime + usage.ru_stime) * 1000
