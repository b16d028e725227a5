"""How time and memory grow with the number of sellers: the exponent k that fits n^k, which is 1 where they grow in step."""

import math
import statistics
import tracemalloc
from collections.abc import Callable, Iterator

from bench.documents import all_different, event, upstream_body
from bench.figures import Figure
from bench.service import Call, given
from bench.timing import cpu_microseconds

SELLERS = (3, 30, 300, 999, 2001)  # the example's three kinds of account, over and over
GOAL = 1.10
ROUNDS = 15
SELLERS_PER_ROUND = 4000


def measure() -> Iterator[Figure]:
    """Both, over what a call costs that has no sellers."""
    for what, cost in (("time", _quietest_microseconds), ("memory", _peak_bytes)):
        none, *costs = [_cost_of(sellers, cost) for sellers in (0, *SELLERS)]
        yield Figure(
            f"exponent of {what}, {SELLERS[0]} to {SELLERS[-1]:,} sellers",
            "",
            _exponent([each - none for each in costs]),
            goal=GOAL,
        )


def _cost_of(sellers: int, cost: Callable[[Call, int], float]) -> float:
    with given(event(), all_different(upstream_body(sellers))) as call:
        call()
        return cost(call, sellers)


def _quietest_microseconds(call: Call, sellers: int) -> float:
    calls = SELLERS_PER_ROUND // max(sellers, 10)
    return min(cpu_microseconds(call, calls) for _ in range(ROUNDS))


def _peak_bytes(call: Call, _sellers: int) -> float:
    """Return the peak memory of one call, without imin's response."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def _exponent(costs: list[float]) -> float:
    return statistics.linear_regression([math.log(sellers) for sellers in SELLERS], [math.log(cost) for cost in costs]).slope
