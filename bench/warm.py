"""Measure a warm handler without the upstream call, compared with a naive handler that only decodes and encodes."""

import functools
import itertools
import json
from collections.abc import Iterator

import requests

from bench.documents import make_event, upstream_body, with_unique_urls
from bench.figures import Figure, compare
from bench.service import Call, running_handler
from bench.timing import alternate, cpu_microseconds
from seller_accounts.http.http_api import Response

GOALS = {1: None, 20: 0.65, 100: 0.4, 500: 0.4, 2000: 0.4}
FIXED_COST_GOAL_MICROSECONDS = 150
ROUNDS = 31
SELLERS_PER_ROUND = 2000
FIXED_COST_CALLS = 200
NEW_SELLERS = 100
NEW_SELLER_RESPONSES = 50  # together more sellers than the caches hold


def measure() -> Iterator[Figure]:
    """Measure repeated example sellers, different sellers, sellers that aren't cached, and no sellers."""
    for sellers, goal in GOALS.items():
        yield _figure(f"{sellers} sellers", sellers, goal, upstream_body(sellers))
    for sellers, goal in GOALS.items():
        if goal:
            yield _figure(f"{sellers} different sellers", sellers, goal, with_unique_urls(upstream_body(sellers)))
    new = [with_unique_urls(upstream_body(NEW_SELLERS)) for _ in range(NEW_SELLER_RESPONSES)]
    yield _figure(f"{NEW_SELLERS} new sellers each call", NEW_SELLERS, None, *new)
    yield _fixed_cost()


def _figure(name: str, sellers: int, goal: float | None, *bodies: bytes) -> Figure:
    calls = SELLERS_PER_ROUND // max(sellers, 10)
    with running_handler(make_event(), *bodies) as call_service:
        costs = [functools.partial(cpu_microseconds, call, calls) for call in (call_service, _naive_handler(*bodies))]
        alternate(costs, 2)
        return compare(f"warm handler, {name}", "µs", alternate(costs, ROUNDS), goal)


def _fixed_cost() -> Figure:
    """Measure a call without sellers. Without a baseline, the fastest round is the least disturbed one."""
    with running_handler(make_event(), b'{"imin:item": []}') as call:
        fastest = min(cpu_microseconds(call, FIXED_COST_CALLS) for _ in range(ROUNDS))
    return Figure("warm handler, no sellers, fastest round", "µs", fastest, goal=FIXED_COST_GOAL_MICROSECONDS)


def _naive_handler(*bodies: bytes) -> Call:
    """Make a handler that passes imin's JSON through."""
    responses = itertools.cycle([_make_response(body) for body in bodies])

    def handler() -> Response:
        body = json.dumps(next(responses).json())
        return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": body}

    return handler


def _make_response(body: bytes) -> requests.Response:
    response = requests.Response()
    response.status_code = 200
    response._content = body  # the attribute in which `requests` stores a body
    return response
