"""An environment killed while it serves a callback: nothing that was acknowledged is lost. The short form of `make soak`'s."""

from pathlib import Path

import pytest

from tests.kills import kill_many

pytestmark = pytest.mark.external

KILLS = 20


def test_every_callback_that_got_its_303_is_on_record_and_a_repeat_finishes_the_others(tmp_path: Path) -> None:
    outcomes = kill_many(KILLS, seed=1, folder=tmp_path)
    assert outcomes.total() == KILLS
