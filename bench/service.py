"""The handler of the accounts function, without the call to imin and without output. Everything else is as deployed."""

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
def running_handler(event: dict[str, Any], *bodies: bytes) -> Iterator[Call]:
    """Yield a call of the handler with `event`. imin's responses are `bodies` in turn. Raises `ValueError` unless it succeeds."""

    def accounts_stub(self: Upstream, customer_identifier: str, redirect_uri: str | None, deadline: float) -> bytes:
        measure("UpstreamLatency", 100, MetricUnit.Milliseconds)  # as the real method does
        return next(responses)

    responses = itertools.cycle(bodies)
    original = Upstream.accounts
    with silence():
        Upstream.accounts = accounts_stub  # type: ignore[method-assign]
        try:
            handler = accounts.make_handler(os.environ)
            context = Context(INVOCATION)
            if handler(event, context)["statusCode"] != 200:
                raise ValueError("the handler must respond with status 200")
            yield lambda: handler(event, context)
        finally:
            Upstream.accounts = original  # type: ignore[method-assign]


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Discard logs and metrics, but pay for writing them."""
    with Path(os.devnull).open("w") as sink, contextlib.redirect_stdout(sink):
        yield
