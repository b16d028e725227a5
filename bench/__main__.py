"""`python -m bench`, from the project's folder, takes all measurements and prints one table. A goal missed is no failure.

What is built is measured on Linux only: Lambda's runtime is made for it.
"""

import os
import sys

from bench.environment import VARIABLES

os.environ.update(VARIABLES)  # Powertools reads its settings when the function's modules are imported

from bench import built, memory, size, upstream, warm
from bench.figures import table


def main() -> None:
    """Measures in the order of the table."""
    parts = [warm, upstream, size, memory, *([built] if sys.platform == "linux" else [])]
    print(table([figure for part in parts for figure in part.measure()]))


if __name__ == "__main__":
    main()
