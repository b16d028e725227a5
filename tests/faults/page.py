"""The tables of docs/reliability.md, generated from test results by `make tables`.

Faults of a call with the same effect share a line.
"""

from itertools import groupby

from tests.faults.calls import CALLS, Call
from tests.faults.scenarios import Row, ScenarioResults, run_scenarios

BEGIN, END = "<!-- faults: written by make tables -->\n", "<!-- end of faults -->\n"
HEAD = "| Fault | Caller sees | Within | Stored | Logged | Counted |\n| --- | --- | --- | --- | --- | --- |\n"


def tables() -> str:
    """Build all tables."""
    return "\n".join(_table(call, run_scenarios(call)) for call in CALLS)


def _table(call: Call, results: ScenarioResults) -> str:
    good = results.good
    stored = "" if good.stored == "as before" else f"; stored: {good.stored}"

    def cells_of(row: Row) -> tuple[str, ...]:
        logged, counted = ", ".join(row.logged) or "-", ", ".join(sorted(row.counted - good.counted)) or "-"
        return row.app, f"{row.seconds:g} s", row.stored, logged, counted

    ordered = sorted(results.rows, key=lambda row: (row.app == good.app, cells_of(row)))
    lines = [
        f"| {'; '.join(sorted(row.fault for row in rows))} | {' | '.join(cells)} |\n" for cells, rows in groupby(ordered, cells_of)
    ]
    return f"### {call.title} ({call.to})\n\nWithout a fault: {good.app}{stored}.\n\n{HEAD}{''.join(lines)}"
