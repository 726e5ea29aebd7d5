"""Years of holidays that a city adds, and what a stored month has to do with them."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection

from gateway.city.ledger.importer import import_ledger
from gateway.city.ledger.machines import find
from gateway.city.ledger.names import MachineName
from gateway.city.rates.days.calendar import Calendar, HolidayYear, calendar_of
from gateway.city.rates.definitions import DefinitionError, earlier_definitions, load_definitions
from gateway.city.rates.frozen.freezing import freeze_month, month_to_freeze
from gateway.city.rates.frozen.reproducing import Reproduced, reproduce
from gateway.city.rates.frozen.results import Correction
from gateway.city.rates.model import Definition
from gateway.city.rates.publishing.operational import rate_table
from gateway.city.rates.reports.export import as_table
from gateway.city.rates.reports.table import RateTable
from gateway.city.rates.tallies import NotComputableError
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from gateway.web.tables import csv_text
from tests.support.city_db import USCCS, add_days, days_between

NEXT = """\
years:
  2027:
    source: 通知 1 号
    holidays:
      - [2027-01-01, 2027-01-03]
      - [2027-02-05, 2027-02-11]
    working: [2027-01-09]
"""
OTHERWISE = NEXT.replace("[2027-02-05, 2027-02-11]", "[2027-02-22, 2027-02-26]")


def scheduled(file: Path, text: str | None) -> dict[str, Definition]:
    """ENR-A of a city that wrote a file of holidays, counted without days of rest."""
    if text is not None:
        file.write_text(text, encoding="utf-8")
    known = load_definitions(None, file if text is not None else None)
    record = known["ENR-A"]
    changed = record.model_copy(update={"version": 99, "days": "scheduled"})
    return {"ENR-A": changed.counted_by(record.calendar)}


@pytest.fixture
def february(database: Database, tmp_path: Path) -> Database:
    """A machine that sent on every working day of February 2027, by the first arrangement."""
    off = days_between(date(2027, 2, 5), date(2027, 2, 11))
    days = [
        day
        for day in days_between(date(2027, 2, 1), date(2027, 2, 28))
        if day.weekday() < 5 and day not in off
    ]

    files = [tmp_path / "firms.csv", tmp_path / "machines.csv"]
    files[0].write_text(
        "uscc,name,county,industry,above_scale,ledger_verified_by,ledger_verified_on,roster,roster_from\n"
        f"{USCCS[0]},甲,330822,3451,是,张三,2026-01-01,KEY,2026-01-01\n",
        encoding="utf-8",
    )
    files[1].write_text(
        "uscc,asset_no,name,equipment_class,status,status_since,commissioned_on\n"
        f"{USCCS[0]},A,磨床,production,在用,2026-01-01,2026-01-01\n",
        encoding="utf-8",
    )
    import_ledger(database, files, day_start_ms(date(2026, 12, 1)))

    def sends(connection: Connection) -> None:
        name = MachineName(USCCS[0], "1", "A")
        add_days(connection, find(connection, [name], days[0])[name], days)

    database.run_now(sends)
    return database


MARCH_21 = day_start_ms(date(2027, 3, 21))


def shown(database: Database, definitions: dict[str, Definition]) -> RateTable:
    return database.read_now(
        rate_table, "ENR-A", "2027-02", "county", MARCH_21, demonstration=False,
        definitions=definitions,
    )  # fmt: skip


def anew(database: Database, definitions: dict[str, Definition], vintage: int) -> Reproduced:
    return database.read_now(
        reproduce, "ENR-A", "2027-02", vintage, demonstration=False, definitions=definitions
    )


def test_a_year_that_a_city_adds_is_known_and_one_that_it_replaces_is_replaced(
    tmp_path: Path,
) -> None:
    file = tmp_path / "holidays.yaml"
    file.write_text(NEXT + '  2026:\n    source: 改\n    holidays: [["2026-10-01", 2026-10-02]]\n')
    calendar = load_definitions(None, file)["ENR-A"].calendar
    assert calendar.is_rest(date(2027, 2, 8)) and not calendar.is_rest(date(2027, 1, 9))
    assert (calendar.is_rest(date(2026, 10, 5)), calendar.sources[2026]) == (False, "改")
    assert calendar.is_rest(date(2025, 10, 6))
    assert load_definitions(None, None)["ENR-A"].calendar.is_rest(date(2027, 1, 1)) is None


def test_a_notice_may_name_days_of_the_december_before() -> None:
    new_year = ((date(2026, 12, 31), date(2027, 1, 3)),)
    next_year = HolidayYear(source="x", holidays=new_year, working=(date(2026, 12, 26),))
    this_year = HolidayYear(source="y", holidays=((date(2026, 1, 1), date(2026, 1, 1)),))
    calendar = calendar_of({2026: this_year, 2027: next_year})
    assert calendar.is_rest(date(2026, 12, 31)) and not calendar.is_rest(date(2026, 12, 26))
    alone = calendar_of({2027: next_year})
    assert alone.is_rest(date(2026, 12, 31)) is None and alone.is_rest(date(2027, 1, 1))


def test_all_mistakes_are_named_by_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "holidays.yaml"
    file.write_text("""\
