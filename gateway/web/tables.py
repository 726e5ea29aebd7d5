"""Every table of a page as a file: CSV that spreadsheets open, JSON that programs read."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

Cell = str | int | float | bool | None
DEMONSTRATION = "演示数据 / demonstration data"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet compute a cell; a Chinese input method types the wide ones, and they
count as the narrow ones once somebody edits the cell."""
_MISTAKEN = re.compile(
    r"0\d+|\d{16,}|\d+(?:\.\d+)?[eE][+-]?\d+|\d{1,2}[-/]\d{1,2}(?:[-/]\d{1,2})?"
    r"|\d{4}[-/]\d{1,2}|\d{1,2}[-/]\d{4}"
)
"""Codes that a spreadsheet takes for numbers or days, and then keeps only what it understood:
000123, credit codes of 18 digits, 12E3, 3-12. Whole dates are meant as such."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table to take away.

    Attributes:
        name: file name without ending.
        columns: keys of the columns, in order.
        rows: one mapping a row; a missing key is an empty cell.
        notes: what the numbers mean: definition, time, status.
    """

    name: str
    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, Cell]]
    notes: Mapping[str, Cell]


def csv_text(table: Table, *, demonstration: bool) -> str:
    """A table for spreadsheets; a byte order mark lets them read Chinese.

    The notes are columns too, so that a row says what it is wherever it is copied to.
    """
    notes: dict[str, Cell] = {"data": DEMONSTRATION} if demonstration else {}
    notes |= table.notes
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.DictWriter(out, [*table.columns, *notes], restval="", lineterminator="\r\n")
    writer.writeheader()
    for row in table.rows:
        writer.writerow({key: _safe(cell) for key, cell in (dict(row) | notes).items()})
    return out.getvalue()


def as_csv(table: Table, *, demonstration: bool) -> Response:
    """The file that a browser saves."""
    name = _file_name(table, demonstration) + ".csv"
    return Response(
        csv_text(table, demonstration=demonstration),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": _attachment(name)},
    )


def json_text(table: Table, *, demonstration: bool) -> str:
    """One object: the notes, then ``rows``."""
    body: dict[str, object] = {"demonstration": demonstration}
    if demonstration:
        body["data"] = DEMONSTRATION
    body |= dict(table.notes) | {"rows": [dict(row) for row in table.rows]}
    return json.dumps(body, ensure_ascii=False, indent=1)


def as_json(table: Table, *, demonstration: bool) -> Response:
    """A table for programs."""
    return Response(
        json_text(table, demonstration=demonstration),
        media_type="application/json; charset=utf-8",
    )


def _attachment(name: str) -> str:
    """Say how a browser should call a file, by RFC 6266: any name, in ASCII as far as it goes."""
    plain = re.sub(r"[^0-9A-Za-z._-]", "_", name)
    if plain == name:
        return f'attachment; filename="{name}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _file_name(table: Table, demonstration: bool) -> str:
    return f"demonstration-{table.name}" if demonstration else table.name


def _safe(cell: Cell) -> Cell:
    """A cell that a spreadsheet shows as it is, and neither runs nor takes for something else."""
    if not isinstance(cell, str):
        return cell
    if cell.startswith(_FORMULA):
        return f"'{cell}"
    return f'="{cell}"' if _MISTAKEN.fullmatch(cell) else cell


def is_file(request: Request) -> bool:
    """Whether a page's table is asked for as a file."""
    return "format" in request.query_params
