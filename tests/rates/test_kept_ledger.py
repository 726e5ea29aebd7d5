"""A large ledger that is kept is the one that would be read."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection, event, select

from gateway.city.db.tables import equipment
from gateway.city.rates.cells.dimensions import CITY
from gateway.city.rates.columns.kept import KeptLedger
from gateway.city.rates.columns.ledger import Ledger, read_ledger
from gateway.city.rates.frozen.freezing import freeze_month
from gateway.city.rates.reports.months import rate_months
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.rates.test_as_known import ENTERED, LATER, firm, machine, told
from tests.support.city_db import USCCS, add_days, days_between, sqlite_city

SINCE = date(2026, 9, 1)


def _as_lists(ledger: Ledger) -> list[object]:
    texts = ledger.firm_names.texts
    columns = (
        ledger.ids, ledger.classes, ledger.commissioned, ledger.undated, ledger.digital,
        ledger.key, *ledger.entries,
    )  # fmt: skip
    return [[texts[one] for one in ledger.firms], *(np.asarray(one).tolist() for one in columns)]


@pytest.fixture
def city(tmp_path: Path) -> Database:
    database = sqlite_city(tmp_path)
    machines = [
        machine(USCCS[0], 1),
        machine(USCCS[0], 2, commissioned="2026-09-20", status="在用,2026-09-20"),
    ]
    told(database, tmp_path, ENTERED, firm(USCCS[0]), "".join(machines))
    return database


@pytest.mark.parametrize("kept_from", [1, 1000])
def test_it_is_read_anew_when_the_ledger_has_changed(
    city: Database, tmp_path: Path, kept_from: int
) -> None:
    kept = KeptLedger(kept_from)

    def same(connection: Connection) -> None:
        for since in (SINCE, date(2026, 11, 1)):
            for uscc in (None, USCCS[0], USCCS[1]):
                found, read = (one(connection, since, uscc) for one in (kept, read_ledger))
                assert _as_lists(found) == _as_lists(read)

    city.read_now(same)
    told(city, tmp_path, LATER, firm(USCCS[1]), machine(USCCS[1], 3, "aux", "封存,2026-10-05"))
    city.read_now(same)
    told(city, tmp_path, LATER, machines=machine(USCCS[0], 1, "test"))
    city.read_now(same)


def test_it_is_not_read_while_it_is_the_same(city: Database) -> None:
    kept, asked = KeptLedger(1), list[str]()

    @event.listens_for(city.engine, "before_cursor_execute")
    def _note(*said: object) -> None:
        asked.append(str(said[2]))

    city.read_now(kept, SINCE)
    asked.clear()
    city.read_now(kept, date(2026, 11, 1))
    assert [one for one in asked if "equipment" in one] == []


def test_data_that_come_late_corrections_and_frozen_months_are_seen_at_once(
    city: Database, tmp_path: Path
) -> None:
    kept, seen = KeptLedger(1), list[tuple[int, int, str]]()
    now_ms, months = day_start_ms(date(2026, 11, 21)), ["2026-10", None]

    def look(connection: Connection) -> None:
        wanted = [(name, month) for name in ("ENR-A", "COV") for month in months]
        made = [
            rate_months(connection, wanted, now_ms, demonstration=False, ledgers=one)
            for one in (kept, read_ledger)
        ]
        assert made[0] == made[1]
        total = made[0][0].cells[CITY][CITY]
        seen.append((total.networked, total.equipment, made[0][0].status))

    city.read_now(look)
    with city.engine.begin() as connection:  # late data
        first = connection.scalars(select(equipment.c.id).order_by(equipment.c.id)).first() or 0
        add_days(connection, first, days_between(date(2026, 10, 1), date(2026, 10, 31)))
    city.read_now(look)
    told(city, tmp_path, LATER, machines=machine(USCCS[0], 2, status="封存,2026-10-05"))
    city.read_now(look)
    freeze_month(city, "ENR-A", "2026-10", now_ms, demonstration=False)
    city.read_now(look)
    assert seen == [(0, 2, "P"), (1, 2, "P"), (1, 1, "P"), (1, 1, "F")]
