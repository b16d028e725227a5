"""What a measurement comes to, and the table of them. How anything is measured is not known here."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HEADINGS = ("figure", "ours", "floor", "ratio", "goal", "met")


@dataclass(frozen=True)
class Figure:
    """One line of the table. `goal` is the most that `ratio` may be, or `ours` where there is no floor."""

    name: str
    unit: str
    ours: float
    floor: float | None = None
    ratio: float | None = None
    goal: float | None = None

    def cells(self) -> tuple[str, ...]:
        """Return the line's texts, in the order of `HEADINGS`."""
        return (
            self.name,
            self._amount(self.ours),
            "" if self.floor is None else self._amount(self.floor),
            "" if self.ratio is None else f"{self.ratio:.3f}",
            self._goal(),
            self._met(),
        )

    def _goal(self) -> str:
        if self.goal is None:
            return ""
        return f"≤ {self.goal:.2f}" if self.ratio is not None else f"≤ {self._amount(self.goal)}"

    def _met(self) -> str:
        if self.goal is None:
            return ""
        return "yes" if (self.ours if self.ratio is None else self.ratio) <= self.goal else "NO"

    def _amount(self, value: float) -> str:
        if not self.unit:
            return f"{value:,.0f}" if value == int(value) else f"{value:.3f}"
        return f"{value:,.{0 if abs(value) >= 1000 else 1}f} {self.unit}"


def compared(name: str, unit: str, pairs: Iterable[Sequence[float]], goal: float | None = None) -> Figure:
    """Return the medians of pairs (service, floor), and the median of their ratios."""
    ours, floors, ratios = zip(*((ours, floor, ours / floor) for ours, floor in pairs), strict=True)
    return Figure(name, unit, statistics.median(ours), statistics.median(floors), statistics.median(ratios), goal)


def table(figures: Sequence[Figure]) -> str:
    """All figures as text."""
    lines = [HEADINGS, *(figure.cells() for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(_aligned(line, widths)).rstrip() for line in lines)


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Names to the left, numbers to the right."""
    return [cells[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))]
