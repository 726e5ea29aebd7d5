"""A large ledger that is kept is the one that would be read."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection, event

from gateway.city.rates.columns.kept import KeptLedger
from gateway.city.rates.columns.ledger import Ledger, read_ledger
from gateway.relational.database import Database
from tests.rates.test_as_known import ENTERED, LATER, firm, machine, told
from tests.support.city_db import USCCS, sqlite_city

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
