"""The guard of `make check` can fail: an unmarked test that starts a process or a server fails, a marked one passes."""

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
STARTS = {
    "a process": "import subprocess, sys; subprocess.run([sys.executable, '-c', ''], check=True)",
    "a server": "import socket; socket.create_server(('127.0.0.1', 0)).close()",
}


def run(folder: Path, test: str) -> "subprocess.CompletedProcess[str]":
    """Run one test in a session of its own."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-c", "/dev/null", str(folder)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_unmarked_test_that_starts_something_fails(start: str, tmp_path: Path) -> None:
    ended = run(tmp_path, f"def test_it():\n    {start}\n")
    assert ended.returncode == 1
    assert "mark it `external`" in ended.stdout


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_marked_test_that_starts_something_passes(start: str, tmp_path: Path) -> None:
    ended = run(tmp_path, f"import pytest\n@pytest.mark.external\ndef test_it():\n    {start}\n")
    assert ended.returncode == 0, ended.stdout


def test_unmarked_test_that_starts_nothing_passes(tmp_path: Path) -> None:
    assert run(tmp_path, "def test_it():\n    pass\n").returncode == 0
