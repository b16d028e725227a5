"""Measure costs so that they can be compared on a busy machine: CPU time, alternately, in many rounds."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

Cost = TypeVar("Cost")


def alternate(costs: Sequence[Callable[[], Cost]], rounds: int) -> list[list[Cost]]:
    """Measure all `costs` in each of `rounds` rounds. The order alternates, so that none is always measured first."""
    results = []
    for number in range(rounds):
        step = -1 if number % 2 else 1
        results.append([cost() for cost in costs[::step]][::step])
    return results


def cpu_microseconds(call: Callable[[], object], calls: int) -> float:
    """Return the mean CPU time of `calls` calls in this process."""
    start = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - start) / calls * 1e6
