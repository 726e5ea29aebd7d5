"""Nothing before the day on which a city began is evidence, computed, frozen or shown."""

import shutil
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from edge_config.loading.load import load_city
from edge_config.mistakes.problems import ConfigError
from edge_config.models.city import CityConfig
from gateway.city.db.operation import began_on, begin
from gateway.city.db.schema.rates import rate_result
from gateway.city.db.tables import evidence
from gateway.city.db.upgrade import DatabaseUnusableError, open_database
from gateway.city.evidence.adoption import orphan_query
from gateway.city.evidence.recording import record
from gateway.city.evidence.samples import Sample
from gateway.city.ledger.machines import MachineIds
from gateway.city.ledger.names import MachineName
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.frozen import schedule
from gateway.city.rates.frozen.freezing import due, freeze_month
from gateway.city.rates.frozen.results import Correction
from gateway.city.rates.period import MonthError, recent_months
from gateway.city.rates.publishing.operational import rate_table
from gateway.city.rates.reports.drilldown import machine_facts
from gateway.city.rates.reports.table import RateTable
from gateway.city.rates.reports.trend import trend
from gateway.city.rates.tallies import NotComputableError
from gateway.city.registry import enrolment
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city_db import USCCS, add_days, add_enterprise, add_machine, days_between
from tests.support.records import EVERY_DAY

NOON = 12 * 3_600_000
NOVEMBER_21 = day_start_ms(date(2026, 11, 21)) + NOON
JULY_16 = date(2026, 7, 16)
USCC = USCCS[0]


def one_machine(connection: Connection, days: Sequence[date] = ()) -> None:
    add_enterprise(connection, USCC)
    add_days(connection, add_machine(connection, USCC, "B-001"), days)


def enrol(connection: Connection, day: date) -> None:
    enrolment.add(connection, "gw-1", USCC, "1", day_start_ms(day) + NOON)


def sample(day: date, asset: str = "B-001") -> Sample:
    at = day_start_ms(day) + NOON
    name = MachineName(USCC, "1", asset)
    return Sample(name, day, "controller", False, "gw-1", 1, at, at, 1 << 12)


def table(connection: Connection, month: str) -> RateTable:
    return rate_table(connection, "ENR-A", month, "county", NOVEMBER_21, demonstration=False)


async def frozen_months(database: Database) -> list[str]:
    known = builtin_definitions()
    await schedule.freeze_due(database, NOVEMBER_21, definitions=known, demonstration=False)
    months = select(rate_result.c.month).where(rate_result.c.definition == "ENR-A").distinct()
    return database.run_now(lambda c: sorted(c.scalars(months)))


async def test_one_sample_of_2021_freezes_nothing(database: Database) -> None:
    """102 final results of 0 % were stored once, for one value with the date of a dead battery."""
    database.run_now(one_machine)
    database.run_now(enrol, JULY_16)
    old, new = sample(date(2021, 3, 1)), sample(date(2026, 10, 7))
    database.run_now(record, [old, new], MachineIds(), NOVEMBER_21)
    days = database.run_now(lambda c: list(c.scalars(select(evidence.c.day))))
    assert days == [date(2026, 10, 7)]
    assert await frozen_months(database) == ["2026-10"]


async def test_freezing_begins_with_the_month_of_the_beginning(database: Database) -> None:
    database.run_now(one_machine, days_between(date(2026, 6, 1), date(2026, 10, 31)))
    database.run_now(enrol, JULY_16)
    months = ["2026-07", "2026-08", "2026-09", "2026-10"]
    assert await frozen_months(database) == months
    past = recent_months(NOVEMBER_21, 12)[:-1]
    points = database.run_now(trend, "ENR-A", past, NOVEMBER_21, demonstration=False)
    assert [one.month for one in points] == months


def test_days_before_the_beginning_are_on_neither_side(database: Database) -> None:
    database.run_now(one_machine, days_between(date(2026, 7, 1), date(2026, 7, 31)))
    database.run_now(enrol, JULY_16)
    (only,) = database.run_now(
        machine_facts, "ENR-A", "2026-07", NOVEMBER_21, demonstration=False, definitions=EVERY_DAY
    )
    assert (only.service_days, only.valid_days, only.reason.name) == (16, 16, "NETWORKED")


def test_a_month_before_the_beginning_is_refused(database: Database) -> None:
    database.run_now(one_machine, days_between(date(2026, 6, 1), date(2026, 6, 30)))
    database.run_now(enrol, JULY_16)
    with pytest.raises(MonthError, match="2026-06 is unknown: the city began on 2026-07-16"):
        database.run_now(table, "2026-06")
    again = Correction("error", "", "李四")
    with pytest.raises(MonthError, match="is unknown"):
        freeze_month(
            database,
            "ENR-A",
            "2026-06",
            NOVEMBER_21,
            demonstration=False,
            correction=again,
        )


