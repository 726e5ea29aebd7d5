"""Breaks of a series, counted both ways; quarters and years."""

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, update

from gateway.city.db.operation import begin
from gateway.city.db.tables import roster_member
from gateway.city.ledger.machines import find
from gateway.city.ledger.names import MachineName
from gateway.city.rates.comparing.break_words import break_json, break_words
from gateway.city.rates.comparing.breaks import breaks
from gateway.city.rates.comparing.spans import SpanRates, quarter, span_rates, year
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.frozen.freezing import freeze_month
from gateway.city.rates.frozen.results import Correction
from gateway.city.rates.period import MonthError
from gateway.city.rates.publishing.operational import rate_table
from gateway.city.rates.reports.export import rate_notes
from gateway.city.rates.tallies import NotComputableError
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

ENR_A = builtin_definitions()["ENR-A"]
AUX = ENR_A.model_copy(update={"version": 9, "classes": ("production", "aux")})
KINDS = ("production", "production", "aux")
AUGUST, DECEMBER = date(2026, 8, 1), date(2026, 12, 21)
NOW_MS = day_start_ms(DECEMBER)


@pytest.fixture
def city(tmp_path: Path) -> Database:
    """One machine of two sends in September; in October both do. An auxiliary one never does."""
    database = sqlite_city(tmp_path)
    rows = [machine(USCCS[0], number, kind) for number, kind in enumerate(KINDS)]
    told(database, tmp_path, date(2026, 7, 1), firm(USCCS[0]), "".join(rows))

    def send(connection: Connection) -> None:
        begin(connection, AUGUST)
        names = [MachineName(USCCS[0], "1", f"A{number}") for number in range(2)]
        found = find(connection, names, AUGUST)
        for name, first in zip(names, (date(2026, 9, 1), date(2026, 10, 1)), strict=True):
            add_days(connection, found[name], days_between(first, date(2026, 10, 31)))

    database.run_now(send)
    return database


def test_without_a_change_there_is_no_break(city: Database) -> None:
    for month in ("2026-08", "2026-09", "2026-10"):
        assert city.read_now(breaks, "ENR-A", month, NOW_MS, demonstration=False) == ()
    for month in ("2026-09", "2026-10"):  # stored by one record, they are no break either
        assert freeze_month(city, "ENR-A", month, NOW_MS, demonstration=False)
    assert city.read_now(breaks, "ENR-A", "2026-10", NOW_MS, demonstration=False) == ()
    assert city.read_now(breaks, "ONL", None, NOW_MS, demonstration=False) == ()


def test_another_definition_counts_the_month_before_both_ways(city: Database) -> None:
    assert freeze_month(city, "ENR-A", "2026-09", NOW_MS, demonstration=False)
    known = {"ENR-A": AUX}
    (one,) = city.read_now(
        breaks, "ENR-A", "2026-10", NOW_MS, demonstration=False, definitions=known
    )
    assert (one.why, one.month) == ("definition", "2026-09")
    assert (one.before.pooled, one.after.pooled) == (50, Fraction(100, 3))
    words = break_words(one, AUX)
    assert "按旧口径 50.00 % (1/2)，按现口径 33.33 % (1/3)，相差 −16.67 个百分点" in words.zh
    assert break_json(one, AUX)["points"] == "−16.67"
    # once October is stored by the new record the break stays with October
    assert freeze_month(city, "ENR-A", "2026-10", NOW_MS, demonstration=False, definitions=known)
    again = city.read_now(
        breaks, "ENR-A", "2026-10", NOW_MS, demonstration=False, definitions=known
    )
    assert again == (one,)


def test_another_roster_counts_the_month_both_ways(city: Database) -> None:
    def change(connection: Connection) -> None:
        add_enterprise(connection, USCCS[1], ledger_verified_on=date(2020, 1, 1))
        connection.execute(delete(roster_member).where(roster_member.c.uscc == USCCS[1]))
        row = {"roster": "KEY", "uscc": USCCS[1], "approved_by": "市经信局"}
        connection.execute(insert(roster_member), [row | {"valid_from": date(2026, 10, 5)}])
        for number in range(2):
            add_machine(connection, USCCS[1], f"B{number}")

    city.run_now(change)
    (one,) = city.read_now(breaks, "ENR-A", "2026-10", NOW_MS, demonstration=False)
    assert (one.why, one.month, one.joined, one.left) == ("roster", "2026-10", 1, 0)
    assert (one.before.pooled, one.after.pooled) == (100, 50)
    assert "新入 1 家，退出 0 家" in break_words(one, ENR_A).zh
    gone = update(roster_member).where(roster_member.c.uscc == USCCS[0])
    city.run_now(lambda c: c.execute(gone.values(valid_to=date(2026, 10, 20))))
    (one,) = city.read_now(breaks, "ENR-A", "2026-10", NOW_MS, demonstration=False)
    assert (one.joined, one.left) == (1, 1)


def of(database: Database, span: str, definition: str = "ENR-A", now_ms: int = NOW_MS) -> SpanRates:
    wanted = quarter(span) if "Q" in span else year(span)
    return database.read_now(span_rates, definition, wanted, "county", now_ms, demonstration=False)


def test_a_span_has_the_value_of_its_last_month_and_its_mean_has_a_name(city: Database) -> None:
    third = of(city, "2026-Q3")
    # in August nothing came: it is unknown, and no month of the mean
    assert [one.month for one in third.months] == ["2026-08", "2026-09"]
    assert third.missing == ("2026-07",)
    assert third.last.city.pooled == 50
    assert third.means() == {"city": (50, 1), "330822": (50, 1)}
    whole = of(city, "2026", now_ms=day_start_ms(date(2026, 10, 31)) + 1)
    assert whole.last.city.pooled == 100
    assert whole.means()["city"] == (75, 2)
    assert (whole.is_over, whole.missing[-1]) == (False, "2026-12")


def test_a_span_is_over_once_its_last_month_is_final(city: Database) -> None:
    assert not of(city, "2026-Q3").is_over
    assert freeze_month(city, "ENR-A", "2026-09", NOW_MS, demonstration=False)
    assert of(city, "2026-Q3").is_over


@pytest.mark.parametrize(
    ("span", "definition", "message"),
    [
        ("2026-Q5", "ENR-A", "is no quarter; write YYYY-Qn, as 2026-Q3"),
        ("26", "ENR-A", "is no year; write YYYY, as 2026"),
        ("2026-Q2", "ENR-A", "nothing is known of 2026-Q2: the city began in 2026-08"),
        ("2027", "ENR-A", "nothing is known of 2027: it is 2026-12"),
        ("2026", "ONL", "it has no quarters or years"),
    ],
)
def test_a_span_of_nothing_is_refused(
    city: Database, span: str, definition: str, message: str
) -> None:
    with pytest.raises((MonthError, NotComputableError), match=message):
        of(city, span, definition)


def test_a_month_that_was_corrected_is_revised(city: Database) -> None:
    for made in (None, Correction("error", "补", "李四")):
        assert freeze_month(city, "ENR-A", "2026-09", NOW_MS, demonstration=False, correction=made)
        table = city.read_now(rate_table, "ENR-A", "2026-09", "county", NOW_MS, demonstration=False)
        assert rate_notes(table)["status"] == ("R" if made else "F")
