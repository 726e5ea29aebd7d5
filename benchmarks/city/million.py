"""A city of a million machines: its database, made in minutes by the database itself."""

# ruff: noqa: S608 - all that is put together stands here

import sqlite3
from datetime import date, timedelta
from pathlib import Path

from edge_config.models import uscc
from gateway.city.db import monthly
from gateway.city.db.upgrade import upgrade
from gateway.relational.database import connect

MACHINES = 1_000_000
A_SITE = 100
"""Machines of an enterprise."""
NETWORKED = 10
"""Each how many-th machine has evidence."""
COUNTIES = ("330802", "330803", "330822", "330824", "330825", "330881")

_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :machines)"
_OF = "FROM n JOIN firms ON firms.number = (i - 1) / :site"
_ASSET = "printf('A-%04d', (i - 1) % :site)"
_STATEMENTS = (
    f"{_NUMBERS} INSERT INTO machine (id, named_ms) SELECT i, 0 FROM n",
    (
        f"{_NUMBERS} INSERT INTO machine_alias (uscc, site_key, asset_key, valid_from, machine_id, "
        "site_no, asset_no, revision) "
        f"SELECT uscc, '1', {_ASSET}, '1970-01-01', i, '1', {_ASSET}, 0 "
        f"{_OF}"
    ),
    (
        f"{_NUMBERS} INSERT INTO equipment (id, uscc, site_no, asset_no, name, equipment_class, "
        "key_equipment, digital, commissioned_on) "
        f"SELECT i, uscc, '1', {_ASSET}, '磨床', 'production', 0, 0, '2020-01-01' {_OF}"
    ),
    (
        f"{_NUMBERS} INSERT INTO equipment_status (equipment_id, valid_from, status) "
        "SELECT i, '2020-01-01', 'in_use' FROM n"
    ),
)
_EVIDENCE = (
    f"{_NUMBERS} INSERT INTO evidence_{{:%Y%m}} (machine_id, day, source, synthetic, late_days, "
    "gateway, good_hours, uncertain_hours, replayed_hours, first_ms, last_ms, seeded) "
    "SELECT i, :day, 'controller', 0, 0, 'gw-0', 1, 0, 0, 0, 1, 0 FROM n WHERE i % :networked = 0"
)

_MONTHS = (
    "INSERT INTO evidence_month SELECT CAST(strftime('%Y%m', day) AS INTEGER), machine_id, source, "
    "synthetic, sum(1 << (strftime('%d', day) - 1)), 0, sum(1 << (strftime('%d', day) - 1)) "
    "FROM evidence GROUP BY 1, 2, 3, 4"
)


def make(
    folder: Path,
    began: date,
    days: tuple[date, date],
    machines: int = MACHINES,
    networked: int = NETWORKED,
) -> list[str]:
    """Make ``city.db`` in a folder.

    Args:
        folder: the city's data folder.
        began: when the city began.
        days: first and last day of the evidence of the networked machines.
        machines: how many.
        networked: each how many-th of them has evidence.

    Returns:
        The enterprises' codes.
    """
    database = connect("sqlite:///city.db", folder)
    upgrade(database)
    database.run_now(monthly.ensure, [days[0] + timedelta(one) for one in range(_days(days))])
    database.close()
    codes = [code_of(number) for number in range(machines // A_SITE)]
    file = sqlite3.connect(folder / "city.db", isolation_level=None)
    for pragma in ("synchronous=OFF", "journal_mode=OFF", "cache_size=-1000000"):
        file.execute(f"PRAGMA {pragma}")  # nobody else is there, and a failed one is made anew
    file.execute("BEGIN")
    file.execute("INSERT INTO operation VALUES (1, ?)", (began.isoformat(),))
    _enterprises(file, codes)
    numbers = {"machines": machines, "site": A_SITE, "networked": networked}
    for statement in _STATEMENTS:
        file.execute(statement, numbers)
    file.execute("INSERT INTO raw_days_open VALUES (1, ?)", (days[0].isoformat(),))
    for offset in range(_days(days)):
        day = days[0] + timedelta(days=offset)
        file.execute(_EVIDENCE.format(day), numbers | {"day": day.isoformat()})
    file.execute("DELETE FROM raw_days_open")
    file.execute(_MONTHS)
    file.execute("COMMIT")
    file.execute("PRAGMA journal_mode=WAL")
    file.close()
    return codes


def _days(days: tuple[date, date]) -> int:
    return (days[1] - days[0]).days + 1


def code_of(number: int) -> str:
    """A well-formed and fictitious code of an enterprise."""
    first17 = f"91330822MB{number:07d}"
    return first17 + uscc.check_character(first17)


def _enterprises(file: sqlite3.Connection, codes: list[str]) -> None:
    file.execute("CREATE TEMP TABLE firms (number INTEGER PRIMARY KEY, uscc TEXT)")
    file.executemany("INSERT INTO firms VALUES (?, ?)", enumerate(codes))
    file.executemany(
        "INSERT INTO enterprise (uscc, name, county, industry, above_scale, ledger_verified_by, "
        "ledger_verified_on) VALUES (?, ?, ?, '3451', 1, '张三', '2020-01-01')",
        [(code, f"虚构企业{at}", COUNTIES[at % len(COUNTIES)]) for at, code in enumerate(codes)],
    )
    file.execute(
        "INSERT INTO roster_member (roster, uscc, valid_from, approved_by) "
        "SELECT 'KEY', uscc, '2020-01-01', '经信局' FROM firms"
    )
