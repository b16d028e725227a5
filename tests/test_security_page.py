"""`docs/security.md`: every test that it names is there."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "security.md").read_text()
NAMED = re.findall(r"`(\w+)::(test_\w+)`", PAGE)


@pytest.mark.parametrize(("file", "name"), sorted(set(NAMED)))
def test_a_test_that_it_names_is_there(file: str, name: str) -> None:
    assert re.search(rf"^ *def {name}\(", (TESTS / f"test_{file}.py").read_text(), re.MULTILINE)


def test_each_of_the_ten_risks_names_tests() -> None:
    rows = re.findall(r"^\| API(\d+) .*$", PAGE, re.MULTILINE)
    assert rows == [str(number) for number in range(1, 11)]
    for line in PAGE.splitlines():
        if line.startswith("| API") and "the table below" not in line:
            assert "::test_" in line
