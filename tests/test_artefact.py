"""The steps of `make build` after `sam build`: bytecode, a check of native libraries, and the release digest."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import ROOT

pytestmark = pytest.mark.external

PYTHON_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
ARM64_ELF_HEADER = b"\x7fELF\x02\x01\x01".ljust(18, b"\0") + b"\xb7\0"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """Create a build folder with one function's artefact, and a settings file beside it."""
    folder = tmp_path / "build" / "AccountsFunction"
    folder.mkdir(parents=True)
    (folder / "accounts.py").write_text("handler = 1\n")
    (folder / "native.abi3.so").write_bytes(ARM64_ELF_HEADER)
    (tmp_path / "settings.toml").write_text("a = 1\n")
    return tmp_path / "build"


def _run_build_steps(build: Path, architecture: str = "arm64", version: str = PYTHON_VERSION) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", str(ROOT / "local" / "artefact.py"), str(build), architecture, version]
    settings = str(build.parent / "settings.toml")
    return subprocess.run([*command, settings], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603


def _build_release(build: Path) -> str:
    assert _run_build_steps(build).returncode == 0
    release = (build / "release.yaml").read_text()
    (build / "release.yaml").unlink()  # sam empties the folder before each build
    return release


def test_bytecode_is_valid_for_any_file_dates(build: Path) -> None:
    assert _run_build_steps(build).returncode == 0
    compiled = Path(importlib.util.cache_from_source(str(build / "AccountsFunction" / "accounts.py"))).read_bytes()
    assert int.from_bytes(compiled[4:8], "little") == 0b01, "PEP 552: hash-based, unchecked"


def test_library_for_another_processor_fails_with_its_name(build: Path) -> None:
    result = _run_build_steps(build, "x86_64")
    assert result.returncode == 1
    assert result.stderr == "AccountsFunction is for x86_64, but these libraries are not: native.abi3.so\n"


def test_python_version_other_than_the_runtimes_fails(build: Path) -> None:
    result = _run_build_steps(build, version="3.8")
    assert result.returncode == 1
    assert "bytecode for python3.8 can't be compiled" in result.stderr


def test_release_changes_only_with_code_or_settings(build: Path) -> None:
    first = _build_release(build)
    assert _build_release(build) == first

    (build / "AccountsFunction" / "accounts.py").write_text("handler = 2\n")
    second = _build_release(build)
    (build.parent / "settings.toml").write_text("a = 2\n")
    third = _build_release(build)

    assert len({first, second, third}) == 3
