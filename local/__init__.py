"""The service on one machine: `python -m local`. It imports the functions' modules, so their folder is put on the path here."""

import sys
from pathlib import Path

# This must run before any module of this package imports one of the functions'.
sys.path.append(str(Path(__file__).parent.parent / "functions"))
