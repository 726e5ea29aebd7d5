"""Every table of a page as a file: CSV that spreadsheets open, JSON that programs read."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

Cell = str | int | float | bool | None
DEMONSTRATION = "演示数据 / demonstration data"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


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
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def as_json(table: Table, *, demonstration: bool) -> Response:
    """One object: the notes, then ``rows``."""
    body: dict[str, object] = {"demonstration": demonstration}
    if demonstration:
        body["data"] = DEMONSTRATION
    body |= dict(table.notes) | {"rows": [dict(row) for row in table.rows]}
    return Response(
        json.dumps(body, ensure_ascii=False, indent=1), media_type="application/json; charset=utf-8"
    )


def _file_name(table: Table, demonstration: bool) -> str:
    return f"demonstration-{table.name}" if demonstration else table.name


def _safe(cell: Cell) -> Cell:
    """Text that a spreadsheet would run as a formula gets an apostrophe."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
