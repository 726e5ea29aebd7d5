"""Machines of which nothing but uncertain or repeated values came."""

from datetime import date

from sqlalchemy import Connection, case, delete, update

from gateway.city.db.tables import evidence
from gateway.city.rates.reasons import Reason
from gateway.city.rates.reports.drilldown import machine_facts
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city_db import (
    USCCS,
    add_days,
    add_enterprise,
    add_machine,
    change_evidence,
    days_between,
)

OCTOBER = days_between(date(2026, 10, 1), date(2026, 10, 31))
NOVEMBER_3 = day_start_ms(date(2026, 11, 3))


def reason_of(database: Database) -> Reason:
    (only,) = database.run_now(machine_facts, "ENR-B", "2026-10", NOVEMBER_3, demonstration=False)
    return only.reason


def test_days_without_good_values_are_doubtful_where_the_machine_serves(
    database: Database,
) -> None:
    """A machine whose status changes is read day by day, and judged likewise."""

    def fill(connection: Connection) -> None:
        add_enterprise(connection, USCCS[0])
        history = [(date(2020, 1, 1), "idle"), (date(2026, 10, 11), "in_use")]
        machine = add_machine(connection, USCCS[0], "A001", history=history)
        add_days(connection, machine, OCTOBER)
        idle = case((evidence.c.day < date(2026, 10, 11), 3), else_=0)
        change_evidence(connection, update(evidence).values(good_hours=idle, replayed_hours=1))

    database.run_now(fill)
    assert reason_of(database) is Reason.UNCERTAIN_ONLY
    later = evidence.c.day >= date(2026, 10, 11)
    database.run_now(change_evidence, delete(evidence).where(later))
    assert reason_of(database) is Reason.NO_EVIDENCE
