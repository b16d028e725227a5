"""What imin answers, of any length: the accounts of its page's example over and over. And the event that asks for them."""

import itertools
import json
import re
import secrets
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "tests" / "data" / "sample-response.json"
EVENT = ROOT / "events" / "accounts-get.json"
URL = re.compile(rb'https://(?!schema|openactive)[^"]+')  # but for those that are words of a vocabulary
TOKEN_BYTES = 6


def upstream_body(sellers: int) -> bytes:
    """Build the JSON of a response with this many sellers, without blanks."""
    answer = json.loads(SAMPLE.read_text())
    answer["imin:item"] = list(itertools.islice(itertools.cycle(answer["imin:item"]), sellers))
    return json.dumps(answer, separators=(",", ":")).encode()


def all_different(body: bytes) -> bytes:
    """Build the same with all URLs and ids different, so that no cache helps."""
    return URL.sub(lambda url: url[0] + secrets.token_hex(TOKEN_BYTES).encode(), body)


def event(**headers: str) -> dict[str, Any]:
    """Build an event of API Gateway with more headers."""
    asked: dict[str, Any] = json.loads(EVENT.read_text())
    asked["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
    return asked
