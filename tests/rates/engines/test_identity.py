"""All engines count the same: the city's own, DuckDB, ClickHouse, and a plain count of readings."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest
from sqlalchemy import Connection

from gateway.city.ledger.names import MachineName
from gateway.city.ledger.papers.entering import enter_files
from gateway.city.ledger.schedules.sort import SCHEDULES
from gateway.city.rates.compute import Period
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.engines.copies import Copies
from gateway.city.rates.engines.counting import CopiedMonths
from gateway.city.rates.engines.layout import STATUSES
from gateway.city.rates.engines.store import Store
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.model import Continuity, Definition, EquipmentClass
from gateway.city.rates.period import period_of
from gateway.city.rates.tallies import tallies_of
from gateway.core.days import day_start_ms
from gateway.core.status import GOOD
from gateway.relational.database import Database
from tests.rates.test_oracle import (
    BEIJING,
    COUNTS,
    DEFINITIONS,
    LAST,
    Asked,
    Item,
    Town,
    expected,
    random_town,
    write,
)
from tests.rates.test_schedules import HEAD
from tests.rates.test_twins import NOW_MS, plant
from tests.support.city_db import USCCS, days_between, sqlite_city

FIRST = date(2026, 10, 1)
DAYS = [FIRST, date(2026, 10, 17), LAST, date(2026, 11, 3)]


def inquiries(
    town: Town, day: date, records: Sequence[Definition], *, demonstration: bool
) -> list[Inquiry]:
    """All of one month, judged on one day."""
    today = max(day, town.began)
    period = Period("2026-10", FIRST, min(today, LAST), town.began)
    now_ms = day_start_ms(today) + 60_000
    names = (MachineName(one.uscc, "1", one.asset_no) for one in town.items if one.answers)
    answering = frozenset(names)
    return [
        Inquiry(one, period, now_ms, demonstration, answering)
        for one in records
        if today <= LAST or one.measure != "answering"
    ]


def random_record(random: Random, number: int) -> Definition:
    """Any record of the grammar that counts machines."""
    level = random.choice([1, 2])
    measure = random.choice(["networked", "networked", "networked", "digital", "answering"])
    scheduled = measure == "networked" and random.random() < 0.5
    rule = Continuity(
        percent_of_days=random.choice([1, 30, 50, 80, 100]), within_days=random.choice([0, 3, 7])
    )
    return builtin_definitions()["ENR-A"].model_copy(
        update={
            "id": f"OWN-{number}",
            "measure": measure,
            "classes": tuple(random.sample(get_args(EquipmentClass), random.randint(0, 2))),
            "only": tuple(random.sample(["digital", "key"], random.choice([0, 0, 1, 2]))),
            "statuses": tuple(random.sample(STATUSES, random.randint(1, 4))),
            "level": level,
            "denominator_level": random.randint(0, level),
            "continuity": random.choice([rule, rule, None]),
            "days": "scheduled" if scheduled else "all",
            "window_days": random.choice([None, None, 5, 30, 70]),
            "count_uncertain": random.random() < 0.3,
            "exclude": ("synthetic",),
        }
    )


def plan_weeks(connection: Connection, folder: Path, town: Town, random: Random) -> None:
    """Weeks of some of the enterprises; some are told when their days are over."""
    sites = {one.uscc: ["", "1"] for one in town.items}
    rows = [
        f"{uscc},{random.choice(sites.get(uscc, ['']))},2026-{random.randint(8, 10)}-11,,"
        f"{random.choice(['1-6', '1-5/1-6', '一三五'])},{random.choice(['放假', '照常'])},"
        "限电,厂规,王\n"
        for uscc in USCCS
        if random.random() < 0.5
    ]
    file = folder / "weeks.csv"
    file.write_text(HEAD + "".join(rows), encoding="utf-8")
    if rows:
        enter_files(
            connection, SCHEDULES, [file], day_start_ms(date(2026, 10, random.randint(12, 31)))
        )


_CITIES = itertools.count(330_800)
"""Each test is a city of its own: ClickHouse is one for all."""


def is_one(first: Database, asked: Sequence[Inquiry], *stores: Store) -> list[dict[str, list[int]]]:
    """K and N by enterprise for each inquiry, after everything that is counted was found equal."""
    own = first.read_now(tallies_of, asked)
    for store in stores:
        engine = CopiedMonths(Copies(store, str(next(_CITIES))))
        other = first.read_now(tallies_of, asked, engine=engine)
        for inquiry, one, two in zip(asked, own, other, strict=True):
            assert one == two, (store.where, inquiry.definition)
    return [{one.uscc: [one.networked, one.equipment] for one in found} for found, _ in own]


def sends(*days: date, source: str = "controller", synthetic: bool = False) -> list[Any]:
    at = [datetime(day.year, day.month, day.day, 9, tzinfo=BEIJING) for day in days]
    return [(one, GOOD, source, synthetic) for one in at]


def machine(name: str, values: list[Any], **changes: Any) -> Item:
    long_ago = date(2020, 1, 1)
    item = Item(USCCS[0], name, "production", long_ago, {long_ago: "in_use"}, values)
    for field, value in changes.items():
        setattr(item, field, value)
    return item


def untidy(month: list[date]) -> list[Item]:
    """A machine for each form; all but the first would count otherwise if a rule were missing."""
    before = {date(2020, 1, 1): "in_use"}
    left = before | {date(2026, 10, 20): "sealed", date(2026, 10, 25): "in_use"}
    return [
        machine("regular", sends(*month)),
        machine("undated", sends(*month), history=left, undated={date(2026, 10, 20)}),
        machine("sealed", sends(*month[:19], *month[24:]), history=left),
        machine("stopped", sends(*month[:9]), stops=[(month[9], None)]),
        machine("always-stopped", sends(*month), stops=[(month[0], None)]),
        machine("silent", sends(*month[:19])),
        machine("few", sends(*month[::3])),
        machine("no-start", sends(*month), commissioned=None, history={month[4]: "in_use"}),
        machine("new", sends(*month), commissioned=month[0]),
        machine("gone", sends(*month), history=before | {month[15]: "scrapped"}),
        machine("withdrawn", sends(*month), history={date(2020, 1, 1): "withdrawn"}),
        machine("sensor", sends(*month, source="sensor")),
        machine("synthetic", sends(*month, synthetic=True)),
        machine("aux", sends(*month), kind="aux"),
        machine("dead", []),
        machine("both", [*sends(*month[:16]), *sends(*month, source="sensor")], digital=True),
        machine("key", sends(*month), key=True, answers=True),
    ]


@pytest.mark.parametrize("today", [date(2026, 10, 30), date(2026, 11, 3)])
def test_untidy_forms_are_counted_alike(
    tmp_path: Path, duck: Store, clickhouse: Store, today: date
) -> None:
    """On 30 October nothing has come yet; the second enterprise has none of what is asked for."""
    month = days_between(FIRST, min(today - timedelta(days=1), LAST))
    stays = dict.fromkeys(USCCS[:3], (date(2020, 1, 1), None)) | dict.fromkeys(USCCS[3:])
    verified = dict.fromkeys(USCCS, date(2026, 1, 1)) | {USCCS[2]: None}
    other = [replace(machine(name, sends(*month)), uscc=USCCS[2]) for name in ("a", "b")]
    town = Town(stays, verified, [*untidy(month), *other], FIRST)
    city = sqlite_city(tmp_path)
    city.run_now(write, town, Random(1))
    asked = inquiries(town, today, [DEFINITIONS[name] for name in COUNTS], demonstration=False)
    for inquiry, found in zip(asked, is_one(city, asked, duck, clickhouse), strict=True):
        how = Asked(FIRST, inquiry.period.as_of, today, False)
        plain = expected(town, inquiry.definition.id, how)
        assert {uscc: tuple(one) for uscc, one in found.items()} == plain, inquiry.definition.id
    city.close()


@pytest.mark.parametrize("seed", range(2))
def test_engines_agree_with_a_plain_count(
    tmp_path: Path, duck: Store, clickhouse: Store, seed: int
) -> None:
    random = Random(1_000 + seed)
    town = random_town(random)
    city = sqlite_city(tmp_path)
    city.run_now(write, town, random)
    records = [DEFINITIONS[name] for name in (*COUNTS, "COV")]
    day, demonstration = random.choice(DAYS), random.random() < 0.3
    asked = inquiries(town, day, records, demonstration=demonstration)
    for inquiry, found in zip(asked, is_one(city, asked, duck, clickhouse), strict=True):
        if inquiry.definition.id not in COUNTS:
            continue
        how = Asked(FIRST, inquiry.period.as_of, max(day, town.began), demonstration)
        plain = expected(town, inquiry.definition.id, how)
        assert {uscc: tuple(one) for uscc, one in found.items()} == plain, inquiry.definition.id
    city.close()


@pytest.mark.parametrize("seed", range(2))
def test_engines_agree_on_any_record(
    tmp_path: Path, duck: Store, clickhouse: Store, seed: int
) -> None:
    """With weeks of enterprises, windows over three months, and levels of every kind."""
    random = Random(2_000 + seed)
    town = random_town(random)
    city = sqlite_city(tmp_path)
    city.run_now(write, town, random)
    city.run_now(plan_weeks, tmp_path, town, random)
    records = [random_record(random, number) for number in range(16)]
    day, demonstration = random.choice(DAYS), random.random() < 0.3
    asked = inquiries(town, day, records, demonstration=demonstration)
    assert is_one(city, asked, duck, clickhouse)
    city.close()


@pytest.mark.parametrize("first", ["in_use", "scrapped"])
def test_a_unit_counts_once_on_every_engine(
    tmp_path: Path, duck: Store, clickhouse: Store, first: str
) -> None:
    city = sqlite_city(tmp_path)
    city.run_now(plant, m1=first)
    asked = [
        Inquiry(
            builtin_definitions()["ENR-A"],
            period_of(None, NOW_MS, None),
            NOW_MS,
            demonstration=False,
        )
    ]
    (found,) = is_one(city, asked, duck, clickhouse)
    assert found[USCCS[0]] == ([3, 4] if first == "in_use" else [3, 3])
    city.close()


def test_an_empty_city_has_nothing_to_count(tmp_path: Path, duck: Store, clickhouse: Store) -> None:
    city = sqlite_city(tmp_path)
    asked = [
        Inquiry(one, Period("2026-10", FIRST, LAST), day_start_ms(DAYS[-1]), demonstration=False)
        for one in builtin_definitions().values()
        if one.measure != "answering"
    ]
    assert is_one(city, asked, duck, clickhouse) == [{} for _ in asked]
    city.close()
