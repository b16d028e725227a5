"""Time that passes only when somebody waits, for functions that are handed a clock and a sleep."""

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace

import botocore.endpoint
import pytest

from seller_accounts.aws import secret
from seller_accounts.http import access_token
from seller_accounts.imin import imin_client
from seller_accounts.network import transport


class Clock:
    """A clock that stands still, but for what `sleep` and `advance` put it forward."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Lets time pass, or waits, without waiting."""
        self._now += seconds


@contextlib.contextmanager
def ticking() -> Iterator[Clock]:
    """Hands a clock to all that measures time or waits in the functions that are made meanwhile; each wait is its longest."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        for module in (transport, imin_client, access_token):
            patch.setattr(module, "time", SimpleNamespace(monotonic=clock.monotonic, sleep=clock.advance))
        patch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=clock.advance))
        patch.setattr(imin_client.Upstream.__init__, "__defaults__", (None, clock.advance, lambda: 1.0))
        patch.setattr(secret.Secret.__init__, "__defaults__", (clock.monotonic,))
        patch.setattr(access_token.Verifier.__init__, "__defaults__", (access_token.fetch_json, clock.monotonic))
        yield clock
