"""Large and untidy files: how far their reading is, what it needs, and what comes out of them."""

import tracemalloc
from datetime import date
from pathlib import Path

import pytest

from gateway.city.ledger.importer import import_files, read_tables
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from gateway.web.catalog.sentences import said
from tests.tables.workbooks import rows, workbook

NOW = day_start_ms(date(2026, 11, 20))
USCC = "91330822MA0000015W"
ENTERPRISE = f"uscc,name,county,industry,above_scale\n{USCC},甲,330822,3451,是\n"
HEADER = ("uscc", "asset_no", "name", "equipment_class", "status")
LARGE = 3_000
MOST_BYTES_A_MACHINE = 4_096
"""Of a row of 100 characters; 100,000 of them are 400 MiB at most."""


def machine(number: int) -> tuple[str, ...]:
    return (USCC, f"A-{number}", f"{number}#注塑机", "生产设备", "在用")


def line(*cells: str) -> str:
    return "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells)


def file_of(folder: Path, kind: str, count: int) -> Path:
    """A ledger of some machines, as CSV or as XLSX."""
    table = [HEADER, *map(machine, range(count))]
    if kind == "csv":
        file = folder / f"{count}.csv"
        file.write_text("".join(",".join(one) + "\n" for one in table), encoding="utf-8")
    else:
        file = folder / f"{count}.xlsx"
        file.write_bytes(workbook(rows(*(line(*one) for one in table))))
    return file


def assets(file: Path) -> list[object]:
    tables = read_tables([file], NOW)
    assert tables.problems == []
    return [one.values["asset_no"] for one in tables.equipment]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_how_far_a_file_is_read_is_told_while_it_is(kind: str, tmp_path: Path) -> None:
    told = list[tuple[str, int, int]]()
    file = file_of(tmp_path, kind, LARGE)
    tables = read_tables([file], NOW, tell=lambda *step: told.append(step))
    assert len(tables.equipment) == LARGE
    shares = [done for step, done, _ in told if step == "read"]
    assert shares == sorted(shares)
    assert len(shares) <= 102
    assert any(30 < one < 70 for one in shares), "in the middle, too"
    assert shares[-1] >= 95


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_memory_grows_with_the_rows_and_not_faster(kind: str, tmp_path: Path) -> None:
    peaks = []
    for count in (LARGE // 2, LARGE):
        file = file_of(tmp_path, kind, count)
        tracemalloc.start()
        read_tables([file], NOW)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / (LARGE // 2) < MOST_BYTES_A_MACHINE


def test_rows_that_only_have_a_format_are_none(tmp_path: Path) -> None:
    """Who formats a whole column leaves rows and cells of nothing down to the end of the sheet."""
    filled = "".join(f'<row r="{2 + at}">{line(*machine(at))}</row>' for at in range(10))
    head = f'<row r="1">{line(*HEADER)}</row>'
    empty = "".join(f'<row r="{at}" s="1"><c r="A{at}" s="1"/></row>' for at in range(12, 20_000))
    last = '<row r="1048576" s="1"><c r="B1048576" s="1"/></row>'
    (tmp_path / "m.xlsx").write_bytes(
        workbook(f"<sheetData>{head}{filled}{empty}{last}</sheetData>", formats=("0",))
    )
    assert len(assets(tmp_path / "m.xlsx")) == 10


def test_a_row_behind_the_last_that_a_spreadsheet_has_is_refused(tmp_path: Path) -> None:
    body = f'<row r="1">{line(*HEADER)}</row><row r="1048577">{line(*machine(1))}</row>'
    (tmp_path / "m.xlsx").write_bytes(workbook(f"<sheetData>{body}</sheetData>"))
    problems = read_tables([tmp_path / "m.xlsx"], NOW).problems
    assert [str(one) for one in problems] == ["m.xlsx: has more than 1048576 rows"]


def test_a_header_over_two_rows(tmp_path: Path) -> None:
    """Titles are merged downwards beside those that stand below a common one."""
    above = line("企业", "资产编号", "设备", "", "")
    below = line("", "", "设备名称", "设备类别", "状态")
    merged = "".join(f'<mergeCell ref="{one}"/>' for one in ("A2:A3", "B2:B3", "C2:E2"))
    table = (line("设备台账"), above.replace("企业", "统一社会信用代码"), below, line(*machine(1)))
    book = workbook(f"{rows(*table)}<mergeCells>{merged}</mergeCells>")
    (tmp_path / "m.xlsx").write_bytes(book)
    assert assets(tmp_path / "m.xlsx") == ["A-1"]


def test_columns_in_another_order_and_gb18030(tmp_path: Path) -> None:
    text = f"状态,设备名称,统一社会信用代码,设备类别,资产编号\n在用,注塑机,{USCC},生产设备,一号\n"
    (tmp_path / "m.csv").write_bytes(text.encode("gb18030"))
    assert assets(tmp_path / "m.csv") == ["一号"]


def test_a_file_that_breaks_off_says_so_in_both_languages(tmp_path: Path) -> None:
    file = file_of(tmp_path, "xlsx", 100)
    file.write_bytes(file.read_bytes()[:-200])
    (problem,) = read_tables([file], NOW).problems
    why = "cannot be read as XLSX (it is no archive, or a damaged one)"
    assert problem.message == f"{why}; open it in Excel or WPS and save it as .xlsx"
    assert said(problem.message, "zh").startswith("无法按 XLSX 读取（不是压缩包，或压缩包已损坏）")


def test_the_same_file_again_writes_nothing(database: Database, tmp_path: Path) -> None:
    file = file_of(tmp_path, "csv", 150)  # more than go at once
    (tmp_path / "e.csv").write_text(ENTERPRISE, encoding="utf-8")
    database.run_now(import_files, [tmp_path / "e.csv", file], NOW)
    report = database.run_now(import_files, [file], NOW)
    assert (report.changes, report.equipment.unchanged) == (0, 150)
