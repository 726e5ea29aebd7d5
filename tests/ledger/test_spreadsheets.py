"""What spreadsheets do to a ledger between the person who fills it and the import."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from gateway.city.ledger.importer import import_files
from gateway.city.ledger.importing.report import ImportReport
from gateway.city.ledger.listing import listed
from gateway.city.ledger.sheet.amounts import amount
from gateway.city.ledger.sheet.hidden import Hidden
from gateway.city.ledger.sheet.problems import LedgerError
from gateway.city.ledger.sheet.values import day
from gateway.relational.database import Database
from gateway.web.tables import Table, csv_text
from tests.ledger.test_import import ENTERPRISES, EQUIPMENT, NOW
from tests.tables.workbooks import rows, workbook

TODAY = date(2026, 11, 20)
USCC = "91330822MA0000015W"
HEADER = ["uscc", "asset_no", "name", "equipment_class", "status", "commissioned_on"]
Cells = list[Any]


def line(asset: object, name: object = "磨床", commissioned_on: object = "2020-01-01") -> Cells:
    return [USCC, asset, name, "生产设备", "在用", commissioned_on]


def book(*lines: Cells) -> Workbook:
    """A sheet ``m`` of machines and one of their enterprise."""
    made = Workbook()
    machines = made.worksheets[0]
    machines.title = "m"
    for cells in (HEADER, *lines):
        machines.append(cells)
    enterprises = made.create_sheet("e")
    enterprises.append(["uscc", "name", "county", "industry", "above_scale"])
    enterprises.append([USCC, "甲", "常山县", 3451, "是"])
    return made


def load(
    database: Database, folder: Path, made: Workbook, hidden: Hidden = Hidden.REFUSE
) -> ImportReport:
    made.save(folder / "book.xlsx")
    return database.run_now(import_files, [folder / "book.xlsx"], NOW, hidden=hidden)


def refused(database: Database, folder: Path, made: Workbook) -> list[str]:
    with pytest.raises(LedgerError) as caught:
        load(database, folder, made)
    assert database.run_now(listed, NOW) == []
    return str(caught.value).splitlines()


def assets(database: Database) -> list[str]:
    return [one["asset_no"] for one in database.run_now(listed, NOW)]


def test_a_formula_whose_result_is_empty_text_is_an_empty_cell(
    database: Database, tmp_path: Path
) -> None:
    text = '<c t="inlineStr"><is><t>{}</t></is></c>'.format
    made = [text(cell) for cell in (USCC, "A1", "磨床", "production", "in_use")]
    empty = '<c t="str"><f>IF(B2="x","y","")</f><v></v></c>'
    titles = "".join(map(text, [*HEADER[:5], "workshop"]))
    (tmp_path / "m.xlsx").write_bytes(workbook(rows(titles, "".join(made) + empty)))
    (tmp_path / "e.csv").write_text(ENTERPRISES, encoding="utf-8")
    database.run_now(import_files, [tmp_path / "e.csv", tmp_path / "m.xlsx"], NOW)
    assert assets(database) == ["A1"]


@pytest.mark.parametrize("value", [date(2026, 3, 12), datetime(2026, 3, 12)])  # noqa: DTZ001
def test_a_number_that_has_become_a_day_is_refused(
    value: date, database: Database, tmp_path: Path
) -> None:
    assert refused(database, tmp_path, book(line(value), line("A2", value))) == [
        f"book.xlsx[m], row {row}, column {column}: is the day 2026-03-12 to the spreadsheet, "
        "perhaps because a code such as 3-12 was typed; format the column as text and write it "
        "again"
        for row, column in ((2, "asset_no"), (3, "name"))
    ]


def test_zeros_that_a_number_format_shows_are_kept(database: Database, tmp_path: Path) -> None:
    made = book(line(123), line(7), line("A-1"))
    made["m"]["B2"].number_format = "000000"
    made["m"]["B3"].number_format = '"G-"000'
    assert load(database, tmp_path, made).notes == ()
    assert assets(database) == ["000123", "A-1", "G-007"]


def test_zeros_that_are_lost_are_told_of(database: Database, tmp_path: Path) -> None:
    report = load(database, tmp_path, book(line(1), line(2), line("A-1"), line(4)))
    assert list(map(str, report.notes)) == [
        (
            "book.xlsx[m], row 2, column asset_no: rows 2–3, 5 hold numbers, of which a "
            "spreadsheet drops zeros in front; if any began with 0, format the column as text and "
            "write them again"
        )
    ]


def test_zeros_that_others_have_are_missed(database: Database, tmp_path: Path) -> None:
    assert refused(database, tmp_path, book(line(123), line("000124"))) == [
        (
            "book.xlsx[m], row 2, column asset_no: rows 2 hold numbers, of which a spreadsheet "
            "drops zeros in front, and others texts such as 000124; format the column as text and "
            "write them again"
        )
    ]


def test_a_number_with_a_point_is_no_code(database: Database, tmp_path: Path) -> None:
    (message,) = refused(database, tmp_path, book(line(1.1)))
    assert "is the number 1.1 to the spreadsheet, which drops zeros at the ends" in message


def hiding() -> Workbook:
    made = book(line("A1"), line("A2"), line("A3"), line("A4"))
    for row in (3, 4):
        made["m"].row_dimensions[row].hidden = True
    old = made.create_sheet("2024")
    old.sheet_state = "hidden"
    for cells in (HEADER, line("OLD-1"), line("OLD-2")):
        old.append(cells)
    lists = made.create_sheet("lists")
    lists.sheet_state = "hidden"
    lists.append(["在用", "备用"])
    return made


def test_what_nobody_sees_is_not_imported_in_silence(database: Database, tmp_path: Path) -> None:
    advice = (
        "show what belongs into the ledger and delete the rest, or import with --hidden take or "
        "--hidden leave"
    )
    assert refused(database, tmp_path, hiding()) == [
        f"book.xlsx[2024]: hidden: this sheet of 2 rows; {advice}",
        f"book.xlsx[m], row 3: hidden: rows 3–4 (by hand or by a filter); {advice}",
    ]


@pytest.mark.parametrize(
    ("hidden", "done", "wanted"),
    [
        (Hidden.TAKE, "taken along", ["A1", "A2", "A3", "A4", "OLD-1", "OLD-2"]),
        (Hidden.LEAVE, "left out", ["A1", "A4"]),
    ],
)
def test_the_person_who_imports_says_what_becomes_of_it(
    hidden: Hidden, done: str, wanted: list[str], database: Database, tmp_path: Path
) -> None:
    report = load(database, tmp_path, hiding(), hidden)
    assert assets(database) == wanted
    assert list(map(str, report.notes)) == [
        f"book.xlsx[2024]: hidden and {done}: this sheet of 2 rows",
        f"book.xlsx[m], row 3: hidden and {done}: rows 3–4 (by hand or by a filter)",
    ]


@pytest.mark.parametrize("as_number", [True, False])
def test_days_that_count_from_1904(as_number: bool, database: Database, tmp_path: Path) -> None:
    made = book(line("A1", "磨床", date(2024, 3, 1)))
    made.epoch = CALENDAR_MAC_1904
    if as_number:  # a day in a column without a format is a plain number
        made["m"]["F2"].value = 43_890
        made["m"]["F2"].number_format = "General"
    load(database, tmp_path, made)
    (machine,) = database.run_now(listed, NOW)
    assert machine["commissioned_on"] == "2024-03-01"


@pytest.mark.parametrize(
    "written",
    [
        *(
            "2024年3月1日",
            "2024年03月01号",
            "2024 年 3 月 1 日",
            "2024.3.1",
            "2024.03.01.",
            "20240301",
        ),
        *("2024/3/1", "2024-3-1", "２０２４／３／１", "2024-03-01T00:00:00", "2024/3/1 0:00:00"),
        *("2024/3/1 上午 8:30", "2024-03-01 08:30:00.000Z", "2024 3 1", "45352"),
        *("二〇二四年三月一日", "二零二四年三月一日", "2024年三月一日"),
    ],
)
def test_days_as_people_write_them(written: str) -> None:
    assert day(written, TODAY) == date(2024, 3, 1)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("二〇二四年十二月三十一日", date(2024, 12, 31)), ("2024年十月二十日", date(2024, 10, 20))],
)
def test_days_in_chinese_numerals(written: str, meant: date) -> None:
    assert day(written, TODAY) == meant


@pytest.mark.parametrize("written", ["2024年3月", "24-3-1", "3/1/2024", "2024-13-01", "去年", "年"])
def test_what_is_no_day(written: str) -> None:
    with pytest.raises(ValueError, match="is no da"):
        day(written, TODAY)


@pytest.mark.parametrize(
    ("written", "yuan"),
    [
        ("1,234,567.89", 1234567.89),
        ("¥1,234.5", 1234.5),
        ("￥１２３４．５", 1234.5),
        ("1234元", 1234),
        ("0", 0),
        ("1.2E+6", 1_200_000),
    ],
)
def test_sums_as_people_write_them(written: str, yuan: float) -> None:
    assert amount(written, TODAY) == yuan


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("1234,56", "has commas that part no thousands"),
        ("1.234,56", "has commas that part no thousands"),
        ("12,34,567", "has commas that part no thousands"),
        ("1,2345", "has commas that part no thousands"),
        ("12.5万元", "is no number of yuan"),
        ("1 234", "is no number of yuan"),
        ("nan", "is no number of yuan"),
        ("1e999", "is no number of yuan"),
        ("-5", "must be 0 or more"),
    ],
)
def test_a_sum_is_never_another_one(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        amount(written, TODAY)


DIGITS = "914403001922038216"
"""A credit code of digits only."""


@pytest.mark.parametrize("form", [DIGITS, f'"=""{DIGITS}"""', f"'{DIGITS}", f"\t{DIGITS}"])
def test_a_credit_code_of_digits_finds_its_way_in(
    form: str, database: Database, tmp_path: Path
) -> None:
    (tmp_path / "e.csv").write_text(
        f"uscc,name,county,industry,above_scale\n{form},甲,常山县,3451,是\n", encoding="utf-8"
    )
    assert database.run_now(import_files, [tmp_path / "e.csv"], NOW).enterprises.added == 1


