"""Finish the output of `sam build`: check that native libraries are for the right processor, and compile bytecode.

A function's folder is read-only in Lambda, so without bytecode every cold start compiles every module again. The archive changes
the files' dates, so bytecode must not depend on them ("unchecked hash"). Run it with the runtime's Python; it needs only the
standard library: `artefact.py BUILD_FOLDER ARCHITECTURE RUNTIME_VERSION SETTINGS_FILE`.
"""

import compileall
import hashlib
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

MACHINES = {"x86_64": 0x3E, "arm64": 0xB7}
"""Processor codes of ELF files (`e_machine`, two bytes at offset 18)."""

RELEASE_CHARACTERS = 16


def main(build_folder: str, architecture: str, runtime_version: str, settings_file: str) -> None:
    """Finish the artefact of each function. Exit with 1 and the reason if one can't be deployed."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" != runtime_version:
        sys.exit(f"bytecode for python{runtime_version} can't be compiled by Python {sys.version.split()[0]}")
    build = Path(build_folder)
    release = calculate_release(build, Path(settings_file))
    (build / "release.yaml").write_text(f"Release: '{release}'\n")
    for folder in sorted(path for path in build.iterdir() if path.is_dir()):
        mismatched = [library.name for library in folder.rglob("*.so*") if read_machine(library) != MACHINES[architecture]]
        if mismatched:
            sys.exit(f"{folder.name} is for {architecture}, but these libraries are not: {', '.join(mismatched)}")
        compileall.compile_dir(folder, quiet=1, stripdir=folder, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"{folder.name}: {size / 1e6:.1f} MB, bytecode included, for {architecture}, release {release}")


def calculate_release(build: Path, settings_file: Path) -> str:
    """Return the parameter `Release`: a digest of the build and of the settings of all stages.

    SAM publishes a new version of a function when it changes. Without it, SAM would notice new code, but not new parameter values.
    """
    digest = hashlib.sha256(settings_file.read_bytes())
    for path in sorted(path for path in build.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        digest.update(f"\0{path.relative_to(build)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:RELEASE_CHARACTERS]


def read_machine(library: Path) -> int:
    """Return the processor code of an ELF file."""
    with library.open("rb") as file:
        return int.from_bytes(file.read(20)[18:], "little")


if __name__ == "__main__":
    main(*sys.argv[1:])
