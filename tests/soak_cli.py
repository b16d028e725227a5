"""`make soak`: long runs of `kills` and `soak`, whose counts go into docs/reliability.md.

`python -m tests.soak_cli SECONDS KILLS`, of which 0 leaves one out. It fails, and writes nothing of a form in which anything was
lost, damaged or a 500.
"""

import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from tests.kills import kill_many
from tests.soak import soak

PAGE = Path(__file__).parent.parent / "docs" / "reliability.md"
END = "<!-- end of long runs -->\n"
BEGIN_KILLS, BEGIN_SOAK = (f"<!-- {what}: written by make soak -->\n" for what in ("kills", "traffic"))
SEED = 2026


def main(seconds: str, kills: str) -> None:
    """Run both and write their outcomes."""
    with tempfile.TemporaryDirectory() as folder:
        if int(kills):
            _write(BEGIN_KILLS, _killed(kill_many(int(kills), SEED, Path(folder))))
        if float(seconds):
            counts, unexpected = soak(float(seconds), SEED, Path(folder))
            if unexpected:
                sys.exit("\n".join(unexpected))
            _write(BEGIN_SOAK, _soaked(float(seconds), counts))


def write_between(begin: str, end: str, text: str) -> None:
    """Put `text` between two lines of the page."""
    before, _, rest = PAGE.read_text().partition(begin)
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}")


def _write(begin: str, text: str) -> None:
    write_between(begin, END, f"Run on {datetime.now(UTC):%d %B %Y}:\n\n{text}")
    print(text, flush=True)


def _killed(outcomes: Counter[str]) -> str:
    rows = [f"| killed {when} | {outcomes[when]} |\n" for when in sorted(outcomes)]
    head = f"| environments killed under a callback | {outcomes.total()} |\n"
    return f"{head}| --- | --- |\n{''.join(rows)}"


def _soaked(seconds: float, counts: Counter[str]) -> str:
    rows = {
        "calls": counts["calls"],
        "of them answered 200, 204 or 303": _answered(counts, "200", "204", "303"),
        "of them answered 502, 503 or 504": _answered(counts, "502", "503", "504"),
        "of them answered 500": _answered(counts, "500"),
        **{f"faults of {name}": _met(counts, name) for name in ("imin", "AWS")},
        **{f"acknowledged {what}": counts[f"acknowledged {what}"] for what in ("callbacks", "notices", "erasures")},
        **{
            f"{what} not erased since, and found": f"{counts[f'{what} to be found']}, {counts[f'{what} found']}"
            for what in ("callbacks", "notices")
        },
        "links settled in the end, and of them by a second or third read": f"{counts['settled']}, {counts['settled later']}",
    }
    lines = "".join(f"| {name} | {number} |\n" for name, number in rows.items())
    return f"| mixed traffic, with intermittent faults | {seconds / 60:.0f} minutes |\n| --- | --- |\n{lines}"


def _answered(counts: Counter[str], *statuses: str) -> int:
    return sum(number for name, number in counts.items() if name.rpartition(" ")[2] in statuses)


def _met(counts: Counter[str], name: str) -> int:
    return sum(number for fault, number in counts.items() if fault.startswith(f"{name} "))


if __name__ == "__main__":
    main(*sys.argv[1:])
