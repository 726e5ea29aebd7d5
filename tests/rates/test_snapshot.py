"""A figure is computed on one state of the database, whatever is committed meanwhile."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, event, select, update
from sqlalchemy.exc import DBAPIError

from gateway.city.db.operation import begin
from gateway.city.db.schema.rates import rate_result
from gateway.city.db.tables import enterprise, equipment_rows, evidence, status_rows
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.frozen.schedule import freeze_due
from gateway.city.rates.publishing.operational import rate_table
from gateway.city.rates.reports.table import RateTable
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city_db import (
    USCCS,
    add_days,
    add_enterprise,
    add_machine,
    change_evidence,
    days_between,
    sqlite_city,
)

OCTOBER = days_between(date(2026, 10, 1), date(2026, 10, 31))
NOVEMBER_21 = day_start_ms(date(2026, 11, 21))
OLD, NEW = (2, 3), (4, 4)
"""Networked and all machines by each of the two ledgers; a mixture of them has other numbers."""


def first_ledger(connection: Connection) -> None:
    add_enterprise(connection, USCCS[0], name="旧名")
    for at in range(3):
        machine = add_machine(connection, USCCS[0], f"A{at}")
        add_days(connection, machine, OCTOBER if at else [])


def second_ledger(connection: Connection) -> None:
    """The old machines are scrapped, four others are in use and send."""
    connection.execute(update(enterprise).values(name="新名"))
    connection.execute(update(status_rows).values(status="scrapped"))
    change_evidence(connection, delete(evidence))
    for at in range(4):
        add_days(connection, add_machine(connection, USCCS[0], f"B{at}"), OCTOBER)


class Intruder:
    """Commits something by another connection just before the n-th query of a reader."""

    def __init__(self, database: Database, work: Callable[[Connection], None], before: int) -> None:
        self.queries = 0
        self._database, self._work, self._before = database, work, before
        self._is_own = False
        event.listen(database.engine, "before_cursor_execute", self._query)

    def _query(self, _c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if self._is_own or not statement.lstrip().upper().startswith("SELECT"):
            return
        self.queries += 1
        if self.queries == self._before:
            self._is_own = True
            self._database.run_now(self._work)
            self._is_own = False

    def leave(self) -> None:
        event.remove(self._database.engine, "before_cursor_execute", self._query)


def october(database: Database) -> RateTable:
    return database.read_now(
        rate_table, "ENR-A", "2026-10", "enterprise", NOVEMBER_21, demonstration=False
    )


def test_an_import_in_the_middle_of_a_page_is_not_seen(database: Database) -> None:
    database.run_now(first_ledger)
    counting = Intruder(database, second_ledger, before=0)
    first = october(database)
    counting.leave()
    assert counting.queries > 5
    intruder = Intruder(database, second_ledger, before=counting.queries // 2)
    torn = october(database)
    intruder.leave()
    assert (torn.city.networked, torn.city.equipment) == OLD
    assert replace(torn, computed_ms=0) == replace(first, computed_ms=0)
    after = october(database)
    assert (after.city.networked, after.city.equipment) == NEW
    assert after.cells[0].name.zh == "新名"


@pytest.mark.parametrize("before", range(2, 10))
def test_before_whichever_query_it_comes(tmp_path: Path, before: int) -> None:
    database = sqlite_city(tmp_path)
    database.run_now(first_ledger)
    intruder = Intruder(database, second_ledger, before)
    found = october(database)
    intruder.leave()
    assert intruder.queries >= before
    assert ((found.city.networked, found.city.equipment), found.cells[0].name.zh) == (OLD, "旧名")
    database.close()


async def test_a_frozen_month_is_of_one_ledger(database: Database) -> None:
    database.run_now(first_ledger)
    only = {"ENR-A": builtin_definitions()["ENR-A"]}
    database.run_now(begin, date(2026, 10, 1))
    counting = Intruder(database, second_ledger, before=0)
    october(database)
    counting.leave()
    intruder = Intruder(database, second_ledger, before=counting.queries + 2)
    await freeze_due(database, NOVEMBER_21, definitions=only, demonstration=False)
    intruder.leave()
    assert intruder.queries > counting.queries + 2
    result = select(rate_result.c.numerator, rate_result.c.denominator).where(
        rate_result.c.dimension == "city"
    )
    assert tuple(database.run_now(lambda c: c.execute(result).one())) in (OLD, NEW)


def test_who_reads_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"read.?only"):
        database.read_now(lambda connection: connection.execute(delete(equipment_rows)))
    database.run_now(add_enterprise, USCCS[0])  # the next one may
