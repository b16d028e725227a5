"""The function's own handler, handed an answer where it would call imin. All else is as deployed; what it logs goes nowhere."""

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from local.environment import Context
from seller_accounts.http.http_api import Response
from seller_accounts.imin.imin_client import Upstream
from seller_accounts.routes import accounts
from seller_accounts.telemetry import measure

INVOCATION = {"functionName": "AccountsFunction", "memoryMb": 1024, "requestId": "bench", "timeoutSeconds": 15}

Call = Callable[[], Response]


@contextlib.contextmanager
def given(event: dict[str, Any], *bodies: bytes) -> Iterator[Call]:
    """Make a call of the handler with `event` and imin's `bodies` in turn. Raises `ValueError` unless its status is 200."""

    def answer(self: Upstream, customer_identifier: str, redirect_uri: str | None, deadline: float) -> bytes:
        measure("UpstreamLatency", 100, MetricUnit.Milliseconds)  # as the real one does
        return next(answers)

    answers = itertools.cycle(bodies)
    real = Upstream.accounts
    with silence():
        Upstream.accounts = answer  # type: ignore[method-assign]  # the one place that is replaced
        try:
            handler = accounts.make_handler(os.environ)
            context = Context(INVOCATION)
            if handler(event, context)["statusCode"] != 200:
                raise ValueError("the handler gives no answer to measure")
            yield lambda: handler(event, context)
        finally:
            Upstream.accounts = real  # type: ignore[method-assign]


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Send logs and metrics where they cost a write and are gone."""
    with Path(os.devnull).open("w") as sink, contextlib.redirect_stdout(sink):
        yield
