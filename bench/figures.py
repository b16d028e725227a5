"""Measured figures, and their table. The measurements are in other modules."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HEADINGS = ("figure", "service", "baseline", "ratio", "goal", "met")


@dataclass(frozen=True)
class Figure:
    """One line of the table. `goal` is the maximum of `ratio`, or of `service` if there is no ratio."""

    name: str
    unit: str
    service: float
    baseline: float | None = None
    ratio: float | None = None
    goal: float | None = None

    def cells(self) -> tuple[str, ...]:
        """Return the cells in the order of `HEADINGS`."""
        return (
            self.name,
            self._format_amount(self.service),
            "" if self.baseline is None else self._format_amount(self.baseline),
            "" if self.ratio is None else f"{self.ratio:.3f}",
            self._format_goal(),
            self._format_met(),
        )

    def _format_goal(self) -> str:
        if self.goal is None:
            return ""
        return f"≤ {self.goal:.2f}" if self.ratio is not None else f"≤ {self._format_amount(self.goal)}"

    def _format_met(self) -> str:
        if self.goal is None:
            return ""
        return "yes" if (self.service if self.ratio is None else self.ratio) <= self.goal else "NO"

    def _format_amount(self, value: float) -> str:
        if not self.unit:
            return f"{value:,.0f}" if value == int(value) else f"{value:.3f}"
        return f"{value:,.{0 if abs(value) >= 1000 else 1}f} {self.unit}"


def compare(name: str, unit: str, pairs: Iterable[Sequence[float]], goal: float | None = None) -> Figure:
    """Return the medians of pairs (service, baseline), and the median of their ratios."""
    costs, baselines, ratios = zip(*((cost, baseline, cost / baseline) for cost, baseline in pairs), strict=True)
    return Figure(name, unit, statistics.median(costs), statistics.median(baselines), statistics.median(ratios), goal)


def make_table(figures: Sequence[Figure]) -> str:
    """Format all figures as a text table."""
    lines = [HEADINGS, *(figure.cells() for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(_align(line, widths)).rstrip() for line in lines)


def _align(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Align the name left and the numbers right."""
    return [cells[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))]
