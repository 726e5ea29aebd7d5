"""Write the workbook that a bureau fills: two tables with drop-downs, and what to write in them."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from gateway.city.ledger.codes import IN_SERVICE, INDUSTRIES, Name
from gateway.city.ledger.sheet.columns.column import Column
from gateway.city.ledger.sheet.columns.tables import SHEET_NAMES, TABLES
from gateway.web.i18n import Language

_ROWS = 20_000
"""Rows that the drop-downs cover."""

_HEAD = PatternFill("solid", fgColor="DDE7F0")
_REQUIRED = PatternFill("solid", fgColor="F6D9B8")
_TEXT_FORMAT = "@"
"""Keeps Excel from making a number of a code."""

_INTRODUCTION = (
    Name(
        "「企业」「设备」两张表的第一行是表头，从第二行起填写；橙色表头为必填。",
        "Fill the two tables from row 2 on; orange headers are required.",
    ),
    Name(
        "重复导入会更新已有记录；整批检查，有任何错误则全部不导入，错误按行列列出。",
        "Importing again updates. Nothing is imported while anything is wrong; mistakes are "
        "listed by row and column.",
    ),
    Name(
        "全角字符、小写字母会自动规范；日期写作 2024-05-31。",
        "Full-width and lower-case codes are normalised; write dates as 2024-05-31.",
    ),
)


_NOTE_HEADS = (
    Name("表", "Table"),
    Name("列", "Column"),
    Name("必填", "Required"),
    Name("填写说明", "What to write"),
    Name("可选值", "Choices"),
    Name("示例", "Example"),
)
_EXAMPLES = {
    "uscc": Name("91330822MA0000015W", "91330822MA0000015W"),
    "county": Name("常山县", "Changshan"),
    "industry": Name("3451", "3451"),
    "above_scale": Name("是", "yes"),
    "employees": Name("120", "120"),
    "revenue_wan": Name("8600", "8600"),
    "ledger_verified_by": Name("王力", "Wang Li"),
    "ledger_verified_on": Name("2026-03-15", "2026-03-15"),
    "roster": Name("KEY", "KEY"),
    "roster_from": Name("2026-01-01", "2026-01-01"),
    "roster_approved_by": Name("衢经信〔2026〕1 号", "document 1 of 2026"),
    "site_no": Name("1", "1"),
    "asset_no": Name("1#注塑机", "CNC-01"),
    "workshop": Name("一车间", "workshop 1"),
    "line": Name("1 线", "line 1"),
    "equipment_class": Name("生产设备", "production"),
    "key_equipment": Name("是", "yes"),
    "digital": Name("是", "yes"),
    "commissioned_on": Name("2021-06-01", "2021-06-01"),
    "status": Name("在用", "in use"),
    "status_since": Name("2021-06-01", "2021-06-01"),
    "documents": Name("发票 04417233；照片 P-118", "invoice 04417233; photo P-118"),
    "valid_from": Name("2026-09-01", "2026-09-01"),
}
"""One row of each table as it may be filled; names are in ``_NAMES``. They are fictitious."""
_NAMES = {
    "enterprise": Name("某某精工有限公司", "Some Precision Co."),
    "equipment": Name("注塑机", "injection moulding machine"),
}


TEMPLATES = ("ledger.xlsx", "enterprises.csv", "equipment.csv")
"""Names of the empty files that can be filled."""
_CSV = {"enterprises.csv": "enterprise", "equipment.csv": "equipment"}


def template_of(name: str, language: Language) -> bytes:
    """One of :data:`TEMPLATES`: the workbook, or the header of one table as CSV."""
    if name in _CSV:
        heads = (_in(column.header, language) for column in TABLES[_CSV[name]])
        return f"\ufeff{','.join(heads)}\r\n".encode()
    return _saved(_workbook(language))


def _saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def write_template(path: Path, language: Language) -> None:
    """Write an empty workbook.

    Args:
        path: ``.xlsx`` file; replaced if it exists.
        language: of headers, drop-downs and explanations.

    Raises:
        OSError: the file cannot be written.
    """
    _workbook(language).save(path)


def _workbook(language: Language) -> Workbook:
    book = Workbook()
    book.remove(book.worksheets[0])
    for table, columns in TABLES.items():
        _write_table(book.create_sheet(_in(SHEET_NAMES[table], language)), columns, language)
    _write_notes(book.create_sheet(_in(SHEET_NAMES["notes"], language)), language)
    return book


def one_table(name: Name, columns: Sequence[Column], language: Language) -> bytes:
    """An empty workbook of a single table, with a sheet that explains its columns.

    Args:
        name: of the table.
        columns: of it.
        language: of headers, drop-downs and explanations.
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    _write_table(book.create_sheet(_in(name, language)), columns, language)
    notes = book.create_sheet(_in(SHEET_NAMES["notes"], language))
    notes.append([_in(head, language) for head in _NOTE_HEADS[1:-1]])
    for column in columns:
        notes.append(_explained(column, language))
    _widen(notes, zip("ABCD", (26, 10, 60, 80), strict=True), 2)
    return _saved(book)


