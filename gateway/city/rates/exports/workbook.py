"""A table of rates as a workbook: its figures, what they mean, and its revisions."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from io import BytesIO
from typing import Any
from unicodedata import east_asian_width

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from gateway.city.rates.exports.explanation import Line
from gateway.web.i18n import Language, text
from gateway.web.tables import DEMONSTRATION, Cell, Table, spoken

_HEAD = PatternFill("solid", fgColor="DCE6F1")
_INTEGER, _LONGEST, _MARGIN = "#,##0", 60, 2
_LOOKED_AT = 500
"""Rows by which the width of a column is measured."""
_FIGURES = ("networked", "equipment", "enterprises", "pooled_percent", "mean_percent")


def workbook(
    table: Table,
    explained: Sequence[Line],
    revisions: Table,
    language: Language,
    *,
    demonstration: bool,
) -> bytes:
    """An XLSX file of three sheets: 数据, 说明, 修订.

    Numbers are numbers with the decimals that are shown. A cell is empty where a figure is not
    known or nothing can be divided; what is withheld says so.

    Args:
        table: the figures; its notes are not repeated in each row.
        explained: lines of the second sheet.
        revisions: rows of the third.
        language: of sheets, headings and words.
        demonstration: say above the figures that they are none of real machines.
    """
    book = Workbook(write_only=True)
    above = (DEMONSTRATION,) if demonstration else ()
    said = spoken(table, language)
    rows = [list(row.values()) for row in _withheld(table, said, language)]
    _sheet(book, text(language, "workbook.data"), list(said.columns), rows, above)
    lines = [list(line) for line in explained]
    _sheet(book, text(language, "workbook.explained"), [], lines, above)
    told = spoken(revisions, language)
    kept = [list(row.values()) for row in told.rows] or [[text(language, "workbook.not_frozen")]]
    _sheet(book, text(language, "workbook.revisions"), list(told.columns), kept, above)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _withheld(table: Table, said: Table, language: Language) -> Iterable[dict[str, Cell]]:
    """The rows in words; figures that the public is not shown say so, and are not just empty."""
    word = text(language, "published.withheld")
    keys = [key for key in _FIGURES if key in table.columns]
    heads = list(spoken(Table("", tuple(keys), [], {}, table.headings), language).columns)
    for row, shown in zip(table.rows, said.rows, strict=True):
        hidden: dict[str, Cell] = dict.fromkeys(heads, word)
        yield dict(shown) | (hidden if row.get("conf_status") == "N" else {})


def _sheet(
    book: Workbook, name: str, heads: list[str], rows: list[list[Any]], above: Sequence[str]
) -> None:
    sheet = book.create_sheet(name)
    sheet.freeze_panes = f"A{len(above) + 2}" if heads else None
    for number, width in enumerate(_widths([heads, *rows[:_LOOKED_AT]]), 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    for line in above:
        sheet.append([_written(sheet, line, head=True)])
    if heads:
        sheet.append([_written(sheet, head, head=True) for head in heads])
    for row in rows:
        sheet.append([_written(sheet, value) for value in row])


def _widths(rows: Iterable[Sequence[Cell]]) -> list[int]:
    widths: list[int] = []
    for row in rows:
        widths.extend([0] * (len(row) - len(widths)))
        for at, value in enumerate(row):
            widths[at] = max(widths[at], min(_LONGEST, _columns(value)))
    return [width + _MARGIN for width in widths]


def _columns(value: Cell) -> int:
    shown = "" if value is None else str(value)
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in shown)


def _written(sheet: Any, value: Cell, *, head: bool = False) -> Any:
    """A cell; a text is a text, whatever it begins with."""
    if isinstance(value, str):
        cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value))
        cell.data_type = "s"
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    else:
        cell = WriteOnlyCell(sheet, value)  # type: ignore[arg-type]  # decimals are numbers, too
        cell.number_format = _format(value)
    if head:
        cell.font, cell.fill = Font(bold=True), _HEAD
    return cell


def _format(value: Cell) -> str:
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        decimals = -exponent if isinstance(exponent, int) else 0
        return f"0.{'0' * decimals}" if decimals > 0 else "0"
    return _INTEGER if isinstance(value, int) else "General"
