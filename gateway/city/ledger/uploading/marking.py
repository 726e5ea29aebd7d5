"""A copy of what somebody sent, in which wrong cells are coloured and say what is wrong.

It is the file as it was, with its formats and formulas, so that it can be mended and sent again;
of a CSV file a workbook of texts, since CSV has no colours.
"""

import contextlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill

from gateway.city.ledger.sheet.problems import LedgerError
from gateway.city.ledger.sheet.reading import LedgerSheet, read_sheets
from gateway.city.ledger.uploading.outcome import Told
from gateway.durable import replace_file
from gateway.web.catalog.sentences import said
from gateway.web.i18n import Language

MOST_CELLS = 500_000
"""A larger workbook takes gigabytes to be changed; its mistakes are listed only."""
_WRONG = PatternFill("solid", fgColor="FFC7CE")
_TEXT_FORMAT = "@"
_WIDTH, _LINE, _CHARACTERS = 360, 20, 24

Marks = Mapping[tuple[int, int], Sequence[str]]
"""Sentences by row as a spreadsheet shows it, and column from 1."""


def write_marked(
    files: Sequence[Path], problems: Sequence[Told], language: Language, out: Path
) -> bool:
    """Write the copy of the first file that has something wrong in it.

    Args:
        files: as they were sent.
        problems: what is wrong with them.
        language: of the comments.
        out: the copy.

    Returns:
        False: there is none, since the file is too large, or can be read by nobody.
    """
    for file in files:
        own = [one for one in problems if one.file == file.name or _is_sheet(one, file)]
        if own:
            return _write(file, own, language, out)
    return False


def _is_sheet(problem: Told, file: Path) -> bool:
    return problem.file.startswith(f"{file.name}[")


def _write(file: Path, problems: Sequence[Told], language: Language, out: Path) -> bool:
    try:
        sheets = read_sheets(file)
    except LedgerError:
        return False
    if sum(len(row.cells) for sheet in sheets for row in sheet.rows) > MOST_CELLS:
        return False
    marks = {sheet.title: _marks(sheet, problems, language) for sheet in sheets}
    beside = out.with_suffix(".part")
    # What our reader takes and openpyxl does not, is listed only.
    with contextlib.suppress(Exception):
        book = _of_texts(sheets[0]) if not sheets[0].title else load_workbook(file)
        for sheet in book.worksheets:
            _mark(sheet, marks.get("" if not sheets[0].title else sheet.title, {}))
        book.save(beside)
        replace_file(out, beside.read_bytes())
        beside.unlink()
        return True
    beside.unlink(missing_ok=True)
    return False


def _marks(sheet: LedgerSheet, problems: Sequence[Told], language: Language) -> Marks:
    found = defaultdict[tuple[int, int], list[str]](list)
    places = {text: place for place, text in reversed([*enumerate(sheet.header.cells, start=1)])}
    for one in problems:
        if one.file == sheet.label and one.row:
            found[one.row, places.get(one.column, 1)].append(said(one.message, language))
    return found


def _of_texts(sheet: LedgerSheet) -> Workbook:
    """A table that was no workbook, as one; codes stay the texts that they are."""
    book = Workbook()
    page: Any = book.worksheets[0]
    for row in (sheet.header, *sheet.rows):
        for place, text in enumerate(row.cells, start=1):
            cell = page.cell(row.number, place, text)
            cell.data_type, cell.number_format = "s", _TEXT_FORMAT
    return book


def _mark(sheet: Any, marks: Marks) -> None:
    for (row, place), sentences in marks.items():
        cell, text = sheet.cell(row, place), "\n".join(sentences)
        if not hasattr(cell, "fill") or type(cell).__name__ == "MergedCell":
            cell = sheet.cell(*_first_of(sheet, row, place))
        lines = sum(1 + len(one) // _CHARACTERS for one in sentences)
        cell.fill = _WRONG
        cell.comment = Comment(text, "qulink", height=_LINE * (lines + 1), width=_WIDTH)


def _first_of(sheet: Any, row: int, place: int) -> tuple[int, int]:
    """The cell of a merged area that holds its value."""
    for area in sheet.merged_cells.ranges:
        if area.min_row <= row <= area.max_row and area.min_col <= place <= area.max_col:
            return area.min_row, area.min_col
    return row, 1
