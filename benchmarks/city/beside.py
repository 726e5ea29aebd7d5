"""What a city that commits frames waits for, while many machines are imported on SQLite."""

import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, text

from gateway.city.db.database import Database, connect

MACHINES = 100_000
PAUSE_S = 0.1
"""Between two commits; a city commits what came some times a second."""
ALONE_S = 10

# As a commit of frames: one short write that waits for whoever has the database.
_COMMIT = text("UPDATE alembic_version SET version_num = version_num")


def measure(
    file: Path, data: Path, codes: list[str], machines: int = MACHINES
) -> dict[str, object]:
    """Import machines of known enterprises with the command; commits alone, then beside it.

    Args:
        file: the city's configuration.
        data: its data folder.
        codes: of its enterprises.
        machines: how many are imported.

    Returns:
        A row: milliseconds of the commits, and seconds of the import.
    """
    table = file.parent / "many.csv"
    rows = (f"{codes[at % len(codes)]},M-{at},磨床,production,in_use\n" for at in range(machines))
    table.write_text("uscc,asset_no,name,equipment_class,status\n" + "".join(rows))
    command = (sys.executable, "-m", "gateway", "ledger", "import", str(table), "-c", str(file))
    database = connect("sqlite:///city.db", data)
    alone = _commits(database, lambda: time.sleep(ALONE_S))
    begun = time.monotonic()
    beside = _commits(
        database, lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    )
    seconds = time.monotonic() - begun
    database.close()
    return {
        "name": f"commits beside an import of {machines:,} machines",
        "seconds": round(seconds, 1),
        "commits": len(beside),
        **_spread("alone", alone),
        **_spread("beside", beside),
    }


def _spread(name: str, waits: list[float]) -> dict[str, object]:
    """Median, p99 and the longest, which is the longest lock that was met; milliseconds."""
    cuts = statistics.quantiles(waits, n=100)
    figures = {"p50": cuts[49], "p99": cuts[98], "longest": max(waits)}
    return {f"{name}_{key}_ms": round(1000 * value, 1) for key, value in figures.items()}


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
