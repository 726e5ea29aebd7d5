"""Shift schedules: a plant is judged by its own week, and a late schedule is told."""

import json
import random
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from openpyxl import load_workbook
from sqlalchemy import Connection
from typer.testing import CliRunner

from gateway.city.db.operation import begin
from gateway.city.ledger.importer import import_ledger
from gateway.city.ledger.machines import find
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.papers.entering import Ending, end, enter_files
from gateway.city.ledger.papers.sort import PaperError
from gateway.city.ledger.papers.standing import Standing
from gateway.city.ledger.schedules.held import day_of_rest, held_schedules
from gateway.city.ledger.schedules.sort import SCHEDULES
from gateway.city.ledger.schedules.table import Schedule, by_precedence
from gateway.city.ledger.schedules.week import is_worked, shown, weeks
from gateway.city.ledger.sheet.problems import LedgerError
from gateway.city.rates.columns.schedules import ScheduledDays
from gateway.city.rates.days.calendar import Calendar
from gateway.city.rates.days.calendar_file import builtin_calendar
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.frozen.freezing import freeze_month
from gateway.city.rates.frozen.reproducing import reproduce
from gateway.city.rates.proving.days import Mark
from gateway.city.rates.proving.proof import proof_of
from gateway.city.rates.reasons import Reason
from gateway.city.rates.reports.drilldown import MachineVerdict, machine_facts
from gateway.cli.main import build
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city import city_file
from tests.support.city_db import USCCS, add_days, add_enterprise, days_between, sqlite_city

OCTOBER = days_between(date(2026, 10, 1), date(2026, 10, 31))
IN_TIME, LATE, NOW = (
    day_start_ms(day) for day in (date(2026, 9, 20), date(2026, 11, 2), date(2026, 11, 21))
)
CALENDAR = builtin_calendar()
HEAD = (
    "统一社会信用代码,厂区编号,排班起始日期,排班终止日期,工作日,"
    "法定节假日,排班原因,依据文件,填报人\n"
)
U = USCCS[0]


@pytest.fixture
def city(database: Database, tmp_path: Path) -> Database:
    """A plant that rests on Wednesdays and works through holidays; B is on another site."""
    files = [tmp_path / "e.csv", tmp_path / "m.csv"]
    files[0].write_text(
        "uscc,name,county,industry,above_scale,ledger_verified_by,ledger_verified_on,roster,"
        f"roster_from\n{U},甲,330822,3451,是,张三,2026-01-01,KEY,2026-01-01\n",
        encoding="utf-8",
    )
    files[1].write_text(
        "uscc,site_no,asset_no,name,equipment_class,status,status_since,commissioned_on\n"
        + "".join(
            f"{U},{site},{number},磨床,production,在用,2026-01-01,2026-01-01\n"
            for site, number in (("1", "A"), ("2", "B"))
        ),
        encoding="utf-8",
    )
    import_ledger(database, files, day_start_ms(date(2026, 9, 1)))

    def sends(connection: Connection) -> None:
        begin(connection, date(2026, 9, 1))
        names = [MachineName(U, site, number) for site, number in (("1", "A"), ("2", "B"))]
        for machine in find(connection, names, OCTOBER[0]).values():
            add_days(connection, machine, [day for day in OCTOBER if day.weekday() != 2])

    database.run_now(sends)
    return database


def entered(
    database: Database, folder: Path, rows: str, now_ms: int = IN_TIME
) -> tuple[int, int, int]:
    file = folder / "schedules.csv"
    file.write_text(HEAD + rows, encoding="utf-8")
    made = database.run_now(enter_files, SCHEDULES, [file], now_ms, made_by="李四")
    return made.added, made.unchanged, made.late


def facts(database: Database) -> dict[str, MachineVerdict]:
    found = database.read_now(machine_facts, "ENR-A", "2026-10", NOW, demonstration=False)
    return {one.asset_no: one for one in found}


def row(site: str = "", week: str = "一二四五六日", holidays: str = "照常") -> str:
    return f"{U},{site},2026-01-01,,{week},{holidays},错峰用电,厂规 5 号,王五\n"


def test_a_plant_is_judged_by_its_own_week(city: Database, tmp_path: Path) -> None:
    assert {one.valid_days for one in facts(city).values()} == {15}  # of 18 official days
    assert entered(city, tmp_path, row("1")) == (1, 0, 1)
    found = facts(city)
    assert (found["A"].valid_days, found["A"].service_days, found["A"].rest_days) == (27, 27, 4)
    assert (found["A"].reason, found["A"].rest_late) == (Reason.NETWORKED, 0)
    assert (found["B"].valid_days, found["B"].service_days, found["B"].rest_days) == (15, 18, 13)


