"""Folders to run: the functions as they were built, those that they are measured beside, and the runtime under all of them.

Packages come from where the SAM CLI is installed, which is of the runtime's Python.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path

from bench.documents import ROOT
from bench.emulator import PYTHON, SAM

BUILT = ROOT / ".aws-sam" / "build"
HANDLERS = Path(__file__).parent
REQUESTS = ("requests", "certifi", "charset-normalizer", "idna", "urllib3")
BOTO3 = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
POWERTOOLS = ("aws-lambda-powertools", "jmespath", "typing-extensions")
TRACER = ("aws-xray-sdk", "botocore", "wrapt")
PYDANTIC = ("pydantic", "pydantic-core", "annotated-types", "typing-inspection")
CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")


@dataclass(frozen=True)
class Folders:
    """What `make build` made; Lambda's runtime, with bytecode; the usual function, without; the floor, with."""

    built: Path
    runtime: Path
    usual: Path
    floor: Path


@contextmanager
def laid_out(root_certificate: bytes) -> Iterator[Folders]:
    """Lay out the folders temporarily; the functions trust `root_certificate`."""
    with tempfile.TemporaryDirectory() as parent:
        folders = Folders(*(Path(parent, name) for name in ("built", "runtime", "usual", "floor")))
        shutil.copytree(BUILT, folders.built)
        _install(folders.runtime, CLIENT + BOTO3)
        _install(folders.usual, REQUESTS + BOTO3 + POWERTOOLS + TRACER + PYDANTIC)
        _install(folders.floor, REQUESTS)
        shutil.copy(HANDLERS / "usual.py", folders.usual)
        shutil.copy(HANDLERS / "floor.py", folders.floor)
        for folder in (folders.runtime, folders.floor):
            _compile(folder)
        for trusted in Path(parent).rglob("certifi/cacert.pem"):
            with trusted.open("ab") as file:
                file.write(root_certificate)
        yield folders


def _compile(folder: Path) -> None:
    """Add bytecode, as `make build` does."""
    compiling: list[str | Path] = [PYTHON, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", folder]
    subprocess.run(compiling, check=True)  # noqa: S603 - our own command


def _install(folder: Path, names: Sequence[str]) -> None:
    """Copy packages without their bytecode."""
    for name in names:
        (found,) = Distribution.discover(name=name, path=[str(path) for path in SAM.glob("lib/python*/site-packages")])
        for file in found.files or []:
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), target)
