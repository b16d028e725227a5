"""imin responses of any length, made from its documented example, and the event that requests them."""

import itertools
import json
import re
import secrets
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "tests" / "data" / "sample-response.json"
EVENT = ROOT / "events" / "accounts-get.json"
URL = re.compile(rb'https://(?!schema|openactive)[^"]+')  # not the names of vocabularies
TOKEN_BYTES = 6


def upstream_body(sellers: int) -> bytes:
    """Build a response with this many sellers, as compact JSON."""
    response = json.loads(SAMPLE.read_text())
    response["imin:item"] = list(itertools.islice(itertools.cycle(response["imin:item"]), sellers))
    return json.dumps(response, separators=(",", ":")).encode()


def with_unique_urls(body: bytes) -> bytes:
    """Make all URLs and ids of `body` unique, so that caches don't help."""
    return URL.sub(lambda url: url[0] + secrets.token_hex(TOKEN_BYTES).encode(), body)


def make_event(**headers: str) -> dict[str, Any]:
    """Build an event of API Gateway with additional headers."""
    event: dict[str, Any] = json.loads(EVENT.read_text())
    event["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
    return event
