"""Measure the size of a response to a phone, relative to imin's response."""

import base64
from collections.abc import Iterator

from bench.documents import make_event, upstream_body, with_unique_urls
from bench.figures import Figure
from bench.service import running_handler

SELLERS = 100
GOAL = 0.15


def measure() -> Iterator[Figure]:
    """Measure bodies for a client that accepts gzip. Repeated example accounts compress better than real ones."""
    repeated = upstream_body(SELLERS)
    yield _figure(f"bytes to the phone, {SELLERS} sellers", repeated)
    yield _figure(f"bytes to the phone, {SELLERS} different sellers", with_unique_urls(repeated))


def _figure(name: str, upstream: bytes) -> Figure:
    with running_handler(make_event(accept_encoding="gzip"), upstream) as call:
        body_bytes = len(base64.b64decode(call()["body"]))
    return Figure(name, "B", body_bytes, len(upstream), body_bytes / len(upstream), GOAL)
