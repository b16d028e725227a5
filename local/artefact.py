"""Finishes what `sam build` made: native libraries are checked to be for the right processor, and bytecode is compiled into it.

A function's folder is read-only in Lambda, so without bytecode every cold start compiles every module again. The archive gives
files new dates, so bytecode is not tied to its source's ("unchecked hash"). It needs the Python of the runtime, and only its
standard library: `artefact.py BUILD_FOLDER ARCHITECTURE RUNTIME_VERSION SETTINGS_FILE`.
"""

import compileall
import hashlib
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

MACHINES = {"x86_64": 0x3E, "arm64": 0xB7}
"""What an ELF file says of its processor (`e_machine`, two bytes at 18)."""


RELEASE_CHARACTERS = 16


def main(build_folder: str, architecture: str, runtime_version: str, settings_file: str) -> None:
    """Finishes the artefact of each function. Exits with 1, and says why, when one can't be deployed."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" != runtime_version:
        sys.exit(f"bytecode for python{runtime_version} can't be compiled by Python {sys.version.split()[0]}")
    build = Path(build_folder)
    release = release_of(build, Path(settings_file))
    (build / "release.yaml").write_text(f"Release: '{release}'\n")
    for folder in sorted(path for path in build.iterdir() if path.is_dir()):
        wrong = [library for library in folder.rglob("*.so*") if machine_of(library) != MACHINES[architecture]]
        if wrong:
            sys.exit(f"{folder.name} is for {architecture}, but these libraries are not: {', '.join(path.name for path in wrong)}")
        compileall.compile_dir(folder, quiet=1, stripdir=folder, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"{folder.name}: {size / 1e6:.1f} MB, bytecode included, for {architecture}, release {release}")


def release_of(build: Path, settings_file: Path) -> str:
    """Return the parameter `Release`: a digest of the artefact and of the settings of all stages.

    SAM publishes a new version of a function when this changes; left to itself it sees new code, but no new value of a parameter.
    """
    digest = hashlib.sha256(settings_file.read_bytes())
    for path in sorted(path for path in build.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        digest.update(f"\0{path.relative_to(build)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:RELEASE_CHARACTERS]


def machine_of(library: Path) -> int:
    """Return the processor architecture of an ELF file."""
    with library.open("rb") as file:
        return int.from_bytes(file.read(20)[18:], "little")


if __name__ == "__main__":
    main(*sys.argv[1:])
