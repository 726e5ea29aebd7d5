"""The table of ``docs/durability.md`` from what ``make chaos`` printed.

``python -m tests.chaos.table < chaos.json`` writes it; a campaign of all kinds does so itself.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.chaos.kinds import KINDS

PAGE = Path(__file__).parent.parent.parent / "docs" / "durability.md"
BEGIN, END = "<!-- made by make chaos -->\n", "<!-- end -->\n"

COLUMNS = ("faults", "answers", "lost", "stale", "off", "books", "unexplained")

Report = Mapping[str, Any]


def write(report: Report, page: Path = PAGE) -> None:
    """Put the table of a campaign in the place of the one before."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    made = "".join(f"{line}\n" for line in lines(report))
    page.write_text(f"{before}{BEGIN}{made}{END}{after}", encoding="utf-8")


def lines(report: Report) -> Iterator[str]:
    """Where and how long it ran, and a row a kind.

    Args:
        report: what ``make chaos`` prints.
    """
    machine, results = report["machine"], report["results"]
    seconds = sum(one["seconds"] for one in results)
    yield (
        f"Made on {report['date']} from {machine['revision']}: seed {report['seed']}, "
        f"{report['took_minutes']:g} minutes with starting and judging, of which faults were "
        f"committed for {seconds / 60:.0f}; {machine['cores']} cores of {machine['cpu']}, load "
        f"{machine['load_before']:g} before, {machine['system']}, Python {machine['python']}."
    )
    yield ""
    yield f"| kind | what is done | runs | {' | '.join(COLUMNS)} |"
    yield f"|{'---|' * (len(COLUMNS) + 3)}"
    for name, kind in KINDS.items():
        runs = [one for one in results if one["kind"] == name and not one["lacking"]]
        if runs:
            yield _row(f"`{name}`", kind.what, runs)
    yield _row("all", "", [one for one in results if not one["lacking"]])


def _row(name: str, what: str, runs: Iterable[Mapping[str, Any]]) -> str:
    runs = list(runs)
    sums = (str(sum(one[column] for one in runs)) for column in COLUMNS)
    return f"| {name} | {what} | {len(runs)} | {' | '.join(sums)} |"


if __name__ == "__main__":
    write(json.load(sys.stdin))
