"""The service on one machine: `python -m local`. It imports rooms of the functions, so their folder is on the path from here on."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "functions"))
