"""Write the measured table to `docs/performance.md`, with the machine and the package versions."""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

from bench.documents import ROOT

PAGE = ROOT / "docs" / "performance.md"
PLACE = re.compile(r"(?<=<!-- measured by make bench -->\n).*(?=<!-- end -->)", re.DOTALL)
PACKAGES = ("aws-lambda-powertools", "botocore", "msgspec", "requests", "urllib3")
PROCESSORS = Path("/proc/cpuinfo")


def write(table: str) -> None:
    """Replace the previous table."""
    page = PAGE.read_text()
    PAGE.write_text(PLACE.sub(lambda _: f"```\n{table}\n```\n\n{_setup()}\n", page))


def _setup() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"Python {platform.python_version()}, {packages}. {os.cpu_count()} cores of {_processor()}, {platform.system()}."


def _processor() -> str:
    model = re.search(r"^model name\s*: (.+)$", PROCESSORS.read_text() if PROCESSORS.exists() else "", re.MULTILINE)
    return model[1].strip() if model else platform.machine()
