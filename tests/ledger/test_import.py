"""Importing the ledger: what is wrong is named by row and column, what is right goes in whole."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import select

from edge_config.models.identifiers.suffix import SuffixPattern
from gateway.city.db.schema.identifiers import identifier, identifier_outbox
from gateway.city.db.tables import (
    enterprise,
    equipment,
    equipment_status,
    ledger_verification,
    roster_member,
)
from gateway.city.identifiers.issuing import issue
from gateway.city.ledger.importer import import_files
from gateway.city.ledger.importing.report import ImportReport
from gateway.city.ledger.listing import listed
from gateway.city.ledger.sheet import reading as sheets
from gateway.city.ledger.sheet.problems import LedgerError
from gateway.city.ledger.sheet.template import write_template
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.registering import rules

NOW = day_start_ms(date(2026, 11, 20)) + 43_200_000
ENTERPRISES = """统一社会信用代码,企业名称,县（市、区）,行业代码,规上,\
台账核实人,台账核实日期,名录,名录起始日期,标识企业代码
91330822MA0000015W,常山虚构轴承有限公司,常山县,3451,是,李四,2025/1/2,KEY,2024-01-01,qz01
91330881MA00000236,江山虚构门业（集团）有限公司,330881,C2032,否,,,,,
"""
FULL_WIDTH = "".join(chr(ord(one) + 0xFEE0) for one in "91330822MA0000015W")
EQUIPMENT = """统一社会信用代码,资产编号,设备名称,设备类别,状态,投用日期,型号
91330822MA0000015W,A-001,数控磨床,生产设备,在用,2020-05-31,MK2710
91330822MA0000015W,A-002,空压机,aux,备用,2021年6月1日,
91330881MA00000236,A-001,木门封边机,production,in_use,,
"""


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_text(text, encoding=encoding)
    return path


def load(
    database: Database, *files: Path, now_ms: int = NOW, dry_run: bool = False
) -> ImportReport:
    return database.run_now(import_files, files, now_ms, dry_run=dry_run)


def rows(database: Database, table: object) -> list[tuple[object, ...]]:
    return database.run_now(lambda c: [tuple(row) for row in c.execute(select(table))])  # type: ignore[call-overload]


def problems(database: Database, *files: Path) -> list[str]:
    with pytest.raises(LedgerError) as caught:
        load(database, *files)
    assert rows(database, enterprise) == rows(database, equipment) == []
    return [str(one) for one in caught.value.problems]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return (
        write(tmp_path, "enterprises.csv", ENTERPRISES),
        write(tmp_path, "equipment.csv", EQUIPMENT),
    )


def test_import_fills_every_table(database: Database, files: tuple[Path, Path]) -> None:
    report = load(database, *files)
    assert (report.enterprises.added, report.equipment.added) == (2, 3)
    assert (report.status_entries, report.roster_entries) == (3, 1)
    held = {row[0]: row for row in rows(database, enterprise)}
    assert held["91330822MA0000015W"] == (
        "91330822MA0000015W",
        "常山虚构轴承有限公司",
        "330822",
        "3451",
        "",
        True,
        "李四",
        date(2025, 1, 2),
        "QZ01",
        None,
        None,
    )
    assert held["91330881MA00000236"][1:4] == ("江山虚构门业（集团）有限公司", "330881", "2032")
    assert rows(database, roster_member) == [
        ("KEY", "91330822MA0000015W", date(2024, 1, 1), None, "")
    ]
    assert rows(database, ledger_verification) == [("91330822MA0000015W", date(2025, 1, 2), "李四")]
    machines = database.run_now(listed, NOW)
    assert [(one["asset_no"], one["equipment_class"], one["status"]) for one in machines] == [
        ("A-001", "production", "in_use"),
        ("A-002", "aux", "standby"),
        ("A-001", "production", "in_use"),
    ]
    assert [row[1] for row in rows(database, equipment_status)] == [
        date(2020, 5, 31),
        date(2021, 6, 1),
        date(2026, 11, 20),
    ]


def test_importing_again_changes_nothing(database: Database, files: tuple[Path, Path]) -> None:
    load(database, *files)
    before = [rows(database, table) for table in (enterprise, equipment, equipment_status)]
    report = load(database, *files)
    assert (report.enterprises.unchanged, report.equipment.unchanged) == (2, 3)
    assert report.status_entries == report.roster_entries == 0
    assert before == [rows(database, table) for table in (enterprise, equipment, equipment_status)]


def test_dry_run_says_what_would_change_and_changes_nothing(
    database: Database, files: tuple[Path, Path]
) -> None:
    report = load(database, *files, dry_run=True)
    assert (report.enterprises.added, report.equipment.added) == (2, 3)
    assert rows(database, enterprise) == rows(database, equipment) == []


def test_a_changed_status_is_a_dated_entry(
    database: Database, files: tuple[Path, Path], tmp_path: Path
) -> None:
    load(database, *files)
    idle = write(
        tmp_path,
        "idle.csv",
        "uscc,asset_no,name,equipment_class,status,status_since\n"
        "91330822MA0000015W,A-001,数控磨床,production,闲置,2026-11-05\n",
    )
    assert load(database, idle).status_entries == 1
    assert load(database, idle).status_entries == 0
    history = [row[1:] for row in rows(database, equipment_status) if row[0] == 1]
    assert history == [(date(2020, 5, 31), "in_use", True), (date(2026, 11, 5), "idle", True)]
    assert rows(database, equipment)[0][7] == "MK2710", "a column that is not there stays"


def test_a_changed_machine_is_listed_for_the_node_once(
    database: Database, files: tuple[Path, Path], tmp_path: Path
) -> None:
    load(database, *files)
    pattern = SuffixPattern.parse("{seq:06d}")
    assert database.run_now(issue, rules(pattern), NOW, 10) == 2
    assert [row[1] for row in rows(database, identifier)] == [
        "88.999.QZ01/000001",
        "88.999.QZ01/000002",
    ]
    database.run_now(lambda c: c.execute(identifier_outbox.update().values(state="done")))
    changed = write(tmp_path, "again.csv", EQUIPMENT.replace("MK2710", "MK2720"))
    assert load(database, changed).updates_queued == 1
    assert load(database, changed).updates_queued == 0
    waiting = [row[1:4] for row in rows(database, identifier_outbox) if row[3] == "pending"]
    assert waiting == [(1, "update", "pending")]


def test_leaving_a_roster_and_joining_again(
    database: Database, files: tuple[Path, Path], tmp_path: Path
) -> None:
    load(database, *files)
    head = "uscc,name,county,industry,above_scale,roster,roster_from,roster_to\n"
    line = "91330822MA0000015W,常山虚构轴承有限公司,330822,3451,是,KEY,{},{}\n"
    leave = write(tmp_path, "leave.csv", head + line.format("", "2026-06-01"))
    assert load(database, leave).roster_entries == 1
    back = write(tmp_path, "back.csv", head + line.format("2026-09-01", ""))
    assert load(database, back).roster_entries == 1
    assert [row[2:4] for row in rows(database, roster_member)] == [
        (date(2024, 1, 1), date(2026, 6, 1)),
        (date(2026, 9, 1), None),
    ]


def test_every_mistake_is_named_at_once_and_nothing_goes_in(
    database: Database, tmp_path: Path
) -> None:
    enterprises = write(
        tmp_path,
        "e.csv",
        "统一社会信用代码,企业名称,县（市、区）,行业代码,规上,台账核实日期,台账核实人,联系电话\n"
        "91330822MA0000015X,甲,常山县,3451,是,,,\n"
        "91330881MA00000236,乙,常山,345,大概,2026-02-30,王五,\n"
        "91330803MA00000312,,330803,3451,是,2027-01-01,王五,\n"
        "91330803MA00000312,丙,330803,3451,是,2026-01-01,,\n",
    )
    machines = write(
        tmp_path,
        "m.csv",
        "uscc,asset_no,name,equipment_class,status,commissioned_on\n"
        "91330803MA00000312,A1,磨床,production,在用,昨天\n"
        "91330803MA00000312,A1,磨床,produktion,在用,\n"
        "91330825MA0000058M,A2,磨床,test,借出,\n",
    )
    expected = Path(__file__).with_name("mistakes.txt").read_text(encoding="utf-8")
    assert problems(database, enterprises, machines) == expected.splitlines()


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("91330822MA0000015", "has 17 characters instead of 18"),
        ("9133O822MA0000015W", "contains 'O'"),
        ("330822000000015", "has 15 characters instead of 18"),
    ],
)
def test_wrong_credit_codes(database: Database, tmp_path: Path, written: str, reason: str) -> None:
    path = write(tmp_path, "e.csv", ENTERPRISES.replace("91330822MA0000015W", written))
    (problem,) = problems(database, path)
    assert problem.startswith("e.csv, row 2, column 统一社会信用代码: ")
    assert reason in problem


@pytest.mark.parametrize(
    "code",
    [FULL_WIDTH, "91330822ma0000015w", " 91330822MA0000015W\t", "91330822MA\u200b0000015W\u00a0"],
)
def test_codes_are_normalised(database: Database, tmp_path: Path, code: str) -> None:
    load(database, write(tmp_path, "e.csv", ENTERPRISES.replace("91330822MA0000015W", code)))
    assert rows(database, enterprise)[0][0] == "91330822MA0000015W"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_encodings_that_excel_writes(database: Database, tmp_path: Path, encoding: str) -> None:
    load(database, write(tmp_path, "e.csv", ENTERPRISES, encoding))
    assert rows(database, enterprise)[0][1] == "常山虚构轴承有限公司"


def test_a_roster_needs_its_date_and_an_identifier_code_its_owner(
    database: Database, tmp_path: Path
) -> None:
    text = ENTERPRISES.replace("KEY,2024-01-01", "KEY,").replace("否,,,,,", "否,,,,,QZ01")
    found = problems(database, write(tmp_path, "e.csv", text))
    assert found == [
        "e.csv, row 2, column 名录起始日期: is empty; say since when it is on roster KEY",
        "e.csv, row 3, column 标识企业代码: QZ01 belongs to enterprise 91330822MA0000015W already",
    ]


def test_files_that_are_no_tables(database: Database, tmp_path: Path) -> None:
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04nothing")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x81")
    write(tmp_path, "notes.txt", "x")
    write(tmp_path, "other.csv", "a,b\n1,2\n")
    write(tmp_path, "quote.csv", 'uscc,name\n"91330822MA0000015W,甲\n')
    names = ("broken.xlsx", "bytes.csv", "notes.txt", "other.csv", "quote.csv", "absent.csv")
    found = problems(database, *(tmp_path / name for name in names))
    assert [one.split(":")[0] for one in found] == [
        "absent.csv",
        "broken.xlsx",
        "bytes.csv",
        "notes.txt, row 1",
        "other.csv, row 1",
        "quote.csv, row 2",
    ]
    assert problems(database, write(tmp_path, "empty.csv", "uscc,name\n")) != []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_template_is_filled_and_imported(
    database: Database, tmp_path: Path, language: str
) -> None:
    path = tmp_path / "template.xlsx"
    write_template(path, language)  # type: ignore[arg-type]
    book = load_workbook(path)
    assert len(book.worksheets) == 3
    first, second, notes = book.worksheets
    fill(first, [("91330822MA0000015W", "甲"), 330822, 3451])
    heads = {cell.value: cell.column for cell in first[1]}
    first.cell(2, heads["规上" if language == "zh" else "Above scale"], "是")
    values = {"uscc": "91330822MA0000015W", "asset": 1001, "name": "磨床"}
    columns = (1, 3, 4)
    for column, value in zip(columns, values.values(), strict=True):
        second.cell(2, column, value)
    machine = {cell.value: cell.column for cell in second[1]}
    zh = language == "zh"
    second.cell(
        2,
        machine["设备类别" if zh else "Equipment class"],
        "生产设备" if zh else "Production equipment",
    )
    second.cell(2, machine["状态" if zh else "Status"], "在用" if zh else "In use")
    second.cell(2, machine["投用日期" if zh else "Commissioned on"], date(2022, 3, 4))
    lists = [rule.formula1 for rule in second.data_validations.dataValidation]
    assert any(("在用" if zh else "In use") in text for text in lists)
    assert notes.max_row > 30
    book.save(path)
    load(database, path)
    (machine_row,) = database.run_now(listed, NOW)
    assert (machine_row["asset_no"], machine_row["commissioned_on"]) == ("1001", "2022-03-04")


def fill(sheet: object, values: list[object]) -> None:
    (uscc, name), county, industry = values  # type: ignore[misc]
    for column, value in enumerate((uscc, name, county, industry), start=1):
        sheet.cell(2, column, value)  # type: ignore[attr-defined]


def test_mistakes_in_a_workbook_name_the_sheet(database: Database, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "企业"
    sheet.append(["uscc", "name", "county", "industry", "above_scale", "ledger_verfied_by"])
    sheet.append(["91330822MA0000015W", "甲", "常山县", 3451, True, None])
    sheet.append(["91330881MA00000236", "乙", "杭州市", 3451, "是", None])
    path = tmp_path / "ledger.xlsx"
    book.save(path)
    found = problems(database, path)
    assert found[0] == (
        "ledger.xlsx[企业], row 1, column ledger_verfied_by: unknown column; "
        "did you mean 'ledger_verified_by'?"
    )
    assert found[1].startswith("ledger.xlsx[企业], row 3, column county: unknown county '杭州市'")
    assert len(found) == 2


HEADER = ["uscc", "asset_no", "name", "equipment_class", "status", "commissioned_on"]


def workbook(folder: Path, *rows: list[object], merged: str = "") -> Path:
    """One sheet of machines of an enterprise that a second sheet adds."""
    book = Workbook()
    machines, enterprises = book.worksheets[0], book.create_sheet("enterprises")
    machines.title = "m"
    for row in (HEADER, *rows):
        machines.append(row)
    if merged:
        machines.merge_cells(merged)
    enterprises.append(["uscc", "name", "county", "industry", "above_scale"])
    enterprises.append(["91330822MA0000015W", "甲", "常山县", 3451, "是"])
    path = folder / "book.xlsx"
    book.save(path)
    return path


def line(asset: object, name: object, commissioned_on: object = None) -> list[object]:
    return ["91330822MA0000015W", asset, name, "生产设备", "在用", commissioned_on]


@pytest.mark.parametrize(
    "written",
    [43982, "43982", "2020-05-31 08:30:00", "２０２０／５／３１", "2020年5月31日", "20200531"],
)
def test_dates_as_spreadsheets_make_them(
    database: Database, tmp_path: Path, written: object
) -> None:
    load(database, workbook(tmp_path, line("A1", "磨床", written)))
    (machine,) = database.run_now(listed, NOW)
    assert machine["commissioned_on"] == "2020-05-31"


def test_what_a_spreadsheet_hides_is_named(database: Database, tmp_path: Path) -> None:
    path = workbook(
        tmp_path,
        line("A1", "#N/A", "=TODAY()"),
        line("A2", "磨床"),
        [None, "A3", "车床", "生产设备", "在用", None],
        [None, " ", "\u3000", "", None, None],
        [*line("A4", "铣床"), "旁注"],
        merged="A3:A4",
    )
    assert problems(database, path) == [
        (
            "book.xlsx[m], row 2, column commissioned_on: holds a formula without a result; open "
            "the file in Excel or WPS and save it, or paste the formulas as values"
        ),
        "book.xlsx[m], row 2, column name: #N/A is an error of the spreadsheet; write the value",
        (
            "book.xlsx[m], row 3, column uscc: the cells A3:A4 are merged; split them and write "
            "the value into each"
        ),
        "book.xlsx[m], row 6: cell 7 ('旁注') stands under no header",
    ]


def test_a_comma_that_is_not_quoted_is_found(database: Database, tmp_path: Path) -> None:
    text = ENTERPRISES.replace("江山虚构门业（集团）有限公司", "江山虚构门业,有限公司")
    found = problems(database, write(tmp_path, "e.csv", text))
    assert any(one.startswith("e.csv, row 3, column 县（市、区）") for one in found)
    longer = ENTERPRISES.replace(",qz01", ",qz01,x")
    assert problems(database, write(tmp_path, "f.csv", longer)) == [
        "f.csv, row 2: cell 11 ('x') stands under no header"
    ]


@pytest.mark.parametrize(
    ("header", "key", "value"),
    [
        ("台账核实人", "ledger_verified_by", "李四"),
        ("台账核实日期", "ledger_verified_on", "2025/1/2"),
    ],
)
def test_half_a_mark_is_named(
    database: Database, tmp_path: Path, header: str, key: str, value: str
) -> None:
    head, line, _ = ENTERPRISES.splitlines()
    text = f"{head}\n{line}".replace(f",{header}", "").replace(f",{value}", "")
    assert problems(database, write(tmp_path, "e.csv", text)) == [
        f"e.csv, row 1, column {header}: is missing ({key})"
    ]


@pytest.mark.parametrize("asset", ["A\n1", "A\x001"])
def test_characters_that_nobody_sees_are_named(
    database: Database, tmp_path: Path, asset: str
) -> None:
    text = EQUIPMENT.replace("A-002", f'"{asset}"')
    (problem,) = problems(
        database, write(tmp_path, "e.csv", ENTERPRISES), write(tmp_path, "m.csv", text)
    )
    assert problem == (
        f"m.csv, row 3, column 资产编号: {asset!r} holds a line break or another control "
        "character; take it out"
    )


def test_a_header_is_the_first_row_with_text(database: Database, tmp_path: Path) -> None:
    text = "\n,,\n" + ENTERPRISES.replace("企业名称", "企业名").replace("3451", "345")
    assert problems(database, write(tmp_path, "e.csv", text)) == [
        "e.csv, row 3, column 企业名: unknown column; did you mean '企业名称'?",
        "e.csv, row 3, column 企业名称: is missing (name)",
        (
            "e.csv, row 4, column 行业代码: "
            "'345' is no GB/T 4754-2017 class; write its four digits, as 3451"
        ),
    ]


@pytest.mark.parametrize("damage", [b"<row", b"</sheetData>"])
def test_a_damaged_workbook_is_refused(database: Database, tmp_path: Path, damage: bytes) -> None:
    path = workbook(tmp_path, line("A1", "磨床"))
    with ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with ZipFile(path, "w") as archive:
        for name, body in parts.items():
            cut = body.partition(damage)[0] if name.startswith("xl/worksheets/") else body
            archive.writestr(name, cut)
    (problem,) = problems(database, path)
    assert problem.startswith("book.xlsx: cannot be read as XLSX")


def test_a_workbook_that_unpacks_to_too_much_is_refused(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "LIMITS", replace(sheets.LIMITS, unpacked_bytes=1_000))
    (problem,) = problems(database, workbook(tmp_path, line("A1", "磨床")))
    assert problem == "book.xlsx: unpacks to more than 0 MiB"


def rewritten(path: Path, old: bytes, new: bytes) -> Path:
    """Replace bytes of the sheets of a workbook, as another program would have written them."""
    with ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with ZipFile(path, "w") as archive:
        for name, body in parts.items():
            sheet = name.startswith("xl/worksheets/")
            archive.writestr(name, body.replace(old, new) if sheet else body)
    return path


def test_what_a_workbook_says_of_its_size_does_not_count(
    database: Database, tmp_path: Path
) -> None:
    path = workbook(tmp_path, line("A1", "磨床"), line("A2", "车床"))
    load(database, rewritten(path, b'ref="A1:F3"', b'ref="A1"'))
    assert [one["asset_no"] for one in database.run_now(listed, NOW)] == ["A1", "A2"]


def test_a_format_on_the_last_row_of_a_sheet_costs_nothing(
    database: Database, tmp_path: Path
) -> None:
    path = workbook(tmp_path, line("A1", "磨床"))
    last = b'<row r="1048576"><c r="XFD1048576" s="0"/></row></sheetData>'
    load(database, rewritten(path, b"</sheetData>", last))
    assert len(rows(database, equipment)) == 1


@pytest.mark.parametrize("written", [91330822000000001, 1.2e17, "9.13308E+17"])
def test_digits_that_a_spreadsheet_has_lost_are_named(
    database: Database, tmp_path: Path, written: object
) -> None:
    (problem,) = problems(database, workbook(tmp_path, line(written, "磨床")))
    assert problem.startswith("book.xlsx[m], row 2, column asset_no: ")
    assert problem.endswith(
        " is a number that a spreadsheet has shortened; format the column as text and write the "
        'code again; in a CSV file as ="…" or with \' in front'
    )
