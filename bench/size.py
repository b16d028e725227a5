"""How many bytes go to a phone, against those that came from imin."""

import base64
from collections.abc import Iterator

from bench.documents import all_different, event, upstream_body
from bench.figures import Figure
from bench.service import given

SELLERS = 100
GOAL = 0.15


def measure() -> Iterator[Figure]:
    """Return the body for a client that accepts gzip. Repeated example accounts compress better than real ones."""
    same = upstream_body(SELLERS)
    yield _figure(f"bytes to the phone, {SELLERS} sellers", same)
    yield _figure(f"bytes to the phone, {SELLERS} different sellers", all_different(same))


def _figure(name: str, came: bytes) -> Figure:
    with given(event(accept_encoding="gzip"), came) as call:
        ours = len(base64.b64decode(call()["body"]))
    return Figure(name, "B", ours, len(came), ours / len(came), GOAL)
