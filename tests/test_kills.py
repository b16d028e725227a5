"""Execution environments killed while they serve callbacks: a short version of `make soak`."""

from pathlib import Path

import pytest

from tests.kills import run_kills

pytestmark = pytest.mark.external

KILLS = 20


def test_killed_callbacks_lose_no_acknowledged_record(tmp_path: Path) -> None:
    outcomes = run_kills(KILLS, seed=1, folder=tmp_path)
    assert outcomes.total() == KILLS