@pytest.mark.parametrize("ruined", ["9.14403E+17", "914403001922038000"])
def test_one_that_a_spreadsheet_has_ruined_says_how(
    ruined: str, database: Database, tmp_path: Path
) -> None:
    (tmp_path / "e.csv").write_text(
        f"uscc,name,county,industry,above_scale\n{ruined},甲,常山县,3451,是\n", encoding="utf-8"
    )
    with pytest.raises(LedgerError) as caught:
        database.run_now(import_files, [tmp_path / "e.csv"], NOW)
    assert str(caught.value).startswith(f"e.csv, row 2, column uscc: {ruined} ")
    assert str(caught.value).endswith(
        'format the column as text and write the code again; in a CSV file as ="…" or with \' in '
        "front"
    )


def test_titles_above_and_columns_for_people_are_passed_over(
    database: Database, tmp_path: Path
) -> None:
    made = book()
    sheet = made["m"]
    sheet.delete_rows(1)
    for cells in (["某某公司设备台账"], [None, "编制：张三"], ["序号", *HEADER, "备注"]):
        sheet.append(cells)
    sheet.append([1, *line("A1"), "左侧"])
    sheet.merge_cells("A1:H1")
    load(database, tmp_path, made)
    assert assets(database) == ["A1"]


def test_a_title_that_is_merged_names_nothing(database: Database, tmp_path: Path) -> None:
    made = book(line("A1"))
    made["m"].merge_cells("B1:C1")
    first, *_ = refused(database, tmp_path, made)
    assert first.startswith("book.xlsx[m], row 1, column asset_no: the cells B1:C1 are merged")


def test_what_our_files_say_is_read_back(database: Database, tmp_path: Path) -> None:
    header, *lines = EQUIPMENT.splitlines()
    cells = lines[0].split(",")
    titles = header.split(",")
    cells[titles.index("资产编号")] = "000123"
    table = Table("m", tuple(titles), [dict(zip(titles, cells, strict=True))], {})
    (tmp_path / "e.csv").write_text(ENTERPRISES, encoding="utf-8")
    (tmp_path / "m.csv").write_text(csv_text(table, demonstration=False), encoding="utf-8")
    database.run_now(import_files, [tmp_path / "e.csv", tmp_path / "m.csv"], NOW)
    assert assets(database) == ["000123"]
