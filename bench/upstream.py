"""Measure a call of the upstream client, compared with a bare `requests` session and the same server.

The server is another process on loopback, so its CPU time isn't counted. Connections are kept alive.
"""

import logging
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import requests

from bench import server
from bench.figures import Figure, compare
from bench.service import silence
from bench.timing import alternate, cpu_microseconds
from seller_accounts.aws.secret import Secret
from seller_accounts.imin.imin_client import Upstream, upstream_deadline
from seller_accounts.settings import UpstreamSettings
from seller_accounts.telemetry import log_with_metrics

SELLERS = 20
GOAL = 1.10
ROUNDS = 31
CALLS = 40
KEY = "key-of-the-bench"


def measure() -> Iterator[Figure]:
    """Measure CPU time per call."""
    with server.running(SELLERS) as url, requests.Session() as session, silence():
        settings = UpstreamSettings.from_environment({**os.environ, "IMIN_BASE_URL": url})
        secrets: Any = SimpleNamespace(get_secret_value=lambda **_: {"SecretString": KEY})
        upstream = Upstream(settings, Secret(secrets, settings.api_key_secret))
        accounts_url = url + settings.accounts_path.replace("{customerIdentifier}", "rosie")

        def service() -> float:
            _write_metrics()
            return cpu_microseconds(lambda: upstream.accounts("rosie", None, upstream_deadline(15_000)), CALLS)

        def baseline() -> float:
            return cpu_microseconds(lambda: session.get(accounts_url, headers={"X-Api-Key": KEY}).content, CALLS)

        alternate([service, baseline], 2)
        yield compare(f"upstream client, {SELLERS} sellers", "µs", alternate([service, baseline], ROUNDS), GOAL)
        _write_metrics()


def _write_metrics() -> None:
    """Write and clear the recorded metrics, as a handler does after each call."""
    log_with_metrics(logging.INFO, "bench")
