"""What the upstream client costs this process per call, against a bare `requests` session that calls the same server.

The server is another process on loopback, so that its time is not counted; connections are kept alive.
"""

import logging
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import requests

from bench import server
from bench.figures import Figure, compared
from bench.service import silence
from bench.timing import cpu_microseconds, in_turn
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
    """Measure the one figure."""
    with server.running(SELLERS) as url, requests.Session() as session, silence():
        settings = UpstreamSettings.from_environment({**os.environ, "IMIN_BASE_URL": url})
        secrets: Any = SimpleNamespace(get_secret_value=lambda **_: {"SecretString": KEY})
        upstream = Upstream(settings, Secret(secrets, settings.api_key_secret))
        address = url + settings.accounts_path.replace("{customerIdentifier}", "rosie")

        def ours() -> float:
            _write_metrics()
            return cpu_microseconds(lambda: upstream.accounts("rosie", None, upstream_deadline(15_000)), CALLS)

        def floor() -> float:
            return cpu_microseconds(lambda: session.get(address, headers={"X-Api-Key": KEY}).content, CALLS)

        in_turn([ours, floor], 2)
        yield compared(f"upstream client, {SELLERS} sellers", "µs", in_turn([ours, floor], ROUNDS), GOAL)
        _write_metrics()


def _write_metrics() -> None:
    """Clear recorded metrics, as a handler does after each call."""
    log_with_metrics(logging.INFO, "bench")
