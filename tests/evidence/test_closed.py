"""A raw day that is over is refused by the database itself, whoever wants to change it."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, Table, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from gateway.city.db import closed, monthly
from gateway.city.db.tables import evidence
from gateway.city.db.upgrade import CITY, upgrade
from gateway.city.evidence.rows import write_days, write_evidence
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from gateway.relational.migrating import alembic_config
from tests.support.city_db import USCCS, add_enterprise, add_machine, drop_all

DAY = date(2026, 1, 31)
MONTH = 202601


@pytest.fixture
def machine(database: Database) -> Iterator[int]:
    def fill(connection: Connection) -> int:
        add_enterprise(connection, USCCS[0])
        number = add_machine(connection, USCCS[0], "A-0")
        write_evidence(connection, [row(number, DAY)], DAY)
        return number

    yield database.run_now(fill)


def row(machine: int, day: date, hours: int = 1, **more: Any) -> dict[str, Any]:
    at = day_start_ms(day)
    return {
        "machine_id": machine, "day": day, "source": "controller", "synthetic": False,
        "gateway": "gw-1", "good_hours": hours, "uncertain_hours": 0, "replayed_hours": 0,
        "first_ms": at, "last_ms": at + 10, "seeded": False,
    } | more  # fmt: skip


def hours(connection: Connection) -> list[int]:
    query = select(evidence.c.good_hours).order_by(evidence.c.day, evidence.c.late_days)
    return list(connection.scalars(query))


def by_force(connection: Connection, what: str, machine: int) -> None:
    """As a hand at the prompt does it: straight to the table of the month."""
    table: Table = monthly.written(connection, MONTH)
    statements = {
        "update": update(table).values(good_hours=0b11),
        "delete": delete(table),
        "insert": insert(table).values(row(machine, DAY - timedelta(1)) | {"late_days": 0}),
    }
    connection.execute(statements[what])


@pytest.mark.parametrize("what", ["update", "delete", "insert"])
def test_who_has_said_nothing_changes_nothing(database: Database, machine: int, what: str) -> None:
    with pytest.raises(IntegrityError, match="raw days of evidence are append-only"):
        database.run_now(by_force, what, machine)
    assert database.run_now(hours) == [1]

    def said(connection: Connection) -> list[int]:
        with closed.opened(connection):
            by_force(connection, what, machine)
        return hours(connection)

    left = {"update": [0b11], "delete": [], "insert": [1, 1]}[what]
    assert database.run_now(said) == left


def test_no_more_is_opened_than_was_said_and_no_longer(database: Database, machine: int) -> None:
    late = row(machine, DAY, 0b10, late_days=3)
    database.run_now(write_days, [late], DAY + timedelta(3))  # dated on the third day after it
    for at, since in enumerate((DAY + timedelta(1), DAY + timedelta(4))):
        more = [row(machine, DAY, 0b100), late | {"good_hours": 0b1000}]
        with pytest.raises(IntegrityError, match="append-only"):
            database.run_now(write_days, more[at:], since)

    def closed_again(connection: Connection) -> None:
        with closed.opened(connection):
            by_force(connection, "update", machine)
        by_force(connection, "update", machine)

    with pytest.raises(IntegrityError, match="append-only"):
        database.run_now(closed_again)
    assert database.run_now(hours) == [1, 0b10]


def test_what_one_transaction_says_opens_nothing_to_another(
    database: Database, machine: int
) -> None:
    """On PostgreSQL; SQLite has one writer, and what it says is not seen by readers."""
    with database.engine.begin() as one, closed.opened(one):
        if database.engine.dialect.name == "sqlite":
            with database.engine.connect() as other:
                assert other.execute(text("SELECT * FROM raw_days_open")).all() == []
        else:
            with pytest.raises(IntegrityError, match="append-only"):
                database.run_now(by_force, "update", machine)
        by_force(one, "update", machine)
    assert database.run_now(hours) == [0b11]


def test_days_of_an_older_city_are_closed_too(database: Database) -> None:
    with database.engine.begin() as connection:
        drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
        command.upgrade(alembic_config(connection, CITY), "city38")
        connection.execute(text("INSERT INTO machine (id, named_ms) VALUES (1, 0)"))
        values = f"(1, '{DAY}', 'controller', '0', 'gw-1', 1, 0, 0, 0, 1, '0')"
        connection.execute(text(f"INSERT INTO evidence VALUES {values}"))
    upgrade(database)
    with pytest.raises(IntegrityError, match="append-only"):
        database.run_now(by_force, "delete", 1)
    database.run_now(write_evidence, [row(1, DAY, 0b10)], DAY + timedelta(9))
    assert database.run_now(hours) == [1, 0b10]
