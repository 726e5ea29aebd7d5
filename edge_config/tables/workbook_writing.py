"""Workbooks with drop-downs, notes on each header, and codes kept as texts.

The only module that imports openpyxl; it is not there unless the extra ``edge`` was installed.
"""

import io
from collections.abc import Iterator, Sequence
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from edge_config.tables.written import WrittenColumn, WrittenSheet, number_of

ROWS = 20_000
"""Rows that a drop-down covers."""
_HEAD = PatternFill("solid", fgColor="DDE7F0")
_REQUIRED = PatternFill("solid", fgColor="F6D9B8")
_TEXT_FORMAT = "@"
"""Keeps a spreadsheet from making a number, or a day, of a code that is typed."""
_LONGEST_LIST = 255
"""Characters of a list that stands in its rule; longer ones stand in a sheet of their own."""
_LISTS = "lists"
_LONGEST_HINT = 250


def workbook_of(sheets: Sequence[WrittenSheet]) -> bytes:
    """A new workbook."""
    book = Workbook(write_only=True)
    lists = _Lists()
    for sheet in sheets:
        _fill(book.create_sheet(sheet.title), sheet, lists)
    lists.write(book)
    return _saved(book)


def with_sheet(body: bytes, sheet: WrittenSheet, title: str) -> bytes:
    """A workbook with one of its sheets written anew; the others stay.

    Args:
        body: the workbook.
        sheet: the new contents.
        title: of the sheet that goes.

    Raises:
        KeyError: there is none of that title.
        Exception: openpyxl cannot read the file.
    """
    book = load_workbook(io.BytesIO(body))
    old = book[title]
    place = book.index(old)
    book.remove(old)
    lists = _Lists(tuple(book.sheetnames))
    new = book.create_sheet(title, place)
    _fill(new, sheet, lists)
    lists.write(book)
    return _saved(book)


def _saved(book: Any) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


class _Lists:
    """Drop-downs that are too long for their rule, in a hidden sheet.

    Args:
        taken: titles that sheets have already.
    """

    def __init__(self, taken: Sequence[str] = ()) -> None:
        self._rows: list[Sequence[str]] = []
        numbered = (f"{_LISTS}{number}" for number in range(1, len(taken) + 2))
        self._title = next(name for name in (_LISTS, *numbered) if name not in taken)

    def source(self, choices: Sequence[str]) -> str:
        """What a rule names as its list."""
        written = f'"{",".join(choices)}"'
        if len(written) <= _LONGEST_LIST:
            return written
        if choices not in self._rows:
            self._rows.append(choices)
        row, last = self._rows.index(choices) + 1, get_column_letter(len(choices))
        return f"'{self._title}'!$A${row}:${last}${row}"

    def write(self, book: Any) -> None:
        if self._rows:
            sheet = book.create_sheet(self._title)
            sheet.sheet_state = "hidden"
            for row in self._rows:
                sheet.append(list(row))


def _fill(target: Any, sheet: WrittenSheet, lists: _Lists) -> None:
    first = len(sheet.above) + 2
    target.freeze_panes = f"A{first}"
    for place, column in enumerate(sheet.columns, start=1):
        _shape(target, get_column_letter(place), column, first, lists)
    for above in sheet.above:
        target.append(list(_cells(target, (WrittenColumn(""),) * len(above), above)))
    target.append([_head(target, column) for column in sheet.columns])
    for row in sheet.rows:
        target.append(list(_cells(target, sheet.columns, row)))


def _shape(target: Any, letter: str, column: WrittenColumn, first: int, lists: _Lists) -> None:
    shape = target.column_dimensions[letter]
    shape.width = max(12, 2 * len(column.title) + 2)
    if not column.is_number:
        shape.number_format = _TEXT_FORMAT
    if not column.choices:
        return
    rule = DataValidation(
        type="list", formula1=lists.source(column.choices), allow_blank=not column.is_required
    )
    listed = ", ".join(column.choices)
    rule.error = f"请从列表中选择 / choose from the list: {listed}"[:_LONGEST_HINT]
    rule.showErrorMessage = not column.is_open
    rule.add(f"{letter}{first}:{letter}{ROWS}")
    target.data_validations.append(rule)


def _head(target: Any, column: WrittenColumn) -> Any:
    cell = WriteOnlyCell(target, column.title)
    cell.font = Font(bold=True)
    cell.fill = _REQUIRED if column.is_required else _HEAD
    if column.note:
        cell.comment = Comment(column.note, "qulink")
    return cell


def _cells(target: Any, columns: Sequence[WrittenColumn], row: Sequence[str]) -> Iterator[Any]:
    for column, text in zip(columns, row, strict=True):
        number = number_of(text) if column.is_number and text else None
        if number is not None:
            yield number
        elif text.startswith("="):
            cell = WriteOnlyCell(target, text)
            cell.data_type = "s"  # a text, and no formula
            yield cell
        else:
            yield text or None
