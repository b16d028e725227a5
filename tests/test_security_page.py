"""`docs/security.md`: each cited test exists with the stated number of cases, which `make tables` updates."""

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
CITATION = re.compile(r"`(\w+)::(test_\w+)`(?: \((\d+)\))?")
COLLECTED_TEST = re.compile(r"tests/test_(\w+)\.py::(?:\w+::)*(test_\w+)")


@pytest.fixture(scope="module")
def cases() -> Counter[tuple[str, str]]:
    """Count the cases of each test in the cited files, by file and test name."""
    files = sorted({f"tests/test_{file}.py" for file, _, _ in CITATION.findall(PAGE.read_text())})
    command = [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "--override-ini=addopts=", *files]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    return Counter((match[1], match[2]) for line in result.stdout.splitlines() if (match := COLLECTED_TEST.match(line)))


def test_cited_tests_exist_with_the_stated_number_of_cases(cases: Counter[tuple[str, str]]) -> None:
    if os.environ.get("TABLES") == "write":
        PAGE.write_text(CITATION.sub(lambda match: _format_citation(match, cases), PAGE.read_text()))
    stated = {(file, name): int(number or 1) for file, name, number in CITATION.findall(PAGE.read_text())}
    assert stated == {test: cases[test] for test in stated}, "run make tables"


def _format_citation(match: re.Match[str], cases: Counter[tuple[str, str]]) -> str:
    file, name, _ = match.groups()
    return f"`{file}::{name}`" + (f" ({cases[file, name]})" if cases[file, name] > 1 else "")


def test_every_owasp_risk_cites_tests() -> None:
    rows = re.findall(r"^\| API(\d+) (.*)$", PAGE.read_text(), re.MULTILINE)
    assert [number for number, _ in rows] == [str(number) for number in range(1, 11)]
    assert all(CITATION.search(row) or "the table below" in row for _, row in rows)
