"""`python -m bench`, from the project's folder, takes all measurements and prints one table. A goal missed is no failure."""

import os

from bench.environment import VARIABLES

os.environ.update(VARIABLES)  # Powertools reads its settings when the function's modules are imported

from bench import cold, memory, size, upstream, warm
from bench.figures import table


def main() -> None:
    """Measures in the order of the table."""
    print(table([figure for part in (warm, upstream, size, memory, cold) for figure in part.measure()]))


if __name__ == "__main__":
    main()
