"""How much of a rate rests on days that are on neither side: told beside it, kept with it."""

from datetime import date
from fractions import Fraction
from pathlib import Path

from sqlalchemy import update

from gateway.city.access.principal import EVERYTHING, Scope, ScopeKind
from gateway.city.access.scoping import seen
from gateway.city.console.queries.findings import findings
from gateway.city.console.queries.recordtables import finding_table
from gateway.city.db.schema.rates import rate_result
from gateway.city.ledger.papers.entering import enter_files
from gateway.city.ledger.stops.sort import STOPS
from gateway.city.rates.cells.excused import Excused, together
from gateway.city.rates.days.late_excuses import late_excuses
from gateway.city.rates.frozen.freezing import freeze_month
from gateway.city.rates.frozen.reproducing import reproduce
from gateway.city.rates.publishing.operational import rate_table
from gateway.city.rates.reports.export import as_table, table_json
from gateway.city.rates.reports.shown import shown_by
from gateway.city.rates.reports.statistics import statistics_words
from gateway.city.rates.reports.table import RateTable
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.rates.test_stops import HEAD, IN_TIME, LATE, NOW, city, row
from tests.support.city_db import USCCS

__all__ = ["city"]


def enter(database: Database, folder: Path, rows: str, now_ms: int) -> None:
    file = folder / "stops.csv"
    file.write_text(HEAD + rows, encoding="utf-8")
    database.run_now(enter_files, STOPS, [file], now_ms, made_by="李四")


def table(database: Database, by: str = "county", definition: str = "ENR-A") -> RateTable:
    return database.read_now(
        rate_table,
        definition,
        "2026-10",
        by,
        NOW,
        demonstration=False,  # type: ignore[arg-type]
    )


def told(found: RateTable) -> Excused | None:
    assert found.city.statistics is not None
    return found.city.statistics.excused


def test_the_share_of_days_on_neither_side_is_told(city: Database, tmp_path: Path) -> None:
    """Two machines of 31 days: 13 of rest; A is stopped for five, B all month, said afterwards."""
    assert told(table(city)) == Excused(62, 26, 0, 0)
    enter(city, tmp_path, row(",,,A"), IN_TIME)
    enter(city, tmp_path, row(",,,B", "2026-10-01", "2026-10-31"), LATE)
    found = table(city)
    assert found.city.equipment == 1  # B is on neither side, and its days are told all the same
    assert told(found) == Excused(62, 26, 23, 18)
    assert told(table(city, "enterprise")) == told(found)
    share = Fraction(100 * 49, 62)
    excused = told(found)
    assert excused is not None
    assert (excused.share, excused.part(excused.stopped)) == (share, Fraction(100 * 23, 62))
    (line,) = [
        one for one in statistics_words(found.city, shown_by(found.definition)) if "设备日" in one
    ]
    assert "79.03 % of 62" in line
    assert "事后补录 said late 18" in line
    file = as_table(found)
    assert (file.notes["excused_percent"], file.notes["days_said_late"]) == (
        file.rows[0]["excused_percent"],
        18,
    )
    assert str(file.notes["excused_percent"]) == "79.03"
    assert table_json(found)["city"]["statistics"]["machine_days"] == 62


def test_where_all_days_count_nothing_is_said(city: Database) -> None:
    found = table(city, definition="ENR-B")
    assert told(found) is None
    assert as_table(found).rows[0]["machine_days"] is None
    assert not [one for one in statistics_words(found.city, str) if "设备日" in one]  # type: ignore[arg-type]


def test_a_published_month_keeps_it_and_older_ones_reproduce(
    city: Database, tmp_path: Path
) -> None:
    enter(city, tmp_path, row(",,,A"), IN_TIME)
    freeze_month(city, "ENR-A", "2026-10", NOW, demonstration=False)
    assert told(table(city)) == Excused(62, 26, 5, 0)
    enter(city, tmp_path, row(",,,B"), day_start_ms(date(2026, 11, 25)))
    assert told(table(city)) == Excused(62, 26, 5, 0)
    assert city.read_now(reproduce, "ENR-A", "2026-10", 1, demonstration=False).differences == ()
    older = update(rate_result).values(
        machine_days=None, days_rest=None, days_stopped=None, days_late=None
    )
    city.run_now(lambda connection: connection.execute(older))
    assert told(table(city)) is None
    assert city.read_now(reproduce, "ENR-A", "2026-10", 1, demonstration=False).differences == ()


def test_what_was_entered_late_is_listed_with_the_months_that_were_final(
    city: Database, tmp_path: Path
) -> None:
    enter(city, tmp_path, row(",,,A"), IN_TIME)
    assert city.read_now(late_excuses, seen(EVERYTHING)) == []
    freeze_month(city, "ENR-A", "2026-10", NOW, demonstration=False)
    enter(city, tmp_path, row(",,,B"), day_start_ms(date(2026, 11, 25)))
    (one,) = city.read_now(late_excuses, seen(EVERYTHING))
    assert (one.kind, one.name, one.entered_on) == ("stop", "甲", date(2026, 11, 25))
    assert one.frozen == ("2026-10",)
    other = Scope(ScopeKind.ENTERPRISES, frozenset({USCCS[1]}))
    assert city.read_now(late_excuses, seen(other)) == []
    found = city.read_now(findings, EVERYTHING, NOW, 50)
    (line,) = [
        one for one in finding_table(found, (), (), (), NOW).rows if one["finding"] == "late.stop"
    ]
    assert "final before: 2026-10" in str(line["detail"])


def test_days_of_nobody_have_no_share() -> None:
    nobody = Excused(0, 0, 0, 0)
    assert nobody.share is None
    assert together([]) is together([None]) is None
    assert together([Excused(10, 4, 1, 0), None, replace_days(nobody)]) == Excused(12, 4, 1, 0)


def replace_days(one: Excused) -> Excused:
    return one._replace(days=2)
