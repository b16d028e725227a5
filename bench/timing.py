"""How costs are taken so that they can be compared on a machine that has other things to do: CPU time, in turn, many times."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

Cost = TypeVar("Cost")


def in_turn(costs: Sequence[Callable[[], Cost]], rounds: int) -> list[list[Cost]]:
    """Measure each of `costs` in `rounds` rounds. Every other round reverses the order, so that none always goes first."""
    taken = []
    for number in range(rounds):
        step = -1 if number % 2 else 1
        taken.append([cost() for cost in costs[::step]][::step])
    return taken


def cpu_microseconds(call: Callable[[], object], calls: int) -> float:
    """Return the cost of one of `calls` calls to this process."""
    start = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - start) / calls * 1e6
