"""Every table of a page as a file: CSV that spreadsheets open, JSON that programs read."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from gateway.web.i18n import Language, catalog, text

Cell = str | int | float | Decimal | bool | None
"""A decimal is a number as it is shown: its digits are all there are."""
DEMONSTRATION = "演示数据 / demonstration data"
_OF_TABLE = "table_"
_OTHER: Mapping[Language, str] = {"zh": "_en", "en": "_zh"}
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
        headings: keys of the catalogue for columns that are called otherwise than ``column.<key>``.
        words: where the catalogue has words for the codes of a column or note, as ``rate.status``.
    """

    name: str
    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, Cell]]
    notes: Mapping[str, Cell]
    headings: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)


def beside(table: Table) -> dict[str, Cell]:
    """The notes as further columns; one that is called as a column has ``table_`` before it."""
    return {
        _OF_TABLE + key if key in table.columns else key: one for key, one in table.notes.items()
    }


def spoken(table: Table, language: Language) -> Table:
    """The same table for people: headings instead of keys, words instead of codes.

    Programs read the keys of columns, which never change. Columns of the other language are left
    out where there is one of theirs; what the catalogue does not know stands for itself.
    """
    shown = tuple(key for key in table.columns if not _is_foreign(key, table.columns, language))
    heads = {key: _heading(table, key, language) for key in shown}
    return replace(
        table,
        columns=tuple(heads.values()),
        rows=[
            {heads[key]: _word(table, key, row.get(key), language) for key in shown}
            for row in table.rows
        ],
        notes={
            _heading(table, key, language): _word(table, key, value, language)
            for key, value in beside(table).items()
        },
    )


def _is_foreign(key: str, columns: tuple[str, ...], language: Language) -> bool:
    other = _OTHER[language]
    own = key.removesuffix(other) + f"_{language}"
    return key.endswith(other) and own in columns


def _heading(table: Table, key: str, language: Language) -> str:
    found = catalog(language).get(table.headings.get(key, f"column.{key}"))
    if found is None and key.startswith(_OF_TABLE):
        of_rows = _heading(table, key.removeprefix(_OF_TABLE), language)
        return text(language, "column.of_table", name=of_rows)
    return found or key


def _word(table: Table, key: str, value: Cell, language: Language) -> Cell:
    if isinstance(value, bool):
        return text(language, "value.yes" if value else "value.no")
    prefix = table.words.get(key)
    if prefix is None or value is None:
        return value
    return catalog(language).get(f"{prefix}.{value}", value)


def csv_text(table: Table, *, demonstration: bool, language: Language | None = None) -> str:
    """A table for spreadsheets; a byte order mark lets them read Chinese.

    The notes are columns too, so that a row says what it is wherever it is copied to.

    Args:
        table: to take away.
        demonstration: say in each row that the data are.
        language: of headings and words; None: keys and codes, for programs.
    """
    written = _marked(table, demonstration)
    if language is not None:
        written = spoken(written, language)
    notes = beside(written)
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.DictWriter(out, [*written.columns, *notes], restval="", lineterminator="\r\n")
    writer.writeheader()
    for row in written.rows:
        writer.writerow({key: _safe(cell) for key, cell in (dict(row) | notes).items()})
    return out.getvalue()


def _marked(table: Table, demonstration: bool) -> Table:
    if not demonstration:
        return table
    return replace(table, notes={"data": DEMONSTRATION, **table.notes})


def as_csv(table: Table, *, demonstration: bool, language: Language | None = None) -> Response:
    """The file that a browser saves."""
    body = csv_text(table, demonstration=demonstration, language=language).encode()
    name = file_name(table, demonstration=demonstration)
    return attachment(body, f"{name}.csv", "text/csv; charset=utf-8")


def attachment(body: bytes, name: str, media_type: str) -> Response:
    """A file that a browser saves under a name."""
    return Response(body, media_type=media_type, headers={"content-disposition": _attachment(name)})


def json_text(table: Table, *, demonstration: bool) -> str:
    """One object: the notes, then ``rows``."""
    notes = _marked(table, demonstration).notes
    body = {"demonstration": demonstration, **notes, "rows": [dict(row) for row in table.rows]}
    return json.dumps(body, ensure_ascii=False, indent=1, default=str)


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


def file_name(table: Table, *, demonstration: bool) -> str:
    """What a table's file is called, without ending."""
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


def language_of(request: Request) -> Language | None:
    """In whose words a file is: the address says so; None: keys and codes, for programs.

    Neither cookie nor browser decide, so that a program gets the same file wherever it runs.
    """
    return "zh" if request.query_params.get("lang") == "zh" else None
