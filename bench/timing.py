"""How costs are taken so that they can be compared on a machine that has other things to do: CPU time, in turn, many times."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

Cost = TypeVar("Cost")


def in_turn(costs: Sequence[Callable[[], Cost]], rounds: int) -> list[list[Cost]]:
    """`rounds` lists of what each of `costs` came to. Every other round takes them in reverse: none always goes first."""
    taken = []
    for number in range(rounds):
        step = -1 if number % 2 else 1
        taken.append([cost() for cost in costs[::step]][::step])
    return taken


def cpu_microseconds(call: Callable[[], object], calls: int) -> float:
    """What one of `calls` calls costs this process."""
    start = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - start) / calls * 1e6
