"""Which representation of a body a client gets: media type (`Accept`), coding (`Accept-Encoding`), validator (`ETag`).

Source: RFC 9110, sections 5.6 (lists, quoted strings), 8.4.1.3 (x-gzip), 8.8.3 (ETag), 12.4.2 and 12.5 (negotiation),
13.1.2 (If-None-Match).
"""

import functools
import hashlib
import re
import zlib
from base64 import b64encode
from collections.abc import Mapping

from seller_accounts.http.http_api import Response

JSON = "application/json"
JSON_LD = "application/ld+json"
GZIP_MIN_BYTES = 1024
MAX_UNENCODED_BODY_BYTES = 2_500_000  # Lambda accepts 6 MB; quoting can double a text, but base64 adds only a third
GZIP_LEVEL = 1  # for these bodies, higher levels take twice the time and save almost nothing
GZIP_WINDOW = 16 + zlib.MAX_WBITS  # a gzip header without a time, so equal bodies give equal bytes


MEMBER = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*"?)+')  # of a list: a comma within quotes doesn't end it
PARAMETER = re.compile(r'(?:[^";]|"(?:[^"\\]|\\.)*"?)+')
WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


def media_type(headers: Mapping[str, str]) -> str:
    """Return `JSON_LD` for a client that prefers it to JSON, else `JSON`, also for a client that accepts neither.

    Of equal weights, a named type is preferred to one that only a wildcard accepts, and then the one that is named first.
    """
    weights = _weights(headers.get("accept", ""))
    json, json_ld = (weights.get(kind, weights.get("application/*", weights.get("*/*", 0.0))) for kind in (JSON, JSON_LD))
    named = [kind for kind in weights if kind in {JSON, JSON_LD}]
    return JSON_LD if json_ld > json or (json_ld == json > 0 and named[:1] == [JSON_LD]) else JSON


def represent(body: bytes, kind: str, headers: Mapping[str, str], *, cache_control: str, validate: bool) -> Response:
    """Return a 200 with `body` as the client wants it; a 304 where `validate` is set and the client has that already."""
    gzip = _prefers_gzip(headers.get("accept-encoding", ""), len(body))
    response_headers = {"Content-Type": kind, "Cache-Control": cache_control, "Vary": "Accept, Accept-Encoding"}
    if validate:
        response_headers["ETag"] = _etag(body, kind, gzip)
        if _matches(headers.get("if-none-match", ""), response_headers["ETag"]):
            del response_headers["Content-Type"]
            return {"statusCode": 304, "headers": response_headers}
    if gzip:
        response_headers["Content-Encoding"] = "gzip"
        body = _gzip(body)
    if gzip or kind == JSON_LD or len(body) > MAX_UNENCODED_BODY_BYTES:  # JSON-LD is passed through byte for byte
        return {"statusCode": 200, "headers": response_headers, "body": b64encode(body).decode(), "isBase64Encoded": True}
    return {"statusCode": 200, "headers": response_headers, "body": body.decode()}


def _prefers_gzip(accept_encoding: str, body_bytes: int) -> bool:
    weights = _weights(accept_encoding)
    others = weights.get("*", 0.0)
    gzip = max(weights.get("gzip", 0.0), weights.get("x-gzip", 0.0)) if {"gzip", "x-gzip"} & weights.keys() else others
    if weights.get("identity", others if "*" in weights else 1.0) == 0:
        return gzip > 0  # the body as it is isn't acceptable
    return gzip > 0 and gzip >= weights.get("identity", 0.0) and body_bytes > GZIP_MIN_BYTES


@functools.lru_cache(maxsize=64)
def _weights(header: str) -> Mapping[str, float]:
    """Return the members of an Accept-like header, in its order, with their weights; an invalid weight is 0."""
    weights: dict[str, float] = {}
    for member in MEMBER.findall(header.lower()):
        parts = [part.strip() for part in PARAMETER.findall(member)]
        if parts and (name := parts[0]):
            weight = next((part[2:] for part in parts[1:] if part.startswith("q=")), "1")
            weights[name] = max(weights.get(name, 0.0), float(weight) if WEIGHT.fullmatch(weight) else 0.0)
    return weights


def _etag(body: bytes, kind: str, gzip: bool) -> str:
    digest = hashlib.sha256(body).hexdigest()[:32]
    return f'"{digest}{"-ld" if kind == JSON_LD else ""}{"-gzip" if gzip else ""}"'


def _matches(if_none_match: str, etag: str) -> bool:
    """Compare weakly (RFC 9110 8.8.3.2) with each member of the list."""
    return any(tag.strip().removeprefix("W/") in {"*", etag} for tag in if_none_match.split(","))


def _gzip(body: bytes) -> bytes:
    compressor = zlib.compressobj(GZIP_LEVEL, wbits=GZIP_WINDOW)
    return compressor.compress(body) + compressor.flush()
