"""The same month by other rules of continuity, from one reading."""

from datetime import date
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Connection

from gateway.city.db.operation import begin
from gateway.city.ledger.machines import find
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.papers.entering import enter_files
from gateway.city.ledger.schedules.sort import SCHEDULES
from gateway.city.ledger.stops.sort import STOPS
from gateway.city.rates import tallies
from gateway.city.rates.comparing.sensitivity import Variant, sensitivity
from gateway.city.rates.frozen.freezing import freeze_month
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

OCTOBER = days_between(date(2026, 10, 1), date(2026, 10, 31))
NOW_MS = day_start_ms(date(2026, 11, 21))
HOLIDAYS, WORKED = days_between(date(2026, 10, 1), date(2026, 10, 7)), date(2026, 10, 10)
SCHEDULE_HEAD = (
    "统一社会信用代码,厂区编号,排班起始日期,排班终止日期,工作日,法定节假日,排班原因,依据文件,填报人"
)
STOP_HEAD = "uscc,site_no,workshop,line,asset_no,stop_from,stop_to,stop_reason,document,said_by"


def fill(connection: Connection) -> None:
    """One machine sends daily, one on working days, one once, one never."""
    begin(connection, OCTOBER[0])
    add_enterprise(connection, USCCS[0], ledger_verified_on=date(2020, 1, 1))
    holidays = {date(2026, 10, day) for day in range(1, 8)}
    working = [day for day in OCTOBER if day not in holidays and day.weekday() < 5]
    days = (OCTOBER, [*working, date(2026, 10, 10)], OCTOBER[:1], [])
    for number, sent in enumerate(days):
        add_days(connection, add_machine(connection, USCCS[0], f"A{number}"), sent)


def rules(database: Database, definition: str = "ENR-A") -> tuple[Variant, ...]:
    return database.read_now(sensitivity, definition, "2026-10", NOW_MS, demonstration=False)


@pytest.fixture
def city(tmp_path: Path) -> Database:
    database = sqlite_city(tmp_path)
    database.run_now(fill)
    return database


def counted(found: tuple[Variant, ...]) -> dict[str, tuple[int, int] | None]:
    return {
        one.rule: one.month and (one.month.city.networked, one.month.city.equipment)
        for one in found
    }


def test_each_rule_counts_as_it_says(city: Database) -> None:
    found = rules(city)
    assert counted(found) == {"any": (3, 4), "days": (1, 4), "scheduled": (2, 4), "hours": None}
    assert [one.rule for one in found if one.is_own] == ["scheduled"]


def by_hand(sent: set[date], due: list[date]) -> bool:
    """Four fifths of the days that are due, and no silent week at the end; in plain Python."""
    came = [day for day in due if day in sent]
    silent = [day for day in due if not came or day > came[-1]]
    return 5 * len(came) >= 4 * len(due) and len(silent) <= 7 and bool(came)


def test_working_days_are_those_of_the_plant_without_its_stops(tmp_path: Path) -> None:
    """Shift schedules, holidays and planned stops, machine by machine, against a count by hand."""
    database, random = sqlite_city(tmp_path), Random(3)
    plants = {
        USCCS[0]: ("一二三五六日", "照常", lambda day: day.weekday() == 3),
        USCCS[1]: ("1-6/1-5", "照常", lambda day: day.weekday() == 6 or in_second_week(day)),
        USCCS[2]: ("", "", lambda day: day in HOLIDAYS or (day.weekday() > 4 and day != WORKED)),
    }
    stop = days_between(date(2026, 10, 12), date(2026, 10, 23))
    sends = {}

    def fill(connection: Connection) -> None:
        begin(connection, OCTOBER[0])
        for uscc in plants:
            add_enterprise(connection, uscc, ledger_verified_on=date(2020, 1, 1))
            for number in range(8):
                left_out = random.sample(OCTOBER, random.randrange(14))
                sent = {day for day in OCTOBER if day not in left_out}
                sends[uscc, f"A{number}"] = sent
                add_days(connection, add_machine(connection, uscc, f"A{number}"), sorted(sent))

    database.run_now(fill)
    schedules, stops = tmp_path / "schedules.csv", tmp_path / "stops.csv"
    said = [
        f"{uscc},,2026-09-28,,{week},{how},排班,5 号,王五"
        for uscc, (week, how, _) in plants.items()
        if week
    ]
    schedules.write_text("\n".join([SCHEDULE_HEAD, *said]) + "\n", encoding="utf-8")
    stops.write_text(
        f"{STOP_HEAD}\n{USCCS[0]},,,,A1,{stop[0]},{stop[-1]},检修,6 号,王五\n", encoding="utf-8"
    )
    entered_ms = day_start_ms(date(2026, 9, 20))
    database.run_now(enter_files, SCHEDULES, [schedules], entered_ms)
    database.run_now(enter_files, STOPS, [stops], entered_ms)

    def due(uscc: str, asset_no: str) -> list[date]:
        rests = plants[uscc][2]
        stands = stop if (uscc, asset_no) == (USCCS[0], "A1") else ()
        return [day for day in OCTOBER if not rests(day) and day not in stands]

    found = counted(rules(database))
    by_rule = {
        "any": sum(bool(sent) for sent in sends.values()),
        "days": sum(by_hand(sent, OCTOBER) for sent in sends.values()),
        "scheduled": sum(by_hand(sent, due(*of)) for of, sent in sends.items()),
    }
    assert found == {rule: (count, len(sends)) for rule, count in by_rule.items()} | {"hours": None}
    assert len(set(by_rule.values())) == 3, "each rule counts otherwise"


def in_second_week(day: date) -> bool:
    """Of weeks that take turns from 28 September on: whether its Saturday is free, too."""
    return (day - date(2026, 9, 28)).days // 7 % 2 == 1 and day.weekday() == 5


def test_ledger_and_evidence_are_read_once(city: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    machine_months = tallies.machine_months
    monkeypatch.setattr(
        tallies, "machine_months", lambda *args: read.append(1) or machine_months(*args)
    )
    rules(city)
    assert read == [1]


def test_a_rule_of_its_own_is_the_definitions_own_record(city: Database) -> None:
    assert [one.rule for one in rules(city, "ENR-B") if one.is_own] == ["any"]
    assert rules(city, "DIG-A") == ()


def test_a_final_month_is_compared_by_the_ledger_of_then(tmp_path: Path) -> None:
    database = sqlite_city(tmp_path)
    told(database, tmp_path, date(2026, 9, 30), firm(USCCS[0]), machine(USCCS[0], 0))
    database.run_now(begin, OCTOBER[0])
    number = database.read_now(find, [MachineName(USCCS[0], "1", "A0")], OCTOBER[0])
    database.run_now(lambda c: add_days(c, *number.values(), OCTOBER[:3]))
    assert freeze_month(database, "ENR-A", "2026-10", NOW_MS, demonstration=False)
    told(database, tmp_path, date(2026, 11, 22), "", machine(USCCS[0], 1))
    found = counted(rules(database))
    assert (found["any"], found["days"]) == ((1, 1), (0, 1))
