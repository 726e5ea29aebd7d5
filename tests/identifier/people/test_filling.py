"""Writing into a workbook leaves all else of it as it is, octet by octet."""

import io
from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font, PatternFill

from edge_config.tables.csv_file import read_csv
from gateway.city.identifiers.sheets import filling
from gateway.city.identifiers.sheets.write_back import write_back
from gateway.city.ledger.sheet.reading import LIMITS

CODE = "88.999.QZ00/451.20261118.000001"


def workbook() -> bytes:
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = "设备 & 台账"
    page.append(["统一社会信用代码", "资产编号", "设备名称", "原值", "标识"])
    for row in range(2, 6):
        page.append(["91330822MA0000015W", f"A-{row}", "机床", f"=ROW()*{row}"])
        page.cell(row, 5).fill = PatternFill("solid", fgColor="FFEE99")
    page["E5"] = '=CONCAT("8","8")'
    page.merge_cells("G2:H3")
    page["A1"].font = Font(bold=True)
    page.row_dimensions[3].hidden = True
    page.auto_filter.ref = "A1:E5"
    other = book.create_sheet("汇总")
    other["B2"] = "=SUM('设备 & 台账'!D2:D5)"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def parts(body: bytes) -> dict[str, bytes]:
    with ZipFile(io.BytesIO(body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_only_the_cells_that_are_written_change() -> None:
    body = workbook()
    cells = {2: {4: CODE}, 4: {4: "a<b&c"}, 5: {4: CODE}, 9: {4: CODE}}
    after = filling.filled(body, {"设备 & 台账": cells})
    old, new = parts(body), parts(after)
    assert list(old) == list(new)
    assert [name for name in old if old[name] != new[name]] == ["xl/worksheets/sheet1.xml"]
    page = load_workbook(io.BytesIO(after))["设备 & 台账"]
    assert [page.cell(row, 5).value for row in range(1, 7)] == [
        *("标识", CODE, None, "a<b&c", '=CONCAT("8","8")', None)
    ]
    assert page["E2"].fill.fgColor.rgb == "00FFEE99"
    assert (page["D3"].value, page.row_dimensions[3].hidden) == ("=ROW()*3", True)
    assert [str(one) for one in page.merged_cells.ranges] == ["G2:H3"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (b'<row r="2"><c r="A2"/><c r="C2"/></row>', b'<c r="B2" t="inlineStr">'),
        (b'<row><c/><c r="C2" s="7"><v>1</v></c></row>', b'<c r="B2" t="inlineStr">'),
        (b'<row r="2"><c r="A2" s="4"/></row>', b'<c r="B2" s="4" t="inlineStr">'),
        (b'<row r="2"><c r="A2"/><c r="B2" s="5"/></row>', b'<c r="B2" s="5" t="inlineStr">'),
    ],
)
def test_cells_stand_in_the_order_of_their_columns(row: bytes, expected: bytes) -> None:
    for prefix in (b"", b"x:"):
        part = b'<x:sheetData xmlns:x="u"><row r="1"/>' + row + b"</x:sheetData>"
        part = part.replace(b"<row", b"<" + prefix + b"row").replace(
            b"</row", b"</" + prefix + b"row"
        )
        part = part.replace(b"<c", b"<" + prefix + b"c").replace(b"</c", b"</" + prefix + b"c")
        made = filling._part_filled(part, {2: {1: "v", 27: "w"}})
        assert made.count(expected.replace(b"<c", b"<" + prefix + b"c")) == 1
        places = [made.find(b'r="%s2"' % name) for name in (b"A", b"B", b"C", b"AB")]
        assert places[1] < places[3]
        assert places[2] == -1 or places[1] < places[2] < places[3]
        assert made.endswith(b"</" + prefix + b"row></x:sheetData>")


def test_a_sheet_without_the_column_gets_one_behind_all_others(tmp_path: Path) -> None:
    file, copy = tmp_path / "ledger.csv", tmp_path / "copy.csv"
    text = '统一社会信用代码,资产编号,设备名称\r\n91330822MA0000015W,"1#注塑机",="007"\r\n'
    for encoding in ("gb18030", "utf-8", "utf-8-sig"):
        file.write_bytes(text.encode(encoding))
        assert write_back(file, copy, {("ledger.csv", 2): CODE}) == 1
        rows = read_csv(copy.read_bytes(), LIMITS).rows
        assert [row.cell(3) for row in rows] == ["标识编码", CODE]
        assert rows[1].cells[:3] == ["91330822MA0000015W", "1#注塑机", "007"]
        assert copy.read_bytes().decode(encoding).count("\r\n") == 2
        assert copy.read_bytes().startswith(b"\xef\xbb\xbf") is (encoding == "utf-8-sig")


def test_a_cell_that_holds_another_code_keeps_it(tmp_path: Path) -> None:
    file, copy = tmp_path / "ledger.xlsx", tmp_path / "copy.xlsx"
    file.write_bytes(
        filling.filled(workbook(), {"设备 & 台账": {2: {4: "OTHER"}, 4: {4: "待分配"}}})
    )
    label = "ledger.xlsx[设备 & 台账]"
    assert write_back(file, copy, {(label, 2): CODE, (label, 4): CODE}) == 1
    page = load_workbook(copy)["设备 & 台账"]
    assert (page["E2"].value, page["E4"].value) == ("OTHER", CODE)


@pytest.mark.parametrize(("area", "row", "column"), [("E2:E4", 2, 4), ("D3:E3", 3, 4)])
def test_merged_cells_never_show_one_code_for_several_machines(
    area: str, row: int, column: int
) -> None:
    book = load_workbook(io.BytesIO(workbook()))
    book.worksheets[0].merge_cells(area)
    out = io.BytesIO()
    book.save(out)
    with pytest.raises(ValueError, match=f"{area} are merged.*split them"):
        filling.filled(out.getvalue(), {"设备 & 台账": {row: {column: CODE}}})
    assert filling.filled(out.getvalue(), {"设备 & 台账": {5: {5: CODE}}})


def test_a_new_column_is_within_what_the_sheet_says_of_itself() -> None:
    after = filling.filled(workbook(), {"设备 & 台账": {2: {8: CODE}}})
    page = load_workbook(io.BytesIO(after), read_only=True)["设备 & 台账"]
    assert [row[8] for row in page.iter_rows(min_row=2, max_row=2, values_only=True)] == [CODE]


def test_a_style_in_single_quotes_is_kept() -> None:
    part = b"<worksheet><sheetData><row r='2'><c r='E2' s='3'/></row></sheetData></worksheet>"
    assert b' s="3"' in filling._part_filled(part, {2: {4: CODE}})
