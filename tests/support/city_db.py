"""A city's database for tests: migrated, on SQLite or on a real PostgreSQL, with rows to order."""

import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Connection,
    Delete,
    Engine,
    Executable,
    Update,
    create_engine,
    delete,
    insert,
    select,
    text,
)
from sqlalchemy.exc import OperationalError

from gateway.city.db import closed, monthly
from gateway.city.db.schema.months import evidence_month
from gateway.city.db.schema.whole import metadata
from gateway.city.db.tables import (
    enterprise,
    equipment_rows,
    evidence,
    roster_member,
    status_rows,
)
from gateway.city.db.upgrade import upgrade
from gateway.city.evidence.rows import months_of, write_days
from gateway.city.ledger.machines import find_or_name
from gateway.city.ledger.names import MachineName
from gateway.core.days import day_start_ms
from gateway.relational.database import Database, connect
from tests.support.postgres import POSTGRES, Postgres

USCCS = (
    "91330822MA0000015W",
    "91330881MA00000236",
    "91330803MA00000312",
    "91330800MA000004XE",
    "91330825MA0000058M",
)
"""Fictitious and well-formed."""


_SQLITE = "sqlite:///city.db"


def sqlite_city(folder: Path) -> Database:
    """A migrated SQLite database."""
    begin_migrated(folder)
    database = connect(_SQLITE, folder)
    upgrade(database)
    return database


def begin_migrated(folder: Path) -> None:
    """Put the database of an empty city into a folder that has none."""
    file = folder / "city.db"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_migrated())
        file.chmod(0o600)


@cache
def _migrated() -> bytes:
    """The file of an empty city; to make one for each test anew is a third of a second each."""
    with tempfile.TemporaryDirectory(prefix="qulink-") as folder:
        database = connect(_SQLITE, Path(folder))
        upgrade(database)
        database.close()
        return (Path(folder) / "city.db").read_bytes()


def postgres_city(url: str, name: str) -> Database:
    """A new migrated database on a PostgreSQL server."""
    database = connect(postgres_copy(url, name), Path())
    upgrade(database)
    return database


def postgres_copy(url: str, name: str) -> str:
    """The address of a new database of an empty city on a PostgreSQL server."""
    assert _create(url, name, f"TEMPLATE {_template(url)}"), f"there is a database {name}"
    return f"{url.rpartition('/')[0]}/{name}"


def _template(url: str) -> str:
    """A database of an empty city on a server, which others are copied from."""
    name = "migrated"
    if _create(url, name):
        database = connect(f"{url.rpartition('/')[0]}/{name}", Path())
        upgrade(database)
        database.close()
    return name


def _create(url: str, name: str, like: str = "") -> bool:
    """Make a database on a server; False: there is one of that name."""
    server = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with _connected(server).execution_options(isolation_level="AUTOCOMMIT") as connection:
        known = connection.scalars(text("SELECT datname FROM pg_database")).all()
        if name not in known:
            connection.execute(text(f"CREATE DATABASE {name} {like}"))
    server.dispose()
    return name not in known


