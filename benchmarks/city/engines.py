"""What another engine costs beside the city's own: a copy of a month, and months counted by it.

Processor time of ClickHouse's engine, which runs in a process of its own, is counted with it.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from benchmarks.city import growing
from benchmarks.city.rates import SIZES
from benchmarks.processes import ROOT
from benchmarks.usage import snapshot
from gateway.city.rates.definitions import load_definitions
from gateway.city.rates.engines.asking import month_inquiries
from gateway.city.rates.engines.copies import Copies
from gateway.city.rates.engines.counting import CopiedMonths
from gateway.city.rates.engines.duck import Duck
from gateway.city.rates.engines.engine import Engine
from gateway.city.rates.engines.store import Store
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.period import month_of
from gateway.city.rates.tallies import tallies_of
from gateway.core.days import day_of
from gateway.relational.database import Database, connect
from tests.support.clickhouse import clickhouse_store

_CITY = "330800"


def measure() -> Iterator[dict[str, object]]:
    """Make cities of growing size, and count the month before this one by every engine."""
    today = day_of(time.time_ns() // 1_000_000)
    month = month_of(today.replace(day=1) - timedelta(days=1))
    for machines in SIZES:
        with tempfile.TemporaryDirectory() as name:
            growing.make(Path(name), machines, today)
            said = subprocess.run(
                [sys.executable, "-m", "benchmarks.city.engines", name, month],
                capture_output=True, check=True, cwd=ROOT,
            ).stdout  # fmt: skip
        yield from ({"machines": machines} | one for one in json.loads(said))


def _measured(data: Path, month: str) -> Iterator[dict[str, object]]:
    """A month of a city whose database lies in a folder."""
    database = connect("sqlite:///city.db", data)
    now_ms = time.time_ns() // 1_000_000
    asked = database.read_now(
        month_inquiries, load_definitions(None, None).values(), month, now_ms, demonstration=True
    )
    yield from _months("the city itself", database, asked, None)
    with tempfile.TemporaryDirectory() as name:
        duck = Duck(Path(name) / "rates.duckdb")
        yield from _copied("DuckDB", database, asked, duck)
        duck.close()
        yield {"name": "DuckDB: its file", "mib": _mib(Path(name))}
    with tempfile.TemporaryDirectory() as name, clickhouse_store(Path(name)) as store:
        yield from _copied("ClickHouse", database, asked, store)
        yield {"name": "ClickHouse: its folder", "mib": _mib(Path(name))}
    database.close()


def _copied(
    name: str, database: Database, asked: Sequence[Inquiry], store: Store
) -> Iterator[dict[str, object]]:
    copies = Copies(store, _CITY)
    yield _spent(f"{name}: a copy of the month", lambda: database.read_now(copies.send, asked))
    yield _spent(f"{name}: is it current", lambda: database.read_now(copies.find, asked))
    yield from _months(name, database, asked, CopiedMonths(copies, sends=False))


def _months(
    name: str, database: Database, asked: Sequence[Inquiry], engine: Engine | None
) -> Iterator[dict[str, object]]:
    for some in (asked[:1], asked):
        yield _spent(
            f"{name}: a month by {len(some)} records",
            lambda some=some: database.read_now(tallies_of, some, engine=engine),
        )


def _spent(name: str, work: Callable[[], object]) -> dict[str, object]:
    """Of this process and those that it started."""
    before = snapshot(os.getpid())
    work()
    after = snapshot(os.getpid())
    return {
        "name": name,
        "seconds": round(after.at_s - before.at_s, 2),
        "cpu_seconds": round(after.cpu_s - before.cpu_s, 2),
        "rss_mib": round(after.rss_bytes / 2**20, 1),
    }


def _mib(folder: Path) -> float:
    return round(sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()) / 2**20, 1)


if __name__ == "__main__":
    json.dump(list(_measured(Path(sys.argv[1]), sys.argv[2])), sys.stdout)
