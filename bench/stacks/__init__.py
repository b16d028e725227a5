"""Folders of the measured functions: the built ones, the two that they are compared with, and Lambda's runtime.

Packages are copied from the SAM CLI's virtual environment, which has the runtime's Python version.
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
    """The output of `make build`; Lambda's runtime, with bytecode; the typical function, without; the minimal one, with."""

    built: Path
    runtime: Path
    typical: Path
    minimal: Path


@contextmanager
def lay_out(root_certificate: bytes) -> Iterator[Folders]:
    """Create temporary folders of functions that trust `root_certificate`."""
    with tempfile.TemporaryDirectory() as parent:
        folders = Folders(*(Path(parent, name) for name in ("built", "runtime", "typical", "minimal")))
        shutil.copytree(BUILT, folders.built)
        _install(folders.runtime, CLIENT + BOTO3)
        _install(folders.typical, REQUESTS + BOTO3 + POWERTOOLS + TRACER + PYDANTIC)
        _install(folders.minimal, REQUESTS)
        shutil.copy(HANDLERS / "typical.py", folders.typical)
        shutil.copy(HANDLERS / "minimal.py", folders.minimal)
        for folder in (folders.runtime, folders.minimal):
            _compile(folder)
        for certificates in Path(parent).rglob("certifi/cacert.pem"):
            with certificates.open("ab") as file:
                file.write(root_certificate)
        yield folders


def _compile(folder: Path) -> None:
    """Add bytecode, as `make build` does."""
    command: list[str | Path] = [PYTHON, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", folder]
    subprocess.run(command, check=True)  # noqa: S603 - our own command


def _install(folder: Path, names: Sequence[str]) -> None:
    """Copy packages without their bytecode."""
    for name in names:
        (distribution,) = Distribution.discover(name=name, path=[str(path) for path in SAM.glob("lib/python*/site-packages")])
        for file in distribution.files or []:
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), target)
