"""Call imin's Get Seller Accounts with the API key, and return the bytes of its response or raise a `Problem`.

This module handles retries, the deadline and a rotated key; `reshape` interprets the response.
Source: imin's page "Get Seller Accounts"; RFC 9110 10.2.3 (Retry-After); exponential backoff with full jitter.

    Problem                       condition                                            retried
    ├── customer_not_found        404                                                  no
    ├── upstream_rejected_key     401, 403                                             once, if the key has changed
    ├── upstream_invalid_response any other status except 200; an unreadable response  no
    ├── upstream_timeout          no byte in time; the deadline                        no
    └── upstream_unavailable      5xx, 429; no connection, or a broken one             429, 502, 503, 504, connection errors
"""

import email.utils
import math
import random
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

import requests
import urllib3.exceptions
from aws_lambda_powertools.metrics import MetricUnit

from seller_accounts.aws.secret import Secret
from seller_accounts.http.problems import Problem
from seller_accounts.imin.tolerant_parser import invalid_upstream_response
from seller_accounts.network import transport
from seller_accounts.settings import UpstreamSettings
from seller_accounts.telemetry import count, measure

MAX_ATTEMPTS = 3
CONNECT_TIMEOUT_SECONDS = 1.0
TOTAL_SECONDS = 8.0
RESERVED_SECONDS = 0.5  # left at the end of the invocation to send the response
BACKOFF_SECONDS = 0.2  # the longest wait before the second attempt; doubles for the third
MAX_RESPONSE_BYTES = 4 * 1024 * 1024  # after decompression
DRAIN_BYTES = 64 * 1024  # an error body up to this size is read, so that its connection can be reused
MAX_RETRY_AFTER_SECONDS = 86400
RETRYABLE_STATUSES = frozenset({429, 502, 503, 504})
FAILURE_METRICS = {
    "customer_not_found": "UpstreamCustomerNotFound",
    "upstream_rejected_key": "UpstreamRejectedKey",
    "upstream_timeout": "UpstreamTimeout",
    "upstream_unavailable": "UpstreamUnavailable",
}


class _TransientProblem(Problem):
    """A failure that may not recur: the call can be retried."""


