"""Take all measurements, print them as one table, and write the table to docs/performance.md (`make bench`).

A missed goal isn't an error. The built functions are measured only on Linux, because Lambda's runtime runs nowhere else.
"""

import os
import sys

from bench.environment import VARIABLES

os.environ.update(VARIABLES)  # Powertools reads its settings when the function's modules are imported

from bench import built, connections, growth, load, memory, size, upstream, warm
from bench.figures import make_table
from bench.report import write


def main() -> None:
    """Measure in the order of the table."""
    modules = [warm, growth, upstream, connections, size, memory, *([built] if sys.platform == "linux" else []), load]
    measurements = make_table([figure for module in modules for figure in module.measure()])
    print(measurements)
    write(measurements)


if __name__ == "__main__":
    main()
