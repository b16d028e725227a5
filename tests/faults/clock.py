"""A fake clock for the functions: time passes only when they sleep or a test advances it."""

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
    """A clock that moves only when it is advanced."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Advance the clock. In place of `time.sleep`, this skips the wait."""
        self._now += seconds


@contextlib.contextmanager
def use_fake_clock() -> Iterator[Clock]:
    """Replace the clock and the sleep of all functions built in this context. Waits with jitter take their longest duration."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        for module in (transport, imin_client, access_token):
            patch.setattr(module, "time", SimpleNamespace(monotonic=clock.monotonic, sleep=clock.advance))
        patch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=clock.advance))
        patch.setattr(imin_client.Upstream.__init__, "__defaults__", (None, clock.advance, lambda: 1.0))
        patch.setattr(secret.Secret.__init__, "__defaults__", (clock.monotonic,))
        patch.setattr(access_token.Verifier.__init__, "__defaults__", (access_token.fetch_json, clock.monotonic))
        yield clock
