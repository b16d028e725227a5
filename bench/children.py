"""Environment of child processes that import the functions as from a built artefact: from a separate folder, with bytecode."""

import compileall
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from py_compile import PycInvalidationMode

from bench.documents import ROOT
from bench.environment import FUNCTIONS, VARIABLES


@contextmanager
def artefact() -> Iterator[dict[str, str]]:
    """Yield the environment variables of a child that imports the functions from a compiled copy, and this package from here."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(FUNCTIONS[0].folder, Path(folder, "functions"), ignore=shutil.ignore_patterns("__pycache__"))
        compileall.compile_dir(copy, quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
        yield {**VARIABLES, "PATH": os.environ.get("PATH", ""), "PYTHONPATH": f"{copy}{os.pathsep}{ROOT}"}
