"""The fault tables in docs/reliability.md, generated from test results by `make tables`.

Faults of a call that have the same effect share a row.
"""

from itertools import groupby

from tests.faults.calls import CALLS, Call
from tests.faults.scenarios import Row, ScenarioResults, run_scenarios

BEGIN, END = "<!-- faults: written by make tables -->\n", "<!-- end of faults -->\n"
HEAD = "| Fault | Caller sees | Within | Stored | Logged | Counted |\n| --- | --- | --- | --- | --- | --- |\n"


def render_tables() -> str:
    """Render the tables of all calls."""
    return "\n".join(_render_table(call, run_scenarios(call)) for call in CALLS)


def _render_table(call: Call, results: ScenarioResults) -> str:
    baseline = results.baseline
    stored = "" if baseline.stored == "as before" else f"; stored: {baseline.stored}"

    def effect_cells(row: Row) -> tuple[str, ...]:
        logged, counted = ", ".join(row.logged) or "-", ", ".join(sorted(row.counted - baseline.counted)) or "-"
        return row.response, f"{row.max_seconds:g} s", row.stored, logged, counted

    ordered = sorted(results.rows, key=lambda row: (row.response == baseline.response, effect_cells(row)))
    lines = [
        f"| {'; '.join(sorted(row.fault for row in rows))} | {' | '.join(cells)} |\n"
        for cells, rows in groupby(ordered, effect_cells)
    ]
    return f"### {call.title} ({call.target})\n\nWithout a fault: {baseline.response}{stored}.\n\n{HEAD}{''.join(lines)}"
