"""`python -m bench`, from the project's folder, takes all measurements, prints one table and puts it into docs/performance.md.

A goal missed is no failure. What is built is measured on Linux only: Lambda's runtime is made for it.
"""

import os
import sys

from bench.environment import VARIABLES

os.environ.update(VARIABLES)  # Powertools reads its settings when the function's modules are imported

from bench import built, connections, growth, load, memory, size, upstream, warm
from bench.figures import table
from bench.report import write


def main() -> None:
    """Measures in the order of the table."""
    parts = [warm, growth, upstream, connections, size, memory, *([built] if sys.platform == "linux" else []), load]
    measured = table([figure for part in parts for figure in part.measure()])
    print(measured)
    write(measured)


if __name__ == "__main__":
    main()
