"""imin's Get Seller Accounts, called with our key: one answer's bytes, or a `Problem`.

Attempts, waiting, the time limit and the change of a rotated key are here. What the answer means is not.
Source: imin's page "Get Seller Accounts"; RFC 9110 10.2.3 (Retry-After); the field's "full jitter" for the waits.

    Problem                       when                                                      tried again
    ├── customer_not_found        404                                                       no
    ├── upstream_rejected_key     401, 403                                                  once, if the key has changed
    ├── upstream_invalid_response any other status but 200; an answer that can't be read    no
    ├── upstream_timeout          no byte in time; the deadline                             no
    └── upstream_unavailable      5xx, 429; no connection, or one that broke                not for 500, 501 and other 5xx
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
from seller_accounts.imin.tolerant_parser import unreadable
from seller_accounts.network import transport
from seller_accounts.settings import UpstreamSettings
from seller_accounts.telemetry import count, measure

MAX_ATTEMPTS = 3
CONNECT_TIMEOUT_SECONDS = 1.0
TOTAL_SECONDS = 8.0
RESERVED_SECONDS = 0.5  # of the invocation's time, kept for the answer
BACKOFF_SECONDS = 0.2  # the longest wait before the second attempt; it doubles
MAX_RESPONSE_BYTES = 4 * 1024 * 1024  # of an answer, after decompression
DRAIN_BYTES = 64 * 1024  # an error's body up to this size is read to the end, to keep its connection
MAX_RETRY_AFTER_SECONDS = 86400
RETRYABLE_STATUSES = frozenset({429, 502, 503, 504})
FAILURE_METRICS = {
    "customer_not_found": "UpstreamCustomerNotFound",
    "upstream_rejected_key": "UpstreamRejectedKey",
    "upstream_timeout": "UpstreamTimeout",
    "upstream_unavailable": "UpstreamUnavailable",
}


class _TransientProblem(Problem):
    """A failure that another attempt may not meet."""


class Upstream:
    """Calls imin for one environment, which serves one invocation at a time. `sleep` takes seconds, `jitter` gives 0 to 1."""

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
        """The JSON-LD of `customer_identifier`'s accounts as it came; with connect URLs if there is a `redirect_uri`.

        `deadline` is a time of `time.monotonic`, from `upstream_deadline`. Raises `Problem`, as the tree above says.
        """
        url = self._url.replace("{customerIdentifier}", quote(customer_identifier, safe=""))
        query = {} if redirect_uri is None else {"redirectUri": redirect_uri}
        key = self._api_key.value()
        if deadline <= time.monotonic():
            count("Faults")  # imin was not called: fetching the key, or what came before, took all the time
            raise _too_slow()
        token = transport.deadline.set(deadline)
        start = time.monotonic()
        try:
            return self._with_attempts(url, query, key)
        except Problem as problem:
            if problem.code in FAILURE_METRICS:
                count(FAILURE_METRICS[problem.code])
            raise
        finally:
            measure("UpstreamLatency", round((time.monotonic() - start) * 1000, 1), MetricUnit.Milliseconds)
            transport.deadline.reset(token)

    def _with_attempts(self, url: str, query: dict[str, str], key: str) -> bytes:
        """Return the first good response. A rejected key is fetched again once; a changed one gets at least one attempt."""
        attempt = 1
        is_fresh = False
        while True:
            try:
                return self._attempt(url, query, key)
            except _TransientProblem as problem:
                wait = max(self._jitter() * BACKOFF_SECONDS * 2 ** (attempt - 1), problem.retry_after_seconds or 0)
                if attempt >= MAX_ATTEMPTS or wait >= _seconds_left():
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
        left = _seconds_left()
        if left <= 0:
            raise _too_slow()
        timeout = (min(CONNECT_TIMEOUT_SECONDS, left), min(transport.READ_TIMEOUT_SECONDS, left))
        try:
            with self._session.get(
                url, params=query, headers={"X-Api-Key": key}, timeout=timeout, allow_redirects=False, stream=True
            ) as response:
                if response.status_code == 200:
                    return _body_of(response.raw)
                _drain(response.raw)
                raise _refusal(response)
        except (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError) as error:
            raise _too_slow() from error
        except (requests.ConnectionError, urllib3.exceptions.ProtocolError) as error:
            raise _TransientProblem("upstream_unavailable", "The booking platform can't be reached.") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:  # http.client: a chunk of -5 bytes
            raise unreadable() from error


def upstream_deadline(remaining_ms: int, most_seconds: float = TOTAL_SECONDS) -> float:
    """When the calls of an invocation that has `remaining_ms` left must be over, on the clock of `time.monotonic`."""
    return time.monotonic() + min(most_seconds, remaining_ms / 1000 - RESERVED_SECONDS)


def _seconds_left() -> float:
    return transport.deadline.get() - time.monotonic()


def _too_slow() -> Problem:
    return Problem("upstream_timeout", "The booking platform took too long to answer.")


def _body_of(answer: urllib3.BaseHTTPResponse) -> bytes:
    body = bytearray()
    for chunk in answer.stream(64 * 1024, decode_content=True):
        body += chunk
        if len(body) > MAX_RESPONSE_BYTES:
            raise unreadable("The booking platform's answer is too large.")
    return bytes(body)


def _drain(answer: urllib3.BaseHTTPResponse) -> None:
    length = answer.headers.get("Content-Length", "")
    if re.fullmatch(r"[0-9]{1,9}", length) and int(length) <= DRAIN_BYTES:
        answer.drain_conn()


def _refusal(response: requests.Response) -> Problem:
    """The problem that a status other than 200 stands for. Its body is not believed: it may be JSON, HTML or empty."""
    status = response.status_code
    if status in {401, 403}:
        return Problem("upstream_rejected_key", "The booking platform refused our credentials.")
    if status == 404:
        return Problem("customer_not_found", "The booking platform does not know this customer.")
    if status == 429 or status >= 500:
        kind = _TransientProblem if status in RETRYABLE_STATUSES else Problem
        wait = _retry_after_seconds(response.headers.get("Retry-After", ""))
        return kind("upstream_unavailable", "The booking platform is busy or failing.", retry_after_seconds=wait)
    return unreadable()


def _retry_after_seconds(value: str) -> int | None:
    """Return `Retry-After` in whole seconds from now, rounded up and at most a day, for a number or a date; None for neither."""
    if re.fullmatch(r"[0-9]+", value):
        return min(int(value.lstrip("0")[:6] or 0), MAX_RETRY_AFTER_SECONDS)  # six digits exceed the maximum already
    try:
        moment = email.utils.parsedate_to_datetime(value)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):  # no date, or one beyond the calendar
        return None
    return min(max(0, math.ceil((moment - datetime.now(UTC)).total_seconds())), MAX_RETRY_AFTER_SECONDS)
