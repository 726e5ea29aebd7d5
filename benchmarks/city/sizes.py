"""What a year of a city takes on disk, table by table."""

import sqlite3
from calendar import monthrange
from datetime import date, timedelta
from pathlib import Path

from gateway.city.db import monthly
from gateway.relational.database import connect

_DAYS_OF = 20_000
"""Machines whose days are written out; those of more are of the same kind."""
_DAY = (
    "INSERT INTO copy.{} SELECT id, :day, 'controller', 0, 0, 'gw-' || (id / 20), "
    "16777215, 0, 0, :first + id % 60000, :last + id % 60000, 0 FROM machine "
    "WHERE id % 10 <> 7 ORDER BY id LIMIT :machines"
)
_DAY_MS = 86_400_000


def of_year(folder: Path, today: date) -> dict[str, float | int]:
    """Sizes in MiB of the month that was frozen last and of twelve like it.

    Days are written out for a part of the machines and for one month, as each is of one size.
    """
    machines = _count(folder, "SELECT count(*) FROM machine WHERE id % 10 <> 7")
    last = today.replace(day=1) - timedelta(days=1)
    some, days = min(_DAYS_OF, machines), monthrange(last.year, last.month)[1]
    month = {"month": last.year * 100 + last.month, "name": f"{last:%Y-%m}"}
    kept = {
        "day_maps_mib": _size(folder, "evidence_month", "month = :month", month),
        "digested_maps_mib": _size(folder, "day_map", "month = :name", month),
        "results_mib": _size(folder, "rate_result", "month = :name", month),
    }
    raw = _size_of_days(folder, last, some)
    return {
        **{name: round(12 * size / 2**20, 1) for name, size in kept.items()},
        "days_with_times_mib": round(12 * raw / some * machines / 2**20),
        "bytes_of_a_day": round(raw / some / days, 1),
    }


def _count(folder: Path, query: str) -> int:
    file = sqlite3.connect(folder / "city.db")
    (number,) = file.execute(query).fetchone()
    file.close()
    return int(number)


def _size(folder: Path, table: str, condition: str, values: dict[str, object]) -> int:
    """Bytes of some rows of a table in a file of their own, with the table's indexes."""
    copy, file = _copied(folder, table)
    file.execute(f"INSERT INTO copy.{table} SELECT * FROM main.{table} WHERE {condition}", values)  # noqa: S608
    return _closed(copy, file)


def _size_of_days(folder: Path, last: date, machines: int) -> int:
    """Bytes of a month of days of some machines."""
    table = f"evidence_{last:%Y%m}"
    database = connect("sqlite:///city.db", folder)
    database.run_now(monthly.ensure, [last])
    database.close()
    copy, file = _copied(folder, table)
    for number in range(last.day):
        day = last.replace(day=number + 1)
        first = (day.toordinal() - date(1970, 1, 1).toordinal()) * _DAY_MS
        times = {"first": first, "last": first + _DAY_MS - 60_000}
        file.execute(_DAY.format(table), {"day": day.isoformat(), "machines": machines, **times})
    return _closed(copy, file)


def _copied(folder: Path, table: str) -> tuple[Path, sqlite3.Connection]:
    """A file with an empty table of the city's schema, attached as ``copy``."""
    copy, file = folder / "copy.db", sqlite3.connect(folder / "city.db")
    file.execute("ATTACH :copy AS copy", {"copy": str(copy)})
    told = file.execute(
        "SELECT sql FROM sqlite_master WHERE tbl_name = :table AND sql IS NOT NULL "
        "AND type IN ('table', 'index') ORDER BY type DESC",
        {"table": table},
    ).fetchall()
    for (text,) in told:
        words = text.split(" ")
        at = next(at for at, word in enumerate(words) if word in ("TABLE", "INDEX")) + 1
        file.execute(" ".join((*words[:at], f"copy.{words[at]}", *words[at + 1 :])))
    return copy, file


def _closed(copy: Path, file: sqlite3.Connection) -> int:
    file.commit()
    file.close()
    size = copy.stat().st_size
    copy.unlink()
    return size
