"""Which representation of a body a client gets: media type (`Accept`), coding (`Accept-Encoding`), validator (`ETag`).

Source: RFC 9110, sections 8.8.3 (ETag), 12.4.2 and 12.5 (negotiation), 13.1.2 (If-None-Match).
"""

import functools
import hashlib
import zlib
from base64 import b64encode
from collections.abc import Mapping

from http_api import Response

JSON = "application/json"
JSON_LD = "application/ld+json"
GZIP_FROM_BYTES = 1024
PLAIN_TEXT_TO_BYTES = 2_500_000  # Lambda takes 6 MB: quoting can double a text, base64 adds a third and no more
GZIP_LEVEL = 1  # higher levels cost twice the time for bodies like ours and save next to nothing
GZIP_WINDOW = 16 + zlib.MAX_WBITS  # a gzip header, with no time in it: the same body gives the same bytes


def media_type(headers: Mapping[str, str]) -> str:
    """`JSON_LD` for a client that names it with at least the weight of JSON (a tie goes to the first named), else `JSON`."""
    quality = _qualities(headers.get("accept", ""))
    named = [name for name in quality if name in {JSON, JSON_LD} and quality[name] > 0]
    return max(named, key=quality.__getitem__, default=JSON)


def represent(body: bytes, kind: str, headers: Mapping[str, str], *, cache_control: str, validate: bool) -> Response:
    """A 200 with `body` as the client wants it; a 304 where `validate` is set and it has that already."""
    quality = _qualities(headers.get("accept-encoding", ""))
    gzip = len(body) > GZIP_FROM_BYTES and quality.get("gzip", quality.get("*", 0)) > 0
    answer = {"Content-Type": kind, "Cache-Control": cache_control, "Vary": "Accept, Accept-Encoding"}
    if validate:
        answer["ETag"] = _etag(body, kind, gzip)
        if _matches(headers.get("if-none-match", ""), answer["ETag"]):
            del answer["Content-Type"]
            return {"statusCode": 304, "headers": answer}
    if gzip:
        answer["Content-Encoding"] = "gzip"
        body = _gzip(body)
    if gzip or kind == JSON_LD or len(body) > PLAIN_TEXT_TO_BYTES:  # JSON-LD goes out byte for byte, whatever is in it
        return {"statusCode": 200, "headers": answer, "body": b64encode(body).decode(), "isBase64Encoded": True}
    return {"statusCode": 200, "headers": answer, "body": body.decode()}


@functools.lru_cache(maxsize=64)
def _qualities(header: str) -> Mapping[str, float]:
    """The members of an Accept-like header, in its order, with their weights; a weight that can't be read is 0."""
    qualities: dict[str, float] = {}
    for member in header.lower().split(","):
        name, *parameters = (part.strip() for part in member.split(";"))
        weight = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
        if name:
            try:
                qualities[name] = float(weight)
            except ValueError:
                qualities[name] = 0
    return qualities


def _etag(body: bytes, kind: str, gzip: bool) -> str:
    digest = hashlib.sha256(body).hexdigest()[:32]
    return f'"{digest}{"-ld" if kind == JSON_LD else ""}{"-gzip" if gzip else ""}"'


def _matches(if_none_match: str, etag: str) -> bool:
    """The weak comparison of RFC 9110 8.8.3.2 with each member of the list."""
    return any(tag.strip().removeprefix("W/") in {"*", etag} for tag in if_none_match.split(","))


def _gzip(body: bytes) -> bytes:
    compressor = zlib.compressobj(GZIP_LEVEL, wbits=GZIP_WINDOW)
    return compressor.compress(body) + compressor.flush()
