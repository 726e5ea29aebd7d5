"""What imports cost in the ledger of a million machines: ten rows of an officer, and 100,000."""

import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from benchmarks.city import beside
from benchmarks.city.million import A_SITE, MACHINES, code_of, make
from benchmarks.city.settings import write_city
from benchmarks.usage import spent
from edge_config.loading.load import load_city
from gateway.core.days import day_of
from gateway.relational.database import connect
from tests.support.city_db import postgres_city
from tests.support.peers import free_port
from tests.support.postgres import Postgres

ROWS = 10


def measure(machines: int = MACHINES) -> Iterator[dict[str, object]]:
    """Make the city; import ten rows with the command, as a dry run first; then very many."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = write_city(folder, "mqtt://127.0.0.1:1", free_port())
        today = day_of(time.time_ns() // 1_000_000)
        data = load_city(file).data_dir
        codes = make(data, date(today.year, 1, 1), (today, today), machines)
        rows = (f"{code},N-1,磨床,production,in_use\n" for code in codes[:ROWS])
        table = folder / "m.csv"
        table.write_text("uscc,asset_no,name,equipment_class,status\n" + "".join(rows))
        for more in (("--dry-run",), ()):
            yield _imported(file, table, machines, *more)
        database = connect("sqlite:///city.db", data)
        yield from beside.measure(file, database, codes)
        database.close()


def measure_on_postgres(machines: int = beside.MANY) -> Iterator[dict[str, object]]:
    """Import very many into an empty ledger on PostgreSQL, whose durability is off."""
    with tempfile.TemporaryDirectory() as name, Postgres(Path(name)) as server:
        folder = Path(name)
        database = postgres_city(server.url, "bench")
        url = database.engine.url.set(drivername="postgresql").render_as_string()
        more = {"database": {"url": url}}
        file = write_city(folder, "mqtt://127.0.0.1:1", free_port(), **more)
        codes = [code_of(number) for number in range(machines // A_SITE)]
        table = folder / "e.csv"
        rows = (f"{code},虚构企业,330822,3451,是\n" for code in codes)
        head = "uscc,name,county,industry,above_scale\n"
        table.write_text(head + "".join(rows), encoding="utf-8")
        beside.import_table(file, table)
        yield from beside.measure(file, database, codes, many=machines)
        database.close()


def _imported(file: Path, table: Path, machines: int, *more: str) -> dict[str, object]:
    cost = spent(lambda: beside.import_table(file, table, *more))
    return {
        "name": " ".join((f"import of {ROWS} rows into {machines:,} machines", *more)),
        **cost,
        "most_memory_mib": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, 1),
    }
