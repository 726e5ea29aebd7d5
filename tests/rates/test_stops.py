"""Planned stops: entered by acts, on neither side, told where they were entered late."""

from datetime import date
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import Connection, func, select
from typer.testing import CliRunner

from gateway.city.db.operation import begin
from gateway.city.db.schema.stops import planned_stop, planned_stop_machine
from gateway.city.ledger.changes import latest_change
from gateway.city.ledger.importer import import_ledger
from gateway.city.ledger.machines import find
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.papers import entering
from gateway.city.ledger.papers.entering import Ending, end, enter_files
from gateway.city.ledger.papers.sort import PaperError
from gateway.city.ledger.sheet.problems import LedgerError
from gateway.city.ledger.stops.held import standing
from gateway.city.ledger.stops.sort import STOPS
from gateway.city.rates.frozen.freezing import freeze_month
from gateway.city.rates.frozen.reproducing import reproduce
from gateway.city.rates.reasons import Reason
from gateway.city.rates.reports.drilldown import MachineVerdict, machine_facts
from gateway.cli.main import build
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city_db import USCCS, add_days, days_between

OCTOBER = days_between(date(2026, 10, 1), date(2026, 10, 31))
HOLIDAY = days_between(date(2026, 10, 1), date(2026, 10, 7))
WORKING = [
    day
    for day in OCTOBER
    if day not in HOLIDAY and (day.weekday() < 5 or day == date(2026, 10, 10))
]
"""18 days."""
IN_TIME, LATE, NOW = (
    day_start_ms(day) for day in (date(2026, 9, 20), date(2026, 11, 2), date(2026, 11, 21))
)
HEAD = (
    "统一社会信用代码,厂区编号,车间,产线,资产编号,停机起始日期,停机终止日期,"
    "停机原因,依据文件,填报人\n"
)
U = USCCS[0]


@pytest.fixture
def city(database: Database, tmp_path: Path) -> Database:
    """A in the shop 一, B in 二; both send on working days but on 12 to 16 October."""
    files = [tmp_path / "e.csv", tmp_path / "m.csv"]
    files[0].write_text(
        "uscc,name,county,industry,above_scale,ledger_verified_by,ledger_verified_on,roster,"
        f"roster_from\n{U},甲,330822,3451,是,张三,2026-01-01,KEY,2026-01-01\n",
        encoding="utf-8",
    )
    files[1].write_text(
        "uscc,asset_no,name,workshop,equipment_class,status,status_since,commissioned_on\n"
        + "".join(
            f"{U},{number},磨床,{shop},production,在用,2026-01-01,2026-01-01\n"
            for number, shop in (("A", "一"), ("B", "二"))
        ),
        encoding="utf-8",
    )
    import_ledger(database, files, day_start_ms(date(2026, 9, 1)))

    def sends(connection: Connection) -> None:
        begin(connection, date(2026, 9, 1))
        names = [MachineName(U, "1", number) for number in "AB"]
        days = [day for day in WORKING if not 12 <= day.day <= 16]
        for machine in find(connection, names, OCTOBER[0]).values():
            add_days(connection, machine, days)

    database.run_now(sends)
    return database


def entered(
    database: Database, folder: Path, rows: str, now_ms: int = IN_TIME
) -> tuple[int, int, int]:
    file = folder / "stops.csv"
    file.write_text(HEAD + rows, encoding="utf-8")
    made = database.run_now(enter_files, STOPS, [file], now_ms, made_by="李四")
    return made.added, made.unchanged, made.late


def facts(database: Database) -> dict[str, MachineVerdict]:
    found = database.read_now(machine_facts, "ENR-A", "2026-10", NOW, demonstration=False)
    return {one.asset_no: one for one in found}


def row(where: str = ",,,", first: str = "2026-10-12", last: str = "2026-10-16") -> str:
    return f"{U},{where},{first},{last},检修,检修计划 3 号,王五\n"


def test_days_of_a_stop_are_on_neither_side(city: Database, tmp_path: Path) -> None:
    assert {one.reason for one in facts(city).values()} == {Reason.TOO_FEW_DAYS}  # 13 of 18
    assert entered(city, tmp_path, row(",一,,")) == (1, 0, 0)
    found = facts(city)
    assert found["A"].reason is Reason.NETWORKED
    assert (found["A"].service_days, found["A"].stopped_days, found["A"].stopped_late) == (13, 5, 0)
    assert (found["B"].reason, found["B"].stopped_days) == (Reason.TOO_FEW_DAYS, 0)


