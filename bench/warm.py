"""A warm handler's time without the upstream call, against a naive handler: decode, encode, and no checks, shapes or logs."""

import functools
import itertools
import json
from collections.abc import Iterator

import requests

from bench.documents import all_different, event, upstream_body
from bench.figures import Figure, compared
from bench.service import Call, given
from bench.timing import cpu_microseconds, in_turn
from seller_accounts.http.http_api import Response

GOALS = {1: None, 20: 0.65, 100: 0.4, 500: 0.4, 2000: 0.4}
FIXED_GOAL_MICROSECONDS = 150
ROUNDS = 31
SELLERS_PER_ROUND = 2000
CALLS_OF_FIXED_PART = 200
NEW_SELLERS = 100
ANSWERS_OF_NEW_SELLERS = 50  # more sellers in turn than anything should remember


def measure() -> Iterator[Figure]:
    """Measure repeated example sellers, then different ones, then ones not seen lately, and finally none."""
    for sellers, goal in GOALS.items():
        yield _figure(f"{sellers} sellers", sellers, goal, upstream_body(sellers))
    for sellers, goal in GOALS.items():
        if goal:
            yield _figure(f"{sellers} different sellers", sellers, goal, all_different(upstream_body(sellers)))
    new = [all_different(upstream_body(NEW_SELLERS)) for _ in range(ANSWERS_OF_NEW_SELLERS)]
    yield _figure(f"{NEW_SELLERS} new sellers each call", NEW_SELLERS, None, *new)
    yield _fixed_part()


def _figure(name: str, sellers: int, goal: float | None, *bodies: bytes) -> Figure:
    calls = SELLERS_PER_ROUND // max(sellers, 10)
    with given(event(), *bodies) as ours:
        costs = [functools.partial(cpu_microseconds, call, calls) for call in (ours, _naive(*bodies))]
        in_turn(costs, 2)
        return compared(f"warm handler, {name}", "µs", in_turn(costs, ROUNDS), goal)


def _fixed_part() -> Figure:
    """Measure a call without sellers. It has no floor to compare with: its quietest round is the least disturbed."""
    with given(event(), b'{"imin:item": []}') as ours:
        quietest = min(cpu_microseconds(ours, CALLS_OF_FIXED_PART) for _ in range(ROUNDS))
    return Figure("warm handler, no sellers, quietest round", "µs", quietest, goal=FIXED_GOAL_MICROSECONDS)


def _naive(*bodies: bytes) -> Call:
    """Pass the response through, its bytes already at hand."""
    answers = itertools.cycle([_response(body) for body in bodies])

    def handler() -> Response:
        body = json.dumps(next(answers).json())
        return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": body}

    return handler


def _response(body: bytes) -> requests.Response:
    response = requests.Response()
    response.status_code = 200
    response._content = body  # where `requests` keeps what it has read
    return response
