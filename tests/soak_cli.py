"""The command behind `make soak`: long runs of `kills` and `soak`, whose results go into docs/reliability.md.

Usage: `python -m tests.soak_cli SECONDS KILLS`; 0 skips a run. If a run lost or damaged a record or caused a 500, the command fails
without writing that run's results.
"""

import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from tests.kills import run_kills
from tests.soak import soak

PAGE = Path(__file__).parent.parent / "docs" / "reliability.md"
END = "<!-- end of long runs -->\n"
BEGIN_KILLS, BEGIN_SOAK = (f"<!-- {name}: written by make soak -->\n" for name in ("kills", "traffic"))
SEED = 2026


def main(seconds: str, kills: str) -> None:
    """Run both tests and write their results."""
    with tempfile.TemporaryDirectory() as folder:
        if int(kills):
            _write(BEGIN_KILLS, _render_kills(run_kills(int(kills), SEED, Path(folder))))
        if float(seconds):
            counts, unexpected = soak(float(seconds), SEED, Path(folder))
            if unexpected:
                sys.exit("\n".join(unexpected))
            _write(BEGIN_SOAK, _render_traffic(float(seconds), counts))


def write_between(begin: str, end: str, text: str) -> None:
    """Replace the text between two marker lines of docs/reliability.md."""
    before, _, rest = PAGE.read_text().partition(begin)
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}")


def _write(begin: str, text: str) -> None:
    write_between(begin, END, f"Run on {datetime.now(UTC):%d %B %Y}:\n\n{text}")
    print(text, flush=True)


def _render_kills(outcomes: Counter[str]) -> str:
    rows = [f"| killed {stage} | {outcomes[stage]} |\n" for stage in sorted(outcomes)]
    head = f"| execution environments killed during a callback | {outcomes.total()} |\n"
    return f"{head}| --- | --- |\n{''.join(rows)}"


def _render_traffic(seconds: float, counts: Counter[str]) -> str:
    rows = {
        "calls": counts["calls"],
        "responses 200, 204 or 303": _count_statuses(counts, "200", "204", "303"),
        "responses 502, 503 or 504": _count_statuses(counts, "502", "503", "504"),
        "responses 500": _count_statuses(counts, "500"),
        **{f"faults of {name}": _count_faults(counts, name) for name in ("imin", "AWS")},
        **{f"acknowledged {kind}": counts[f"acknowledged {kind}"] for kind in ("callbacks", "notices", "erasures")},
        **{
            f"{kind} not erased; of these, found": f"{counts[f'expected {kind}']}; {counts[f'expected {kind} found']}"
            for kind in ("callbacks", "notices")
        },
        "links settled at the end; of these, by a second or third read": f"{counts['settled']}; {counts['settled later']}",
    }
    lines = "".join(f"| {name} | {value} |\n" for name, value in rows.items())
    return f"| mixed traffic with intermittent faults | {seconds / 60:.0f} minutes |\n| --- | --- |\n{lines}"


def _count_statuses(counts: Counter[str], *statuses: str) -> int:
    return sum(count for name, count in counts.items() if name.rpartition(" ")[2] in statuses)


def _count_faults(counts: Counter[str], name: str) -> int:
    return sum(count for fault, count in counts.items() if fault.startswith(f"{name} "))


if __name__ == "__main__":
    main(*sys.argv[1:])
