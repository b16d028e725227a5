"""Measure how time and memory grow with the number n of sellers: the exponent k of the best fit n^k. 1 is linear growth."""

import math
import statistics
import tracemalloc
from collections.abc import Callable, Iterator

from bench.documents import make_event, upstream_body, with_unique_urls
from bench.figures import Figure
from bench.service import Call, running_handler
from bench.timing import cpu_microseconds

SELLERS = (30, 99, 300, 999, 2001)  # in shorter lists, the peak memory is that of logging
GOAL = 1.10
ROUNDS = 15
SELLERS_PER_ROUND = 4000


def measure() -> Iterator[Figure]:
    """Measure both, less the cost of a call without sellers."""
    for name, measure_cost in (("time", _min_microseconds), ("memory", _peak_bytes)):
        fixed_cost, *costs = [_measure_call(sellers, measure_cost) for sellers in (0, *SELLERS)]
        exponent = _exponent([cost - fixed_cost for cost in costs])
        yield Figure(f"exponent of {name}, {SELLERS[0]} to {SELLERS[-1]:,} sellers", "", exponent, goal=GOAL)


def _measure_call(sellers: int, measure_cost: Callable[[Call, int], float]) -> float:
    with running_handler(make_event(), with_unique_urls(upstream_body(sellers))) as call:
        call()
        return measure_cost(call, sellers)


def _min_microseconds(call: Call, sellers: int) -> float:
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
