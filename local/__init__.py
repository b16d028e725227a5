"""The service on one machine: `python -m local`. Importing this package puts the functions' folder on the path."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "functions"))
