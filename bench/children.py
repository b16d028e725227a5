"""Children that find the functions as a built artefact has them: in a folder of their own, with bytecode."""

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
    """Return the environment of a child that imports the functions from a compiled copy, and this package from its place.

    Bytecode may be written: the first child, which isn't counted, compiles what site-packages lacks.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(FUNCTIONS[0].folder, Path(folder, "functions"), ignore=shutil.ignore_patterns("__pycache__"))
        compileall.compile_dir(copy, quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
        yield {**VARIABLES, "PATH": os.environ.get("PATH", ""), "PYTHONPATH": f"{copy}{os.pathsep}{ROOT}"}
