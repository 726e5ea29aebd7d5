"""Declared values: imported whole or not at all, kept, and explained beside what was collected."""

from datetime import date
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import Connection

from gateway.city.db.operation import begin
from gateway.city.ledger.sheet.problems import LedgerError
from gateway.city.rates.declared.gaps import gap
from gateway.city.rates.declared.importing import Imported, import_declared, read_declared
from gateway.city.rates.declared.report import as_file, beside, reasons_of
from gateway.city.rates.declared.sheet import Declaration, count, month
from gateway.city.rates.declared.values import declared
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.period import MonthError
from gateway.city.rates.reasons import Reason
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city_db import USCCS, add_days, add_enterprise, add_machine, days_between

HEAD = "统一社会信用代码,月份,申报联网台数,申报设备台数,申报人,来源\n"
TODAY = date(2026, 11, 3)
NOW_MS = day_start_ms(TODAY)
RECORDS = builtin_definitions()


def brought(
    database: Database, folder: Path, rows: str, now_ms: int = NOW_MS, head: str = HEAD
) -> Imported:
    file = folder / "declared.csv"
    file.write_text(head + rows, encoding="utf-8")
    return database.run_now(import_declared, read_declared([file]), now_ms, "张三")


def fill(connection: Connection) -> None:
    """Six machines: networked, sensor only, silent, sealed, auxiliary, new."""
    begin(connection, date(2026, 10, 1))
    add_enterprise(connection, USCCS[0], ledger_verified_on=date(2020, 1, 1))
    add_enterprise(connection, USCCS[1])
    october = days_between(date(2026, 10, 1), date(2026, 10, 31))
    add_days(connection, add_machine(connection, USCCS[0], "A1"), october)
    add_days(connection, add_machine(connection, USCCS[0], "A2"), october, source="sensor")
    add_machine(connection, USCCS[0], "A3")
    add_machine(connection, USCCS[0], "A4", history=[(date(2020, 1, 1), "sealed")])
    add_machine(connection, USCCS[0], "A5", equipment_class="aux")
    add_machine(connection, USCCS[0], "A6", commissioned_on=date(2026, 10, 9))


def test_the_difference_is_explained_by_how_machines_count(
    database: Database, tmp_path: Path
) -> None:
    database.run_now(fill)
    assert brought(database, tmp_path, f"{USCCS[0]},2026年10月,5,8 台,李四,问卷\n") == (1, 1)
    (one,) = database.read_now(
        beside, "ENR-A", "2026-10", NOW_MS, demonstration=False, definitions=RECORDS
    )
    assert (one.gap.networked, one.gap.equipment, one.gap.unlisted) == (1, 3, 2)
    assert one.gap.lacking == {Reason.NO_EVIDENCE: 1, Reason.SENSOR_ONLY: 1}
    assert one.gap.excluded == {
        Reason.CLASS_EXCLUDED: 1,
        Reason.NEWLY_COMMISSIONED: 1,
        Reason.SEALED: 1,
    }
    (row,) = as_file([one], RECORDS["ENR-A"], "2026-10").rows
    assert (row["declared_percent"], row["collected_percent"]) == ("62.50", "33.33")
    assert row["points"] == "+29.17"
    assert "仅感知接入（N1） 1 台" in str(row["reasons_zh"])
    assert [name.zh for name in reasons_of(one.gap)][-1] == "不在台账 2 台"


def test_a_month_that_is_none_is_no_month_without_declarations(database: Database) -> None:
    for wrong in ("2026-1x", "2026-12"):
        with pytest.raises(MonthError):
            database.read_now(
                beside, "ENR-A", wrong, NOW_MS, demonstration=False, definitions=RECORDS
            )


def test_nothing_is_overwritten_and_what_was_known_stays(
    database: Database, tmp_path: Path
) -> None:
    database.run_now(fill)
    first = f"{USCCS[0]},2026-10,5,8,李四,问卷\n"
    assert brought(database, tmp_path, first) == (1, 1)
    assert brought(database, tmp_path, first, NOW_MS + 1) == (1, 0)
    other = f"{USCCS[1]},2026-10,0,0,王五,电话\n"
    second = f"{USCCS[0]},2026-10,4,8,李四,更正\n{other}"
    assert brought(database, tmp_path, second, NOW_MS + 2) == (2, 2)
    now = database.read_now(declared, "2026-10")
    assert [(one.value.networked, one.earlier) for one in now.values()] == [(4, 1), (0, 0)]
    then = database.read_now(declared, "2026-10", None, NOW_MS + 1)
    assert [one.value.networked for one in then.values()] == [5]


def test_every_mistake_is_told_at_once_and_nothing_is_written(
    database: Database, tmp_path: Path
) -> None:
    database.run_now(fill)
    rows = (
        f"{USCCS[0]},2026-10,9,8,李四,问卷\n"
        f"{USCCS[0]},202610,1,8,李四,问卷\n"
        f"{USCCS[2]},2026-12,1.5,,李四,问卷\n"
    )
    with pytest.raises(LedgerError) as caught:
        brought(database, tmp_path, rows)
    found = str(caught.value)
    for words in (
        "row 2, column 申报联网台数: 9 of 8 cannot be networked",
        "row 3, column 月份: 2026-10 of this enterprise is in row 2",
        "row 4, column 月份: 2026-12 has not begun",
        "row 4, column 申报联网台数: '1.5' is no number of machines",
        "row 4, column 申报设备台数: is empty",
        "is not in the ledger",
    ):
        assert words in found
    assert database.read_now(declared, "2026-10") == {}
    with pytest.raises(LedgerError, match="unknown column"):
        brought(database, tmp_path, f"{USCCS[0]},x\n", head="统一社会信用代码,联网率\n")


def test_a_workbook_with_a_title_above_is_read(database: Database, tmp_path: Path) -> None:
    database.run_now(fill)
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["中小企业数字化水平评测"])
    sheet.append(
        [
            "序号",
            "统一社会信用代码",
            "月份",
            "实现联网的生产设备数量",
            "生产设备数量",
            "申报人",
            "来源",
        ]
    )
    sheet.append([1, USCCS[0], "2026-10", 5, 8, "李四", "评测系统"])
    book.save(tmp_path / "form.xlsx")
    done = database.run_now(
        import_declared, read_declared([tmp_path / "form.xlsx"]), NOW_MS, "张三", dry_run=True
    )
    assert done == (1, 1)
    assert database.read_now(declared, "2026-10") == {}


@pytest.mark.parametrize(
    "text", ["2026-10", "2026/10", "2026年10月", "202610", "2026-10-31 00:00:00", "２０２６-10"]
)
def test_months_are_read_as_people_write_them(text: str) -> None:
    assert month(text, TODAY) == "2026-10"


@pytest.mark.parametrize("text", ["2026-13", "10月", "2026", "2026-12"])
def test_no_month_is_guessed(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        month(text, TODAY)


@pytest.mark.parametrize(
    ("text", "number"), [("120", 120), ("1,200台", 1200), ("8.0", 8), ("0", 0)]
)
def test_numbers_of_machines(text: str, number: int) -> None:
    assert count(text, TODAY) == number


def test_nothing_to_divide_has_no_rate() -> None:
    one = gap(Declaration(USCCS[0], "2026-10", 0, 0, "李四", "问卷"), [])
    assert (one.declared_rate, one.collected_rate, one.points) == (None, None, None)