def _connected(server: Engine) -> Connection:
    """Connect; a server that listens may still be starting up."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return server.connect()
        except OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.fixture(scope="session")
def postgres() -> Postgres:
    """A real PostgreSQL, the same for all tests of this process."""
    return POSTGRES.running()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty migrated database: each test runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        made = sqlite_city(tmp_path)
    else:
        server = request.getfixturevalue("postgres")
        made = postgres_city(server.url, f"city{next(_numbers)}")
    yield made
    made.close()


_numbers = count(1)


def add_enterprise(connection: Connection, uscc: str, **changes: Any) -> None:
    """An enterprise with a verified ledger on the roster KEY since 2020."""
    roster = changes.pop("roster", "KEY")
    row = {
        "uscc": uscc,
        "name": f"虚构企业{uscc[-3:]}",
        "county": "330822",
        "industry": "3451",
        "above_scale": True,
        "ledger_verified_by": "张三",
        "ledger_verified_on": date(2020, 1, 1),
    } | changes
    connection.execute(insert(enterprise), [row])
    if roster:
        member = {"roster": roster, "uscc": uscc, "valid_from": date(2020, 1, 1)}
        connection.execute(insert(roster_member), [member | {"approved_by": "经信局"}])


def add_machine(connection: Connection, uscc: str, asset_no: str, **changes: Any) -> int:
    """A production machine in use since 2020; returns its key."""
    history = changes.pop("history", [(date(2020, 1, 1), "in_use")])
    undated = changes.pop("undated", ())
    row = {
        "uscc": uscc,
        "site_no": "1",
        "asset_no": asset_no,
        "name": f"机床{asset_no}",
        "equipment_class": "production",
        "key_equipment": False,
        "digital": True,
    } | changes
    name = MachineName(uscc, str(row["site_no"]), str(row["asset_no"]))
    made = find_or_name(connection, [name], date(2020, 1, 1), 0)[name]
    connection.execute(insert(equipment_rows), [row | {"id": made}])
    for start, status in history:
        entry = {"equipment_id": made, "valid_from": start, "status": status}
        entry["dated"] = start not in undated
        connection.execute(insert(status_rows), [entry])
    return made


def raw_day(machine: int, day: date, hours: int = 1, **more: Any) -> dict[str, Any]:
    """A row of evidence that the controller gave, without how late it came."""
    at = day_start_ms(day)
    return {
        "machine_id": machine, "day": day, "source": "controller", "synthetic": False,
        "gateway": "gw-1", "good_hours": hours, "uncertain_hours": 0, "replayed_hours": 0,
        "first_ms": at, "last_ms": at + 10, "seeded": False,
    } | more  # fmt: skip


def add_days(
    connection: Connection,
    machine: int,
    days: Iterable[date],
    *,
    source: str = "controller",
    synthetic: bool = False,
) -> None:
    """Evidence of a machine on days."""
    more = {"source": source, "synthetic": synthetic, "seeded": True, "gateway": "gw-1"}
    rows = [raw_day(machine, day, 0b11, **more) for day in days]
    for one in rows:
        one["last_ms"] = one["first_ms"] + 3_600_000
    if rows:
        write_days(connection, rows)


def change_evidence(connection: Connection, statement: Delete | Update) -> None:
    """Change rows of evidence by hand, and the months with them."""
    by_hand(connection, statement)
    months_anew(connection)


def by_hand(connection: Connection, statement: Executable, *rows: Any) -> None:
    """Change raw days past the code that writes them, as who knows what the triggers let through.

    On SQLite they are a view of its months.
    """
    with closed.opened(connection):
        _by_hand(connection, statement, *rows)


def _by_hand(connection: Connection, statement: Executable, *rows: Any) -> None:
    if connection.dialect.name != "sqlite":
        connection.execute(statement, *rows)
        return
    names = [column.name for column in evidence.c]
    keys = " AND ".join(f"{key.name} = OLD.{key.name}" for key in evidence.primary_key)
    to = ", ".join(f"{name} = NEW.{name}" for name in names)
    new = ", ".join(f"NEW.{name}" for name in names)
    bodies = {
        "UPDATE": f"UPDATE {{0}} SET {to} WHERE {keys}",
        "DELETE": f"DELETE FROM {{0}} WHERE {keys}",
        "INSERT": f"INSERT INTO {{0}} SELECT {new} WHERE '{{0}}' = {_TABLE}",
    }
    tables = [f"evidence_{month}" for month in monthly.held(connection)]
    if not tables:  # nothing to change
        return
    for what, body in bodies.items():
        each = "; ".join(body.format(name) for name in tables)
        head = f"CREATE TEMP TRIGGER {what}_by_hand INSTEAD OF {what} ON evidence"
        connection.exec_driver_sql(f"{head} BEGIN {each}; END")
    connection.execute(statement, *rows)
    for what in bodies:
        connection.exec_driver_sql(f"DROP TRIGGER {what}_by_hand")


_TABLE = "'evidence_' || strftime('%Y%m', NEW.day)"


def drop_all(connection: Connection) -> None:
    """Take away all tables of a city but for its version."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("DROP VIEW evidence")
        for month in monthly.held(connection):
            connection.exec_driver_sql(f"DROP TABLE evidence_{month}")
    metadata.drop_all(connection)


def months_anew(connection: Connection) -> None:
    """Write the months of evidence that a test has changed, or taken away, by hand."""
    connection.execute(delete(evidence_month))
    rows = months_of(connection.execute(select(evidence)).mappings())
    if rows:
        connection.execute(insert(evidence_month), rows)


def days_between(first: date, last: date) -> list[date]:
    """Every day from first to last, both included."""
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