@pytest.mark.parametrize("before", [False, True])
def test_what_was_said_afterwards_is_told(city: Database, tmp_path: Path, before: bool) -> None:
    """Days that are otherwise than was known then; not if the same was said in time, too."""
    if before:
        entered(city, tmp_path, row("1").replace("厂规 5", "厂规 6"), IN_TIME)
    entered(city, tmp_path, row("1"), LATE)
    found = facts(city)["A"]
    others = [day for day in OCTOBER if CALENDAR.is_rest(day) != (day.weekday() == 2)]
    assert (found.rest_late, found.service_days) == (0 if before else len(others), 27)


def test_a_site_stands_before_the_enterprise_and_later_before_earlier(
    city: Database, tmp_path: Path
) -> None:
    entered(city, tmp_path, row("1") + row(week="1-5", holidays="放假"))
    assert {one.service_days for one in facts(city).values()} == {27, 18}
    entered(city, tmp_path, row(week="1-7"))
    assert [facts(city)[one].service_days for one in "AB"] == [27, 31]
    last = city.read_now(held_schedules)[-1].number
    city.run_now(end, SCHEDULES, Ending(last, "误填"), NOW)
    assert facts(city)["B"].service_days == 18
    with pytest.raises(PaperError, match="does not stand"):
        city.run_now(end, SCHEDULES, Ending(last, "误填"), NOW)


def test_a_frozen_month_keeps_the_schedules_that_were_known(city: Database, tmp_path: Path) -> None:
    entered(city, tmp_path, row("1"))
    freeze_month(city, "ENR-A", "2026-10", NOW, demonstration=False)
    entered(city, tmp_path, row("1", week="1-3"), NOW)
    assert not facts(city)["A"].reason.networked
    again = city.read_now(reproduce, "ENR-A", "2026-10", 1, demonstration=False)
    assert again.differences == ()


def test_a_plant_whose_days_have_not_come_yet_is_on_neither_side(
    city: Database, tmp_path: Path
) -> None:
    entered(city, tmp_path, row("1", week="6"))
    now = day_start_ms(date(2026, 9, 4))  # September began on a Tuesday
    found = city.read_now(machine_facts, "ENR-A", "2026-09", now, demonstration=False)
    assert next(one.reason for one in found) is Reason.NO_DAY_COUNTS
    assert not Reason.NO_DAY_COUNTS.counted


def test_the_proof_names_the_schedule(city: Database, tmp_path: Path) -> None:
    entered(city, tmp_path, row("1"), LATE)
    known = builtin_definitions()
    proof = city.read_now(
        proof_of, f"{U}/1/A", "2026-10", NOW,
        demonstration=False, headline=known["ENR-A"], definitions=known,
    )  # fmt: skip
    wednesday = proof.days[13]
    assert proof.marks["ENR-A"][wednesday.day] is Mark.REST
    assert wednesday.schedule.by is not None
    assert (wednesday.schedule.by.what.document, wednesday.schedule.late) == ("厂规 5 号", True)
    assert proof.verdicts["ENR-A"].service_days == sum(
        mark is Mark.VALID for mark in proof.marks["ENR-A"].values()
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("一至六", "1111110"),
        ("周一、周二、周四、周五、周六、周日", "1101111"),
        ("1-5/1-6", "1111100/1111110"),
        ("124567", "1101111"),
        ("星期六到星期二", "1100011"),
        ("１－７", "1111111"),
        ("日一二三四", "1111001"),
    ],
)
def test_a_week_is_read_as_people_write_it(written: str, meant: str) -> None:
    assert weeks(written, OCTOBER[0]) == meant


def test_weeks_take_turns_from_the_first_one_on() -> None:
    begun = date(2026, 9, 16)  # a Wednesday
    saturdays = [date(2026, 9, 19) + timedelta(days=7 * one) for one in range(4)]
    assert [is_worked("1111100/1111110", begun, day) for day in saturdays] == [0, 1, 0, 1]
    assert shown("1111100/1111110") == "一二三四五 / 一二三四五六"


def test_every_mistake_is_named_and_nothing_is_imported(city: Database, tmp_path: Path) -> None:
    bad = [
        row(week="一至八"),
        row(week="双休"),
        row(holidays="看情况"),
        row().replace("2026-01-01,,", "2026-01-02,2026-01-01,"),
        row().replace("厂规 5 号", ""),
    ]
    with pytest.raises(LedgerError) as said:
        entered(city, tmp_path, row() + "".join(bad))
    assert sorted({one.row for one in said.value.problems}) == [3, 4, 5, 6, 7]
    with pytest.raises(LedgerError, match=r"row 2.*no machine on such a site"):
        entered(city, tmp_path, row("9"))
    with pytest.raises(LedgerError, match="no such enterprise"):
        entered(city, tmp_path, row().replace(U, USCCS[1]))
    assert city.read_now(held_schedules) == []
    assert entered(city, tmp_path, row() + row()) == (1, 1, 1)
    assert entered(city, tmp_path, row()) == (0, 1, 0)


