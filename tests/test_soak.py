"""Mixed traffic while imin and AWS fail intermittently: a short version of `make soak`."""

from pathlib import Path

import pytest

from tests.intermittent_faults import AWS_FAULTS, IMIN_FAULTS
from tests.soak import soak

pytestmark = pytest.mark.external

SECONDS = 12  # of traffic; with the start and the final reads, the test takes about 20


def test_intermittent_faults_lose_no_write_and_cause_no_500(tmp_path: Path) -> None:
    counts, unexpected = soak(SECONDS, seed=1, folder=tmp_path)
    assert unexpected == []
    assert counts["expected callbacks found"] == counts["expected callbacks"] > 0
    assert counts["expected notices found"] == counts["expected notices"] > 0
    assert any(counts[f"AWS {fault}"] for fault in AWS_FAULTS)
    assert any(counts[f"imin {fault}"] for fault in IMIN_FAULTS)
