"""A city whose rates are measured: a year of day maps, industries, sizes and kinds of machines."""

# ruff: noqa: S608 - all that is put together stands here

import sqlite3
from datetime import date, timedelta
from pathlib import Path

from benchmarks.city.million import make as make_ledger
from gateway.city.db.schema.rates import rate_result
from gateway.city.rates.definitions import load_definitions
from gateway.city.rates.frozen.freezing import results_to_freeze, store
from gateway.city.rates.period import month_of
from gateway.core.days import day_start_ms
from gateway.relational.database import connect

MONTHS = 12
"""Over ones whose day maps are there, beside the running one."""
_ALL_DAYS = (1 << 31) - 1
_INDUSTRIES = ("3451", "3411", "3812", "2614", "1712", "3523", "3670", "2927", "3311", "3021")

_FIRMS = (
    "UPDATE enterprise SET employees = rowid * 7919 % 2000, revenue_wan = rowid * 104729 % 60000, "
    "industry = (SELECT code FROM industries WHERE number = enterprise.rowid % :industries)"
)
_MACHINES = (
    "UPDATE equipment SET digital = id % 2, key_equipment = id % 5 = 0, "
    "equipment_class = CASE WHEN id % 13 = 0 THEN 'aux' ELSE 'production' END"
)
_STATUSES = "UPDATE equipment_status SET status = 'standby' WHERE equipment_id % 11 = 0"
# A tenth of the machines never send; of a third of the others any day may be lacking.
_LACKING = "(id * 2654435761 % 2147483648) & (id * 40503 % 2147483648) & -(id % 3 = 0)"
_MONTH = (
    "INSERT INTO evidence_month SELECT :month, id, 'controller', 0, "
    f":days & ~({_LACKING}), 0, :days FROM machine WHERE id % 10 <> 7"
)


def make(folder: Path, machines: int, today: date) -> list[str]:
    """Make ``city.db`` in a folder: evidence of the months up to yesterday.

    Returns:
        The enterprises' codes.
    """
    months = [today.replace(day=1)]
    for _ in range(MONTHS):
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    yesterday = today - timedelta(days=1)
    codes = make_ledger(folder, months[-1], (yesterday, yesterday), machines, networked=1)
    file = sqlite3.connect(folder / "city.db", isolation_level=None)
    for pragma in ("synchronous=OFF", "journal_mode=OFF", "cache_size=-1000000"):
        file.execute(f"PRAGMA {pragma}")
    file.execute("BEGIN")
    file.execute("CREATE TEMP TABLE industries (number INTEGER PRIMARY KEY, code TEXT)")
    file.executemany("INSERT INTO industries VALUES (?, ?)", enumerate(_INDUSTRIES))
    file.execute(_FIRMS, {"industries": len(_INDUSTRIES)})
    for statement in (_MACHINES, _STATUSES, "DELETE FROM evidence_month"):
        file.execute(statement)
    for first in reversed(months):
        days = _ALL_DAYS if first < months[0] else (1 << (today.day - 1)) - 1
        file.execute(_MONTH, {"month": first.year * 100 + first.month, "days": days})
    file.execute("COMMIT")
    file.execute("PRAGMA journal_mode=WAL")
    file.close()
    _freeze(folder, months[1:])
    return codes


def _freeze(folder: Path, months: list[date]) -> None:
    """Freeze the last of some months by each record; the others have the same results."""
    definitions, (newest, *others) = load_definitions(None, None), map(month_of, months)
    lasting = [one for one, record in definitions.items() if record.measure != "answering"]
    final_ms = day_start_ms(months[0] + timedelta(days=60))
    database = connect("sqlite:///city.db", folder)
    results = database.read_now(
        results_to_freeze, lasting, newest, final_ms, demonstration=True, definitions=definitions
    )
    for name, result in results.items():
        database.run_now(store, result, name, True)
    columns = [one.name for one in rate_result.c if one.name not in ("id", "month", "taking")]
    names = ", ".join(columns)
    with database.engine.begin() as connection:
        for month in others:
            connection.exec_driver_sql(
                f"INSERT INTO rate_result ({names}, month) SELECT {names}, ? FROM rate_result "
                "WHERE month = ?",
                (month, newest),
            )
    database.close()


def another_day(folder: Path, today: date) -> None:
    """Evidence of today comes, of each machine that sends."""
    file = sqlite3.connect(folder / "city.db")
    file.execute(
        "UPDATE evidence_month SET good_days = good_days | :day, days = days | :day "
        "WHERE month = :month",
        {"day": 1 << (today.day - 1), "month": today.year * 100 + today.month},
    )
    file.commit()
    file.close()