def test_the_workbook_is_filled_and_imported(city: Database, tmp_path: Path) -> None:
    file = tmp_path / "schedules.xlsx"
    done = CliRunner().invoke(build(["ledger"]), ["ledger", "schedules", "template", str(file)])
    assert done.exit_code == 0, done.output
    book = load_workbook(file)
    book["排班日历"].append([U, None, "2026-01-01", None, "1-6", "放假", "做六休一", "厂规", "王"])
    book.save(file)
    assert city.run_now(enter_files, SCHEDULES, [file], IN_TIME).added == 1
    (one,) = city.read_now(held_schedules)
    assert (one.what.weeks, one.what.on_holidays) == ("1111110", "rest")


def test_holidays_are_told_from_weekends_in_a_kept_month_too() -> None:
    """The Dragon Boat holiday of 2025 began on Saturday 31 May; May alone does not show it."""
    holiday, may = date(2025, 5, 31), (date(2025, 5, 1), date(2025, 5, 31))
    assert CALENDAR.is_holiday(holiday)
    assert not CALENDAR.is_holiday(date(2025, 5, 24))
    kept = Calendar.of_text(CALENDAR.text(*may), {2025})
    for day in days_between(*may):
        assert kept.is_holiday(day) == CALENDAR.is_holiday(day)
        assert kept.is_rest(day) == CALENDAR.is_rest(day)
    six = Schedule(U, "", date(2025, 1, 1), None, "1111110", "rest", "", "", "")
    assert six.rests(holiday, kept)
    assert not six.rests(date(2025, 5, 24), kept)
    assert not six.rests(date(2025, 4, 27), CALENDAR)  # a Sunday that is worked in exchange


def test_along_all_machines_it_is_as_for_each() -> None:
    """Two months of random schedules, against the rule for a single machine."""
    chance = random.Random(7)
    for _ in range(10):
        held, places = [], []
        said = [
            (
                number,
                Schedule(
                    "U", chance.choice(["", "1"]), date(2026, 1, chance.randrange(1, 28)),
                    chance.choice([None, date(2026, 2, 20)]),
                    chance.choice(["1111110", "1101111", "1111100/1111110"]),
                    chance.choice(["rest", "work"]), "", "", "",
                ),
            )
            for number in range(5)
        ]  # fmt: skip
        order = by_precedence(said)
        for number, one in order:
            entered_ms = day_start_ms(date(2026, 1, 1) + timedelta(days=chance.randrange(60)))
            held.append(Standing(number, one, entered_ms, ""))
            places.append(np.array([1] if one.site_no else [1, 2]))
        for first in (date(2026, 1, 1), date(2026, 2, 1)):
            found = ScheduledDays(held, places).month(first, 3, CALENDAR)
            assert found is not None
            for machine, day in product(range(3), days_between(first, first.replace(day=28))):
                own = [one for one, of in zip(held, places, strict=True) if machine in of]
                wanted, bit = day_of_rest(own, day, CALENDAR), 1 << (day.day - 1)
                assert bool(found.days[machine] & bit) == wanted.rest
                assert bool(found.late[machine] & bit) == wanted.late
                by_it = wanted.rest and not CALENDAR.is_rest(day)
                assert bool(found.own[machine] & bit) == by_it


def test_the_commands_import_list_and_withdraw(tmp_path: Path) -> None:
    made = sqlite_city(tmp_path)
    made.run_now(add_enterprise, U)
    made.close()
    city_file(tmp_path, "127.0.0.1:1")
    file = tmp_path / "weeks.csv"
    file.write_text(HEAD + row(), encoding="utf-8")

    def said(*words: str) -> str:
        wanted = ["ledger", "schedules", *words, "-c", str(tmp_path / "city.yaml")]
        done = CliRunner(env={"COLUMNS": "200"}).invoke(build(["ledger"]), wanted)
        assert done.exit_code == 0, done.output
        return done.output

    assert "schedules: 1 added, 0 unchanged\n事后补录 1:" in said("import", str(file))
    (told,) = json.loads(said("list", "--json", "--enterprise", U.lower()))
    assert (told["work_days"], told["on_holidays_name"], told["late"]) == (
        "一二四五六日",
        "照常",
        True,
    )
    assert "厂规 5 号" in said("list")
    assert said("withdraw", "1", "--reason", "误填") == "schedule 1 is withdrawn\n"
    assert json.loads(said("list", "--json")) == []