def _in(name: Name, language: Language) -> str:
    return name.zh if language == "zh" else name.en


def _write_table(sheet: Any, columns: Sequence[Column], language: Language) -> None:
    sheet.freeze_panes = "A2"
    for place, column in enumerate(columns, start=1):
        letter = get_column_letter(place)
        head = sheet.cell(1, place, _in(column.header, language))
        head.font = Font(bold=True)
        head.fill = _REQUIRED if column.required else _HEAD
        note = _in(column.note, language)
        if note:
            head.comment = Comment(note, "qulink")
        sheet.column_dimensions[letter].width = max(14, 2 * len(column.header.zh) + 4)
        sheet.column_dimensions[letter].number_format = _TEXT_FORMAT
        if column.choices:
            sheet.add_data_validation(_drop_down(column, letter, language))


def _drop_down(column: Column, letter: str, language: Language) -> DataValidation:
    listed = ",".join(_in(name, language) for name in column.choices.values())
    rule = DataValidation(type="list", formula1=f'"{listed}"', allow_blank=not column.required)
    rule.error = f"请从列表中选择 / choose from the list: {listed}"[:250]
    rule.showErrorMessage = True
    rule.add(f"{letter}2:{letter}{_ROWS}")
    return rule


def _write_notes(sheet: Any, language: Language) -> None:
    for line in _INTRODUCTION:
        sheet.append([_in(line, language)])
    sheet.append([])
    sheet.append([_in(head, language) for head in _NOTE_HEADS])
    for table, columns in TABLES.items():
        for column in columns:
            example = _NAMES[table] if column.key == "name" else _EXAMPLES.get(column.key)
            told = [*_explained(column, language), _in(example, language) if example else ""]
            sheet.append([_in(SHEET_NAMES[table], language), *told])
    _write_industries(sheet, language)
    _widen(sheet, zip("ABCDEF", (14, 26, 10, 60, 80, 24), strict=True), 5)


def _widen(sheet: Any, widths: Iterable[tuple[str, int]], first_row: int) -> None:
    for letter, width in widths:
        sheet.column_dimensions[letter].width = width
    for row in sheet.iter_rows(min_row=first_row):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")


def _explained(column: Column, language: Language) -> list[str]:
    yes = Name("是", "yes") if column.required else Name("", "")
    listed = "; ".join(
        f"{_in(name, language)}{_counts(code, column, language)}"
        for code, name in column.choices.items()
    )
    return [_in(column.header, language), _in(yes, language), _in(column.note, language), listed]


def _counts(code: str, column: Column, language: Language) -> str:
    """Of a status: whether it counts."""
    if column.key != "status" or code in IN_SERVICE:
        return ""
    return _in(Name("（不计入）", " (does not count)"), language)


def _write_industries(sheet: Any, language: Language) -> None:
    sheet.append([])
    sheet.append([_in(Name("常用行业代码", "Common industries"), language)])
    for code, name in INDUSTRIES.items():
        sheet.append([code, _in(name, language)])
