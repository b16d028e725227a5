"""The guard of `make check`: a test without the `external` marker fails if it starts a process or a server."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import ROOT

pytestmark = pytest.mark.external

CONFTEST = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from tests.inner_loop import pytest_runtest_makereport, pytest_runtest_protocol
def pytest_configure(config): config.addinivalue_line("markers", "external: starts something")
"""
START_CODE = {
    "a process": "import subprocess, sys; subprocess.run([sys.executable, '-c', ''], check=True)",
    "a server": "import socket; socket.create_server(('127.0.0.1', 0)).close()",
}


def run_test(folder: Path, test: str) -> "subprocess.CompletedProcess[str]":
    """Run one test in a separate session."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-c", "/dev/null", str(folder)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.mark.parametrize("code", START_CODE.values(), ids=START_CODE)
def test_unmarked_test_that_starts_something_fails(code: str, tmp_path: Path) -> None:
    result = run_test(tmp_path, f"def test_it():\n    {code}\n")
    assert result.returncode == 1
    assert "mark it `external`" in result.stdout


@pytest.mark.parametrize("code", START_CODE.values(), ids=START_CODE)
def test_marked_test_that_starts_something_passes(code: str, tmp_path: Path) -> None:
    result = run_test(tmp_path, f"import pytest\n@pytest.mark.external\ndef test_it():\n    {code}\n")
    assert result.returncode == 0, result.stdout


def test_unmarked_test_that_starts_nothing_passes(tmp_path: Path) -> None:
    assert run_test(tmp_path, "def test_it():\n    pass\n").returncode == 0
