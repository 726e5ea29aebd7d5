"""What a city that commits frames waits for, while many machines are imported."""

import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Connection, text

from gateway.relational.database import Database

FEW, MANY = 10_000, 100_000
PAUSE_S = 0.05
"""Between two commits; a city commits what came some times a second."""
ALONE_S = 10

# As a commit of frames: one short write that waits for whoever has the database.
_COMMIT = text("UPDATE alembic_version SET version_num = version_num")
_HEAD = "uscc,asset_no,name,equipment_class,status,status_since\n"
_NEW, _CHANGED = "磨床,production,in_use,2026-01-01", "车床,production,sealed,2026-02-01"

Row = dict[str, object]


def measure(
    file: Path, database: Database, codes: list[str], few: int = FEW, many: int = MANY
) -> Iterator[Row]:
    """Import new machines of known enterprises, fewer and many, then change the many.

    Commits are measured alone, beside the import and alone again, because the machine may have
    other work at one time and none at another.

    Args:
        file: the city's configuration.
        database: the city's.
        codes: of its enterprises.
        few: how many machines are imported first.
        many: how many are then, and are changed.

    Yields:
        A row an import: milliseconds of the commits, and seconds of the import.
    """
    for number, what, count, values in (
        ("L", "new", few, _NEW),
        ("M", "new", many, _NEW),
        # the same machines again, each with another name and another status
        ("M", "changed", many, _CHANGED),
    ):
        table = file.parent / "many.csv"
        rows = (f"{codes[at % len(codes)]},{number}-{at},{values}\n" for at in range(count))
        table.write_text(_HEAD + "".join(rows), encoding="utf-8")
        yield {
            "name": f"commits beside an import of {count:,} {what} machines, "
            f"{database.engine.dialect.name}",
            **_beside(file, table, database),
        }


def import_table(file: Path, table: Path, *more: str) -> None:
    """Import a file with the command."""
    command = (sys.executable, "-m", "gateway", "ledger", "import", str(table), "-c", str(file))
    subprocess.run((*command, *more), check=True, stdout=subprocess.DEVNULL)


def _beside(file: Path, table: Path, database: Database) -> Row:
    before = _commits(database, lambda: time.sleep(ALONE_S))
    begun = time.monotonic()
    beside = _commits(database, lambda: import_table(file, table))
    seconds = time.monotonic() - begun
    after = _commits(database, lambda: time.sleep(ALONE_S))
    return {
        "seconds": round(seconds, 1),
        "commits": len(beside),
        "alone_ms": _spread(before),
        "beside_ms": _spread(beside),
        "alone_again_ms": _spread(after),
    }


def _spread(waits: list[float]) -> dict[str, float]:
    """Median, p99 and the longest, which is the longest lock that was met; milliseconds."""
    cuts = statistics.quantiles(waits, n=100)
    figures = {"p50": cuts[49], "p99": cuts[98], "longest": max(waits)}
    return {key: round(1000 * value, 1) for key, value in figures.items()}


def _commits(database: Database, work: Callable[[], object]) -> list[float]:
    """Commit again and again while something is done; how long each took, in seconds."""
    waits, over = list[float](), threading.Event()

    def commit() -> None:
        while not over.wait(PAUSE_S):
            begun = time.monotonic()
            database.run_now(_write)
            waits.append(time.monotonic() - begun)

    city = threading.Thread(target=commit)
    city.start()
    try:
        work()
    finally:
        over.set()
        city.join()
    return waits


def _write(connection: Connection) -> None:
    connection.execute(_COMMIT)