def test_what_was_entered_afterwards_is_told(city: Database, tmp_path: Path) -> None:
    entered(city, tmp_path, row(first="2026-10-14", last="2026-10-14"), IN_TIME)
    assert entered(city, tmp_path, row(",,,B"), LATE)[2] == 1
    found = facts(city)
    assert found["B"].reason is Reason.NETWORKED
    # of the 14th two stops say so, one of them in time
    assert (found["B"].stopped_days, found["B"].stopped_late) == (5, 4)
    assert (found["A"].stopped_days, found["A"].stopped_late) == (1, 0)


@pytest.mark.parametrize("last", ["2026-10-31", ""])
def test_who_stands_still_all_month_is_on_neither_side(
    city: Database, tmp_path: Path, last: str
) -> None:
    entered(city, tmp_path, row(",,,A", "2026-09-25", last))
    found = facts(city)["A"]
    assert (found.reason, found.reason.counted, found.service_days) == (
        Reason.PLANNED_STOP,
        False,
        0,
    )


def test_an_import_is_all_or_nothing_and_names_every_mistake(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = [
        row(first="2026-10-16", last="2026-10-12"),
        row(last="2029-10-12"),
        row().replace("检修,检", "坏了,检"),
        row().replace("检修计划 3 号", ""),
        row().replace(U, U[:-1] + "0"),
    ]
    with pytest.raises(LedgerError) as said:
        entered(city, tmp_path, row() + "".join(bad))
    assert sorted({one.row for one in said.value.problems}) == [3, 4, 5, 6, 7]
    with pytest.raises(LedgerError, match=r"row 3.*no machine there"):
        entered(city, tmp_path, row() + row(",,,C"))

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(entering, "conclude", dies)
        with pytest.raises(KeyboardInterrupt):
            entered(city, tmp_path, row())
    counts = [
        city.run_now(lambda c, t=table: c.scalar(select(func.count()).select_from(t)))
        for table in (planned_stop, planned_stop_machine)
    ]
    assert counts == [0, 0]
    assert entered(city, tmp_path, row() + row()) == (1, 1, 0)
    assert entered(city, tmp_path, row()) == (0, 1, 0)


def test_a_month_is_reproduced_with_the_stops_that_were_known(
    city: Database, tmp_path: Path
) -> None:
    entered(city, tmp_path, row(",,,A"))
    freeze_month(city, "ENR-A", "2026-10", NOW, demonstration=False)
    known = city.read_now(latest_change)
    (first,) = city.read_now(standing)
    city.run_now(end, STOPS, Ending(first.number, "取消"), NOW, made_by="李四")
    entered(city, tmp_path, row(",,,B"), NOW)
    assert [one.what.asset_no for one in city.read_now(standing)] == ["B"]
    assert [one.what.asset_no for one in city.read_now(standing, known=known)] == ["A"]
    assert {name: one.reason.networked for name, one in facts(city).items()} == {
        "A": False,
        "B": True,
    }
    again = city.read_now(reproduce, "ENR-A", "2026-10", 1, demonstration=False)
    assert again.differences == ()
    with pytest.raises(PaperError, match="does not stand"):
        city.run_now(end, STOPS, Ending(first.number, "取消"), NOW)


@pytest.mark.parametrize("name", ["stops.xlsx", "stops.csv"])
def test_the_template_is_filled_and_imported(city: Database, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    command = build(["ledger"])
    done = CliRunner().invoke(command, ["ledger", "stops", "template", str(file)])
    assert done.exit_code == 0
    assert "检修 overhaul" in done.output
    cells = [U, None, "一", None, None, "2026-10-12", "2026-10-16", "检修", "检修计划 3 号", "王五"]
    if name.endswith("xlsx"):
        book = load_workbook(file)
        assert book.sheetnames == ["计划停机", "说明"]
        book["计划停机"].append(cells)
        book.save(file)
    else:
        with file.open("a", encoding="utf-8") as out:
            out.write(",".join(one or "" for one in cells) + "\n")
    assert city.run_now(enter_files, STOPS, [file], IN_TIME, made_by="李四").added == 1
    assert facts(city)["A"].stopped_days == 5
    done = CliRunner().invoke(command, ["ledger", "stops", "template", str(tmp_path / "stops.ods")])
    assert (done.exit_code, done.output.endswith(".xlsx or .csv\n")) == (1, True)
