"""From sheets to records, with every mistake found on the way. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from edge_config.tables.header import is_own, spelled
from edge_config.tables.sheet import Row
from gateway.city.ledger.sheet.cells import OddCells
from gateway.city.ledger.sheet.columns.column import Column
from gateway.city.ledger.sheet.columns.tables import (
    SHEET_NAMES,
    TABLES,
    headers,
    meant,
    table_of,
)
from gateway.city.ledger.sheet.hidden import Hidden, visible_part
from gateway.city.ledger.sheet.no_record import no_record
from gateway.city.ledger.sheet.problems import Problem
from gateway.city.ledger.sheet.progress import Tell, silent, told
from gateway.city.ledger.sheet.reading import LedgerSheet
from gateway.city.ledger.sheet.values import Converter, Value

PAIRS = (("ledger_verified_by", "ledger_verified_on"), ("verified_by", "verified_on"))
"""A mark needs both a person and a date."""
_KNOWN = 65_536
"""So many cells are remembered by what they say."""
_PARTNERS = {**dict(PAIRS), **{on: by for by, on in PAIRS}}


@dataclass(frozen=True, slots=True)
class Record:
    """One row that was read.

    Attributes:
        file: label of its sheet.
        row: row number as a spreadsheet shows it.
        values: by column key; a key that is missing had no column.
        written: header of each column as it was written.
    """

    file: str
    row: int
    values: dict[str, Value]
    written: dict[str, str]

    def problem(self, key: str, message: str) -> Problem:
        """A mistake in one of its cells."""
        return Problem(self.file, self.row, self.written.get(key, key), message)


@dataclass(frozen=True, slots=True)
class Tables:
    """All records of an import, all mistakes so far, and what its author should know."""

    enterprise: list[Record]
    equipment: list[Record]
    problems: list[Problem]
    notes: list[Problem]


def parse(
    sheets: Iterable[LedgerSheet],
    today: date,
    hidden: Hidden = Hidden.REFUSE,
    tell: Tell = silent,
) -> Tables:
    """Read every sheet; the explanation sheet of the template is passed over.

    Args:
        sheets: of all files.
        today: of the import.
        hidden: what becomes of hidden rows and sheets.
        tell: is told how many rows of each sheet were read.
    """
    tables = Tables([], [], [], [])
    for sheet in sheets:
        table = table_of(sheet.header.cells)
        if table is None:
            if sheet.title not in _NOTES and not sheet.is_hidden:
                row = sheet.header.number
                tables.problems.append(Problem(sheet.label, row, "", _NO_TABLE))
            continue
        visible = visible_part(sheet, hidden, tables.problems, tables.notes)
        if visible is not None:
            rows = tables.equipment if table == "equipment" else tables.enterprise
            rows.extend(records(visible, TABLES[table], today, tables, tell))
    return tables


def parse_rows(
    sheets: Iterable[LedgerSheet], columns: Sequence[Column], today: date
) -> tuple[list[Record], list[Problem]]:
    """The rows of sheets of another table than the ledger's, and every mistake so far.

    What nobody sees – hidden rows, columns and sheets – is a mistake; the explanation sheet of a
    template is passed over.

    Args:
        sheets: of all files.
        columns: of the table; ``uscc`` is one of them.
        today: of the import.
    """
    tables, found = Tables([], [], [], []), list[Record]()
    for sheet in sheets:
        if sheet.title in _NOTES:
            continue
        visible = visible_part(sheet, Hidden.REFUSE, tables.problems, tables.notes)
        if visible is not None:
            found.extend(records(visible, columns, today, tables))
    return found, tables.problems


_NOTES = frozenset({SHEET_NAMES["notes"].zh, SHEET_NAMES["notes"].en})
_NO_TABLE = (
    "no column 统一社会信用代码 (uscc) in its first rows, so this is neither a table of "
    "enterprises nor of equipment; start from 'qulink ledger template'"
)


def records(
    sheet: LedgerSheet,
    columns: Sequence[Column],
    today: date,
    tables: Tables,
    tell: Tell = silent,
) -> Iterator[Record]:
    """The rows of one table; what is wrong or to be told of them goes into ``tables``."""
    layout = _layout(sheet, columns, tables.problems)
    written = {column.key: sheet.header.cell(place) for place, column in layout}
    named = {place for place, text in enumerate(sheet.header.cells) if text}
    cells = OddCells(sheet, layout)
    tables.problems.extend(cells.problems)
    tables.notes.extend(cells.notes)
    for row in told(sheet.rows, tell, "rows"):
        if said := no_record(row, sheet.header, layout):
            tables.problems.append(Problem(sheet.label, row.number, "", said))
            continue
        record = Record(sheet.label, row.number, {}, written)
        wrong = [*_fill(record, row, layout, cells, today), *_stray(sheet.label, row, named)]
        tables.problems.extend(wrong)
        if record.values.get("uscc"):
            yield record


def _stray(label: str, row: Row, named: AbstractSet[int]) -> Iterator[Problem]:
    """Text where the header has none: a comma that is not quoted has moved the cells."""
    for place, text in enumerate(row.cells):
        if text and place not in named:
            message = f"cell {place + 1} ({text[:40]!r}) stands under no header"
            yield Problem(label, row.number, "", message)


def _layout(
    sheet: LedgerSheet, columns: Sequence[Column], problems: list[Problem]
) -> list[tuple[int, Column]]:
    """Which column stands where; unknown, doubled and missing ones are mistakes."""
    known, layout, seen = headers(columns), [], set[str]()
    row = sheet.header.number
    for place, text in enumerate(sheet.header.cells):
        column = known.get(spelled(text))
        if not text or is_own(spelled(text)):
            continue
        if column is None:
            problems.append(
                Problem(sheet.label, row, text, f"unknown column{meant(text, columns)}")
            )
        elif column.key in seen:
            problems.append(Problem(sheet.label, row, text, "stands here twice"))
        else:
            seen.add(column.key)
            layout.append((place, column))
    problems.extend(
        Problem(sheet.label, row, column.header.zh, f"is missing ({column.key})")
        for column in columns
        if column.key not in seen and (column.required or _PARTNERS.get(column.key) in seen)
    )
    return layout


def _fill(
    record: Record,
    row: Row,
    layout: Sequence[tuple[int, Column]],
    cells: OddCells,
    today: date,
) -> Iterator[Problem]:
    """Convert the cells of a row into ``record.values``; yields what is wrong."""
    for place, column in layout:
        try:
            text = cells.text(row, place, column)
            if text == "" and column.required:
                yield record.problem(column.key, "is empty")
            record.values[column.key] = _value(column.convert, text, today) if text else None
        except ValueError as error:
            yield record.problem(column.key, str(error))
    for by, on in PAIRS:
        yield from unpaired(record, by, on)


@lru_cache(_KNOWN)
def _value(convert: Converter, text: str, today: date) -> Value:
    """What a cell says; most cells of a ledger say what one above them said."""
    return convert(text, today)


def unpaired(record: Record, by: str, on: str) -> Iterator[Problem]:
    """What is wrong with a mark of which one half is there."""
    if by in record.values and on in record.values:
        person, day = record.values[by], record.values[on]
        if (person is None) != (day is None):
            empty = by if person is None else on
            yield record.problem(empty, "is empty; a mark needs both a person and a date")