class Upstream:
    """Calls imin for one execution environment. `sleep` takes seconds, `jitter` returns 0 to 1."""

    def __init__(
        self,
        settings: UpstreamSettings,
        api_key: Secret,
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._url = settings.base_url + settings.accounts_path
        self._api_key = api_key
        self._session = session or transport.make_session()
        self._session.headers.update({"Accept": "application/ld+json, application/json", "Accept-Encoding": "gzip"})
        self._session.headers["User-Agent"] = "seller-accounts"
        self._sleep = sleep
        self._jitter = jitter

    def accounts(self, customer_identifier: str, redirect_uri: str | None, deadline: float) -> bytes:
        """Return the JSON-LD of the customer's accounts as received, with connect URLs if there is a `redirect_uri`.

        `deadline` is a time of `time.monotonic`, from `upstream_deadline`. Raises `Problem`, see the tree above.
        """
        url = self._url.replace("{customerIdentifier}", quote(customer_identifier, safe=""))
        query = {} if redirect_uri is None else {"redirectUri": redirect_uri}
        key = self._api_key.value()
        if deadline <= time.monotonic():
            count("Faults")  # imin wasn't called: an earlier step, such as fetching the key, used up the time
            raise _too_slow()
        start = time.monotonic()
        try:
            with transport.deadline_at(deadline):
                return self._get_with_retries(url, query, key)
        except Problem as problem:
            if problem.code in FAILURE_METRICS:
                count(FAILURE_METRICS[problem.code])
            raise
        finally:
            measure("UpstreamLatency", round((time.monotonic() - start) * 1000, 1), MetricUnit.Milliseconds)

    def _get_with_retries(self, url: str, query: dict[str, str], key: str) -> bytes:
        """Return the first successful response. A rejected key is fetched again once; a changed key gets another attempt."""
        attempt = 1
        is_fresh = False
        while True:
            try:
                return self._attempt(url, query, key)
            except _TransientProblem as problem:
                wait = max(self._jitter() * BACKOFF_SECONDS * 2 ** (attempt - 1), problem.retry_after_seconds or 0)
                if attempt >= MAX_ATTEMPTS or wait >= transport.seconds_left():
                    raise
                self._sleep(wait)
            except Problem as problem:
                if problem.code != "upstream_rejected_key" or is_fresh:
                    raise
                rejected, key, is_fresh = key, self._api_key.refresh(), True
                if key == rejected:
                    raise
            attempt += 1

    def _attempt(self, url: str, query: dict[str, str], key: str) -> bytes:
        left = transport.seconds_left()
        if left <= 0:
            raise _too_slow()
        timeout = (min(CONNECT_TIMEOUT_SECONDS, left), min(transport.READ_TIMEOUT_SECONDS, left))
        try:
            with self._session.get(
                url, params=query, headers={"X-Api-Key": key}, timeout=timeout, allow_redirects=False, stream=True
            ) as response:
                if response.status_code == 200:
                    return _read_body(response.raw)
                _drain(response.raw)
                raise _status_problem(response)
        except (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError) as error:
            raise _too_slow() from error
        except (requests.ConnectionError, urllib3.exceptions.ProtocolError) as error:
            raise _TransientProblem("upstream_unavailable", "The booking platform can't be reached.") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:  # http.client: a chunk of -5 bytes
            raise invalid_upstream_response() from error


def upstream_deadline(remaining_ms: int, max_seconds: float = TOTAL_SECONDS) -> float:
    """Return the deadline, a time of `time.monotonic`, for calls of an invocation with `remaining_ms` left."""
    return time.monotonic() + min(max_seconds, remaining_ms / 1000 - RESERVED_SECONDS)


def _too_slow() -> Problem:
    return Problem("upstream_timeout", "The booking platform took too long to respond.")


def _read_body(response: urllib3.BaseHTTPResponse) -> bytes:
    body = bytearray()
    for chunk in response.stream(64 * 1024, decode_content=True):
        body += chunk
        if len(body) > MAX_RESPONSE_BYTES:
            raise invalid_upstream_response("The booking platform's response is too large.")
    return bytes(body)


def _drain(response: urllib3.BaseHTTPResponse) -> None:
    length = response.headers.get("Content-Length", "")
    if re.fullmatch(r"[0-9]{1,9}", length) and int(length) <= DRAIN_BYTES:
        response.drain_conn()


def _status_problem(response: requests.Response) -> Problem:
    """Return the problem for a status other than 200. The body is ignored: it may be JSON, HTML or empty."""
    status = response.status_code
    if status in {401, 403}:
        return Problem("upstream_rejected_key", "The booking platform rejected the service's credentials.")
    if status == 404:
        return Problem("customer_not_found", "The booking platform does not know this customer.")
    if status == 429 or status >= 500:
        problem_class = _TransientProblem if status in RETRYABLE_STATUSES else Problem
        wait = _retry_after_seconds(response.headers.get("Retry-After", ""))
        return problem_class("upstream_unavailable", "The booking platform is busy or failing.", retry_after_seconds=wait)
    return invalid_upstream_response()


def _retry_after_seconds(value: str) -> int | None:
    """Return `Retry-After` in whole seconds from now, rounded up and at most a day, from a number or a date; None for neither."""
    if re.fullmatch(r"[0-9]+", value):
        return min(int(value.lstrip("0")[:6] or 0), MAX_RETRY_AFTER_SECONDS)  # six digits exceed the maximum already
    try:
        moment = email.utils.parsedate_to_datetime(value)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):  # not a date, or one outside the calendar
        return None
    return min(max(0, math.ceil((moment - datetime.now(UTC)).total_seconds())), MAX_RETRY_AFTER_SECONDS)
