"""The same month by other rules of continuity, from one reading."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection

from gateway.city.db.operation import begin
from gateway.city.ledger.machines import find
from gateway.city.ledger.names import MachineName
from gateway.city.rates import tallies
from gateway.city.rates.comparing.sensitivity import Variant, sensitivity
from gateway.city.rates.frozen.freezing import freeze_month
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.rates.test_as_known import firm, machine, told
from tests.support.city_db import (
    USCCS,
    add_days,
    add_enterprise,
    add_machine,
    days_between,
    sqlite_city,
)

OCTOBER = days_between(date(2026, 10, 1), date(2026, 10, 31))
NOW_MS = day_start_ms(date(2026, 11, 21))


def fill(connection: Connection) -> None:
    """One machine sends daily, one on working days, one once, one never."""
    begin(connection, OCTOBER[0])
    add_enterprise(connection, USCCS[0], ledger_verified_on=date(2020, 1, 1))
    holidays = {date(2026, 10, day) for day in range(1, 8)}
    working = [day for day in OCTOBER if day not in holidays and day.weekday() < 5]
    days = (OCTOBER, [*working, date(2026, 10, 10)], OCTOBER[:1], [])
    for number, sent in enumerate(days):
        add_days(connection, add_machine(connection, USCCS[0], f"A{number}"), sent)


def rules(database: Database, definition: str = "ENR-A") -> tuple[Variant, ...]:
    return database.read_now(sensitivity, definition, "2026-10", NOW_MS, demonstration=False)


@pytest.fixture
def city(tmp_path: Path) -> Database:
    database = sqlite_city(tmp_path)
    database.run_now(fill)
    return database


def counted(found: tuple[Variant, ...]) -> dict[str, tuple[int, int] | None]:
    return {
        one.rule: one.month and (one.month.city.networked, one.month.city.equipment)
        for one in found
    }


def test_each_rule_counts_as_it_says(city: Database) -> None:
    found = rules(city)
    assert counted(found) == {"any": (3, 4), "days": (1, 4), "scheduled": (2, 4), "hours": None}
    assert [one.rule for one in found if one.is_own] == ["scheduled"]


def test_ledger_and_evidence_are_read_once(city: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    machine_months = tallies.machine_months
    monkeypatch.setattr(
        tallies, "machine_months", lambda *args: read.append(1) or machine_months(*args)
    )
    rules(city)
    assert read == [1]


def test_a_rule_of_its_own_is_the_definitions_own_record(city: Database) -> None:
    assert [one.rule for one in rules(city, "ENR-B") if one.is_own] == ["any"]
    assert rules(city, "DIG-A") == ()


def test_a_final_month_is_compared_by_the_ledger_of_then(tmp_path: Path) -> None:
    database = sqlite_city(tmp_path)
    told(database, tmp_path, date(2026, 9, 30), firm(USCCS[0]), machine(USCCS[0], 0))
    database.run_now(begin, OCTOBER[0])
    number = database.read_now(find, [MachineName(USCCS[0], "1", "A0")], OCTOBER[0])
    database.run_now(lambda c: add_days(c, *number.values(), OCTOBER[:3]))
    assert freeze_month(database, "ENR-A", "2026-10", NOW_MS, demonstration=False)
    told(database, tmp_path, date(2026, 11, 22), "", machine(USCCS[0], 1))
    found = counted(rules(database))
    assert (found["any"], found["days"]) == ((1, 1), (0, 1))
