"""A raw day that is over is refused by the database itself, whoever wants to change it."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Connection, Table, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from gateway.city.db import closed, monthly
from gateway.city.db.tables import evidence
from gateway.city.evidence.rows import write_days, write_evidence
from gateway.relational.database import Database
from tests.support.city_db import raw_day

DAY = date(2026, 1, 31)
MONTH = 202601


@pytest.fixture
def machine(database: Database, machines: list[int]) -> int:
    """One with a day."""
    database.run_now(write_evidence, [raw_day(machines[0], DAY)], DAY)
    return machines[0]


def hours(connection: Connection) -> list[int]:
    query = select(evidence.c.good_hours).order_by(evidence.c.day, evidence.c.late_days)
    return list(connection.scalars(query))


def by_force(connection: Connection, what: str, machine: int) -> None:
    """As a hand at the prompt does it: straight to the table of the month."""
    table: Table = monthly.written(connection, MONTH)
    statements = {
        "update": update(table).values(good_hours=0b11),
        "delete": delete(table),
        "insert": insert(table).values(raw_day(machine, DAY - timedelta(1)) | {"late_days": 0}),
    }
    connection.execute(statements[what])


@pytest.mark.parametrize("what", ["update", "delete", "insert"])
def test_who_has_said_nothing_changes_nothing(database: Database, machine: int, what: str) -> None:
    with pytest.raises(IntegrityError, match="raw days of evidence are append-only") as error:
        database.run_now(by_force, what, machine)
    assert closed.refused(error.value)
    assert database.run_now(hours) == [1]

    def said(connection: Connection) -> list[int]:
        with closed.opened(connection):
            by_force(connection, what, machine)
        return hours(connection)

    left = {"update": [0b11], "delete": [], "insert": [1, 1]}[what]
    assert database.run_now(said) == left


def test_no_more_is_opened_than_was_said_and_no_longer(database: Database, machine: int) -> None:
    late = raw_day(machine, DAY, 0b10, late_days=3)
    database.run_now(write_days, [late], DAY + timedelta(3))  # dated on the third day after it
    for at, since in enumerate((DAY + timedelta(1), DAY + timedelta(4))):
        more = [raw_day(machine, DAY, 0b100), late | {"good_hours": 0b1000}]
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
