"""`docs/security.md`: each test that it names runs, in as many cases as are written beside it; `make tables` writes these."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

pytestmark = pytest.mark.external

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "security.md"
NAMED = re.compile(r"`(\w+)::(test_\w+)`(?: \((\d+)\))?")
COLLECTED = re.compile(r"tests/test_(\w+)\.py::(?:\w+::)*(test_\w+)")


@pytest.fixture(scope="module")
def cases() -> Counter[tuple[str, str]]:
    """How many cases there are of each test, by file and name."""
    files = sorted({f"tests/test_{file}.py" for file, _, _ in NAMED.findall(PAGE.read_text())})
    command = [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "--override-ini=addopts=", *files]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    return Counter((found[1], found[2]) for line in told.stdout.splitlines() if (found := COLLECTED.match(line)))


def test_cited_tests_exist_with_the_stated_number_of_cases(cases: Counter[tuple[str, str]]) -> None:
    if os.environ.get("TABLES") == "write":
        PAGE.write_text(NAMED.sub(lambda named: _written(named, cases), PAGE.read_text()))
    said = {(file, name): int(number or 1) for file, name, number in NAMED.findall(PAGE.read_text())}
    assert said == {each: cases[each] for each in said}, "run make tables"


def _written(named: re.Match[str], cases: Counter[tuple[str, str]]) -> str:
    file, name, _ = named.groups()
    return f"`{file}::{name}`" + (f" ({cases[file, name]})" if cases[file, name] > 1 else "")


def test_every_owasp_risk_cites_tests() -> None:
    rows = re.findall(r"^\| API(\d+) (.*)$", PAGE.read_text(), re.MULTILINE)
    assert [number for number, _ in rows] == [str(number) for number in range(1, 11)]
    assert all(NAMED.search(row) or "the table below" in row for _, row in rows)
