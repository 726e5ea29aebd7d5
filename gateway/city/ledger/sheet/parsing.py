"""From sheets to records, with every mistake found on the way. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date

from gateway.city.ledger.sheet.columns import (
    SHEET_NAMES,
    TABLES,
    Column,
    headers,
    meant,
    spelled,
    table_of,
)
from gateway.city.ledger.sheet.problems import Problem
from gateway.city.ledger.sheet.reading import Sheet
from gateway.city.ledger.sheet.values import Value, computed

_PAIRS = (("ledger_verified_by", "ledger_verified_on"), ("verified_by", "verified_on"))
"""A mark needs both a person and a date."""
_PARTNERS = {**dict(_PAIRS), **{on: by for by, on in _PAIRS}}


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
    """All records of an import, and all mistakes so far."""

    enterprise: list[Record]
    equipment: list[Record]
    problems: list[Problem]


def parse(sheets: Iterable[Sheet], today: date) -> Tables:
    """Read every sheet; the explanation sheet of the template is passed over."""
    tables = Tables([], [], [])
    for sheet in sheets:
        if sheet.title in {SHEET_NAMES["notes"].zh, SHEET_NAMES["notes"].en} or not sheet.header:
            continue
        table = table_of(sheet.header)
        if table is None:
            tables.problems.append(Problem(sheet.label, sheet.header_row, "", _NO_TABLE))
            continue
        tables.problems.extend(sheet.faults)
        records = tables.equipment if table == "equipment" else tables.enterprise
        records.extend(_records(sheet, TABLES[table], today, tables.problems))
    return tables


_NO_TABLE = (
    "no column 统一社会信用代码 (uscc) in the first row with text, so this is neither a table of "
    "enterprises nor of equipment; start from 'qulink ledger template'"
)


def _records(
    sheet: Sheet, columns: Sequence[Column], today: date, problems: list[Problem]
) -> Iterator[Record]:
    layout = _layout(sheet, columns, problems)
    written = {column.key: sheet.header[place].strip() for place, column in layout}
    named = {place for place, text in enumerate(sheet.header) if text.strip()}
    for number, row in sheet.rows:
        record = Record(sheet.label, number, {}, written)
        wrong = [*_fill(record, row, layout, today), *_stray(sheet.label, number, row, named)]
        problems.extend(wrong)
        if not any(problem.column == written.get("uscc") for problem in wrong):
            yield record


def _stray(
    label: str, number: int, row: Sequence[str], named: AbstractSet[int]
) -> Iterator[Problem]:
    """Text where the header has none: a comma that is not quoted has moved the cells."""
    for place, text in enumerate(row):
        if text.strip() and place not in named:
            message = f"cell {place + 1} ({text.strip()[:40]!r}) stands under no header"
            yield Problem(label, number, "", message)


def _layout(
    sheet: Sheet, columns: Sequence[Column], problems: list[Problem]
) -> list[tuple[int, Column]]:
    """Which column stands where; unknown, doubled and missing ones are mistakes."""
    known, layout, seen = headers(columns), [], set[str]()
    row = sheet.header_row
    for place, text in enumerate(sheet.header):
        column = known.get(spelled(text))
        if not text.strip():
            continue
        if column is None:
            problems.append(
                Problem(sheet.label, row, text.strip(), f"unknown column{meant(text, columns)}")
            )
        elif column.key in seen:
            problems.append(Problem(sheet.label, row, text.strip(), "stands here twice"))
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
    record: Record, row: Sequence[str], layout: Sequence[tuple[int, Column]], today: date
) -> Iterator[Problem]:
    """Convert the cells of a row into ``record.values``; yields what is wrong."""
    for place, column in layout:
        text = row[place] if place < len(row) else ""
        if not text.strip():
            record.values[column.key] = None
            if column.required:
                yield record.problem(column.key, "is empty")
            continue
        try:
            record.values[column.key] = column.convert(computed(text), today)
        except ValueError as error:
            yield record.problem(column.key, str(error))
    for by, on in _PAIRS:
        yield from _unpaired(record, by, on)


def _unpaired(record: Record, by: str, on: str) -> Iterator[Problem]:
    if by in record.values and on in record.values:
        person, day = record.values[by], record.values[on]
        if (person is None) != (day is None):
            empty = by if person is None else on
            yield record.problem(empty, "is empty; a mark needs both a person and a date")