def test_a_month_in_which_nothing_came_is_unknown(database: Database) -> None:
    database.run_now(one_machine, days_between(date(2026, 10, 1), date(2026, 10, 31)))
    database.run_now(enrol, JULY_16)
    empty, full = database.run_now(table, "2026-08"), database.run_now(table, "2026-10")
    assert (empty.city.equipment, empty.city.pooled, empty.city.mean) == (1, None, None)
    assert {one.pooled for one in empty.cells} == {None}
    assert full.city.pooled == 100
    wanted = database.run_now(due, NOVEMBER_21, demonstration=False)
    assert {month for definition, month in wanted if definition == "ENR-A"} == {"2026-10"}
    with pytest.raises(NotComputableError, match="2026-08 is unknown"):
        freeze_month(database, "ENR-A", "2026-08", NOVEMBER_21, demonstration=False)


def test_a_month_of_synthetic_data_is_known_to_a_demonstration_only(database: Database) -> None:
    """To all others it is not 0 %: nothing came in it."""

    def october(connection: Connection) -> None:
        add_enterprise(connection, USCC)
        days = days_between(date(2026, 10, 1), date(2026, 10, 31))
        add_days(connection, add_machine(connection, USCC, "B-001"), days, synthetic=True)

    database.run_now(october)
    database.run_now(enrol, JULY_16)
    real, shown = (
        database.read_now(
            rate_table, "ENR-A", "2026-10", "county", NOVEMBER_21, demonstration=demonstration
        ).city
        for demonstration in (False, True)
    )
    assert (real.equipment, real.pooled, real.mean) == (1, None, None)
    assert (shown.equipment, shown.pooled, shown.mean) == (1, 100, 100)
    with pytest.raises(NotComputableError, match="2026-10 is unknown"):
        freeze_month(database, "ENR-A", "2026-10", NOVEMBER_21, demonstration=False)


def test_days_sent_before_a_machine_stood_in_the_ledger_count(database: Database) -> None:
    """From the beginning on, whenever the bureau enters the machine."""
    database.run_now(add_enterprise, USCC)
    database.run_now(enrol, JULY_16)
    days = days_between(JULY_16, date(2026, 7, 31))
    database.run_now(record, [sample(day) for day in days], MachineIds(), NOVEMBER_21)
    (stranger,) = database.run_now(lambda c: c.execute(orphan_query(c)).all())
    assert (stranger.asset_no, stranger.days) == ("B-001", 16)
    database.run_now(add_machine, USCC, "B-001")
    (only,) = database.run_now(
        machine_facts, "ENR-A", "2026-07", NOVEMBER_21, demonstration=False, definitions=EVERY_DAY
    )
    assert (only.service_days, only.valid_days, only.reason.name) == (16, 16, "NETWORKED")


def test_only_the_first_enrolment_is_the_beginning(database: Database) -> None:
    database.run_now(add_enterprise, USCC)
    assert database.run_now(began_on) is None
    database.run_now(enrol, JULY_16)
    database.run_now(enrolment.add, "gw-2", USCC, "1", NOVEMBER_21)
    assert database.run_now(began_on) == JULY_16
    database.run_now(begin, date(2026, 1, 1))
    assert database.run_now(began_on) == JULY_16


def configured(folder: Path, began: str) -> CityConfig:
    line = f", began_on: {began}" if began else ""
    (folder / "city.yaml").write_text(
        f'city: {{region: "330800", name_zh: 衢州, name_en: Quzhou{line}}}\n'
        'broker: {url: "mqtt://127.0.0.1:1"}\nidentifier: {prefix: "88.999"}\n',
        encoding="utf-8",
    )
    return load_city(folder / "city.yaml")


def test_the_configured_day_is_written_once_and_restored_with_the_database(tmp_path: Path) -> None:
    first = configured(tmp_path, "2026-03-01")
    database = open_database(first)
    database.run_now(add_enterprise, USCC)
    database.run_now(enrol, JULY_16)
    database.close()
    copy = tmp_path / "restored"
    copy.mkdir()
    shutil.copytree(first.data_dir, copy / "qulink-city")
    restored = open_database(configured(copy, ""))
    assert restored.run_now(began_on) == date(2026, 3, 1)
    restored.close()
    with pytest.raises(
        DatabaseUnusableError, match="2026-04-01, but this city began on 2026-03-01"
    ):
        open_database(configured(copy, "2026-04-01"))
    open_database(configured(copy, "2026-03-01")).close()


def test_a_day_in_the_future_is_refused(tmp_path: Path) -> None:
    tomorrow = date.today() + timedelta(days=2)  # noqa: DTZ011 - of any zone
    with pytest.raises(ConfigError, match=r"began_on .* is in the future"):
        configured(tmp_path, str(tomorrow))