years:
  2027:
    source: 通知 1 号
    holidays:
      - [2027-01-01, 2027-01-03]
      - [2027-02-12, 2027-02-05]
      - [2027-05-01, 2027-12-05]
      - [2027-01-03, 2027-01-05]
      - [2029-06-01, 2029-06-01]
    working: [2027-10-12, 2028-01-01, 2027-01-02]
  2028:
    source: ""
    holidays:
      - [2028-1-1, 2028-01-01]
    colour: red
  20290: {source: x, holidays: [[2029-01-01, 2029-01-01]]}
""")
    with pytest.raises(DefinitionError) as said:
        load_definitions(None, file)
    lines = str(said.value).splitlines()
    assert [int(line.removeprefix(f"{file}:").partition(":")[0]) for line in lines] == [
        6, 7, 8, 9, 10, 10, 10, 12, 14, 15, 16, 16,
    ]  # fmt: skip
    for words in (
        "ends on 2027-02-05, before it begins on 2027-02-12",
        "longer than 16 days",
        "2027-01-03 is in the holiday before, too",
        "2027-10-12 is no Saturday or Sunday, so it is worked anyway",
        "2027-01-02 is in a holiday: a day is worked, or of rest",
        "'2028-1-1' is no day; write YYYY-MM-DD",
    ):
        assert words in str(said.value)
    with pytest.raises(DefinitionError, match="cannot be read"):
        load_definitions(None, tmp_path / "absent.yaml")


def test_a_month_without_its_holidays_is_unknown_until_they_are_written(
    february: Database, tmp_path: Path
) -> None:
    before, after = scheduled(tmp_path / "h.yaml", None), scheduled(tmp_path / "h.yaml", NEXT)
    unknown = shown(february, before)
    assert (unknown.city.pooled, unknown.unknown_years) == (None, (2027,))
    with pytest.raises(NotComputableError, match=r"which days of 2027 are of rest.*calendar\.file"):
        february.read_now(freeze, before)
    known = shown(february, after)
    assert (known.city.networked, known.city.equipment, known.unknown_years) == (1, 1, ())


def freeze(connection: Connection, definitions: dict[str, Definition]) -> None:
    month_to_freeze(
        connection, "ENR-A", "2027-02", MARCH_21, demonstration=False, definitions=definitions
    )


def test_another_calendar_changes_no_stored_month_and_says_so(
    february: Database, tmp_path: Path
) -> None:
    """A vintage is computed anew by the days of rest that it left out, not by those of now."""
    first = scheduled(tmp_path / "a.yaml", NEXT)
    freeze_month(february, "ENR-A", "2027-02", MARCH_21, demonstration=False, definitions=first)
    assert not shown(february, first).rest_changed
    assert not shown(
        february, scheduled(tmp_path / "c.yaml", NEXT.replace("1 号", "2 号"))
    ).rest_changed
    other = scheduled(tmp_path / "b.yaml", OTHERWISE)
    table = shown(february, other)
    assert (table.city.networked, table.rest_changed) == (1, True)
    again = anew(february, other, 1)
    assert (again.differences, again.cells["city"]["city"].networked) == ((), 1)
    made = Correction("calendar", "通知更正", "李四")
    freeze_month(
        february, "ENR-A", "2027-02", MARCH_21, demonstration=False, definitions=other,
        correction=made,
    )  # fmt: skip
    table = shown(february, other)
    assert (table.vintage, table.city.networked, table.rest_changed) == (2, 0, False)
    assert [anew(february, other, vintage).differences for vintage in (1, 2)] == [(), ()]


def test_a_calendar_says_the_same_however_it_is_written() -> None:
    span = (date(2027, 2, 1), date(2027, 2, 28))
    one = HolidayYear(source="a", holidays=((date(2027, 2, 5), date(2027, 2, 11)),))
    parts = ((date(2027, 2, 5), date(2027, 2, 7)), (date(2027, 2, 8), date(2027, 2, 11)))
    other = HolidayYear(source="b", holidays=parts)
    assert calendar_of({2027: one}).text(*span) == calendar_of({2027: other}).text(*span)
    assert Calendar().text(*span) == "[]"


# ENR-A as months of before were frozen by it: all days counted.
SECOND = "b83a206ac6dcc16b"


def test_a_month_of_the_version_before_keeps_its_bytes(february: Database) -> None:
    """It is shown by its own version, and computed anew by it: days of rest counted then."""
    now_ms = day_start_ms(date(2027, 3, 21))
    (second,) = (one for one in earlier_definitions() if one.id == "ENR-A")
    assert second.hash.startswith(SECOND)
    old = {"ENR-A": second}
    freeze_month(february, "ENR-A", "2027-02", now_ms, demonstration=False, definitions=old)
    before = february.read_now(
        rate_table, "ENR-A", "2027-02", "county", now_ms, demonstration=False, definitions=old
    )
    upgraded = load_definitions(None, None)
    after = february.read_now(
        rate_table, "ENR-A", "2027-02", "county", now_ms, demonstration=False, definitions=upgraded
    )
    written = [csv_text(as_table(one), demonstration=False) for one in (before, after)]
    assert written[0] == written[1]
    assert (after.definition.version, after.outdated, after.city.networked) == (2, False, 0)
    again = february.read_now(
        reproduce, "ENR-A", "2027-02", 1, demonstration=False, definitions=upgraded
    )
    assert again.differences == ()
