"""Days of rest by the official calendar, and rates that leave them out."""

from datetime import date

import pytest
from pydantic import ValidationError

from gateway.city.rates.days.calendar_file import builtin_calendar
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.publishing.operational import rate_table
from gateway.city.rates.reports.table import RateTable
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city_db import USCCS, add_days, add_enterprise, add_machine, days_between

CALENDAR = builtin_calendar()
is_rest = CALENDAR.is_rest
ENR_A = builtin_definitions()["ENR-A"]
SCHEDULED = {"ENR-A": ENR_A.model_copy(update={"version": 99, "days": "scheduled"})}
OCTOBER = days_between(date(2026, 10, 1), date(2026, 10, 31))


@pytest.mark.parametrize(
    ("day", "rest"),
    [
        (date(2026, 10, 1), True),
        (date(2026, 10, 7), True),  # a Wednesday
        (date(2026, 10, 10), False),  # a Saturday that is worked
        (date(2026, 10, 11), True),
        (date(2026, 10, 12), False),
        (date(2025, 1, 28), True),
        (date(2024, 2, 4), False),
        (date(2031, 10, 1), None),
    ],
)
def test_the_official_calendar(day: date, rest: bool | None) -> None:
    assert is_rest(day) is rest


@pytest.mark.parametrize(("year", "working_days"), [(2024, 251), (2025, 248), (2026, 248)])
def test_a_year_has_as_many_working_days_as_published(year: int, working_days: int) -> None:
    """Monday to Friday without the eleven, since 2025 thirteen, days of public holiday."""
    days = days_between(date(year, 1, 1), date(year, 12, 31))
    assert sum(not is_rest(day) for day in days) == working_days
    assert CALENDAR.unknown_years(days) == ()


def october(database: Database, works: object, month: str = "2026-10") -> RateTable:
    """A plant whose machine sends on its working days."""
    today = date(int(month[:4]) + 1, 1, 3)

    def write(connection: object) -> None:
        add_enterprise(connection, USCCS[0], ledger_verified_on=date(2020, 1, 1))  # type: ignore[arg-type]
        machine = add_machine(connection, USCCS[0], "A")  # type: ignore[arg-type]
        add_days(connection, machine, filter(works, OCTOBER))  # type: ignore[arg-type]

    database.run_now(write)
    return database.read_now(
        rate_table, "ENR-A", month, "enterprise", day_start_ms(today), demonstration=False,
        definitions=SCHEDULED,
    )  # fmt: skip


def off(day: date) -> bool:
    return date(2026, 10, 1) <= day <= date(2026, 10, 7)


@pytest.mark.parametrize(
    "works",
    [
        lambda day: not off(day) and (day.weekday() < 6),
        lambda day: not is_rest(day),
        lambda day: True,
    ],
    ids=["six days a week", "official working days", "through the holiday"],
)
def test_who_sends_on_every_working_day_is_networked(database: Database, works: object) -> None:
    """Plants that rested over the National Day holiday scored 0 of 20 in October."""
    table = october(database, works)
    assert (table.city.networked, table.city.equipment) == (1, 1)


def test_data_on_days_of_rest_lift_nothing(database: Database) -> None:
    kept = [day for day in OCTOBER if not is_rest(day)]
    too_few = set(kept[: len(kept) * 8 // 10 - 1])
    table = october(database, lambda day: is_rest(day) or day in too_few)
    assert (table.city.networked, table.city.equipment) == (0, 1)


def test_a_year_without_a_calendar_is_unknown_and_not_guessed(database: Database) -> None:
    table = october(database, lambda day: True, month="2031-10")
    assert table.city.pooled is None
    assert table.city.known_networked is None


def test_before_the_first_working_day_nothing_is_known(database: Database) -> None:
    """0 % on 1 to 7 October would be a wrong figure."""
    october(database, lambda day: True)

    def on(day: int) -> RateTable:
        return database.read_now(
            rate_table, "ENR-A", "2026-10", "county", day_start_ms(date(2026, 10, day)),
            demonstration=False,
        )  # fmt: skip

    assert (on(7).city.pooled, on(7).only_rest) == (None, True)
    assert (on(8).city.pooled, on(8).only_rest) == (100, False)


def test_only_a_rate_that_counts_days_has_a_schedule() -> None:
    online = builtin_definitions()["ONL"].model_dump() | {"days": "scheduled"}
    with pytest.raises(ValidationError, match="days: scheduled is for measure: networked"):
        type(ENR_A).model_validate(online)
