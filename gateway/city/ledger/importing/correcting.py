"""One row of the ledger, corrected by a person: what would change, and the change as an act.

The row goes the way of an import of one row, so that what is a mistake there is one here.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from gateway.city.db.tables import enterprise, equipment
from gateway.city.ledger.bitemporal.acts import Doing
from gateway.city.ledger.history import statuses_on
from gateway.city.ledger.importer import take_in
from gateway.city.ledger.importing.report import ImportReport
from gateway.city.ledger.importing.terms import OutdatedError
from gateway.city.ledger.sheet.columns.column import Column
from gateway.city.ledger.sheet.columns.tables import TABLES
from gateway.city.ledger.sheet.parsing import PAIRS, Record, Tables, unpaired
from gateway.city.ledger.sheet.problems import LedgerError, Problem
from gateway.core.days import day_of
from gateway.relational.database import alone

_NOT_HERE = frozenset(
    {
        *("uscc", "site_no", "asset_no", "formerly", "identifier"),
        *("roster", "roster_from", "roster_to", "roster_approved_by"),
    }
)
"""What names the row, and what has acts of its own."""
_SAID = ("status_since", "valid_from")
"""What a person says beside the row: no column of it."""


@dataclass(frozen=True, slots=True)
class Which:
    """A row: the table, ``equipment`` or ``enterprise``, and the machine's id or the USCC."""

    table: str
    key: int | str

    @property
    def columns(self) -> tuple[Column, ...]:
        """What can be corrected of it."""
        return tuple(one for one in TABLES[self.table] if one.key not in _NOT_HERE)


@dataclass(frozen=True, slots=True)
class Shown:
    """A row as a person sees it.

    Attributes:
        texts: of the cells, by column key.
        names: of the row: columns that a correction leaves alone.
    """

    texts: Mapping[str, str]
    names: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Tells whether the row is still the one that was seen."""
        return hashlib.sha256(json.dumps(dict(self.texts)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one cell."""

    column: Column
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a correction does, or would do.

    Attributes:
        changes: of cells; empty: nothing is new.
        report: as of an import; None: there are problems.
        problems: what is wrong, by column key; the key is empty where it is the whole row.
    """

    changes: tuple[Change, ...]
    report: ImportReport | None
    problems: Mapping[str, str] = field(default_factory=dict)


def shown(connection: Connection, which: Which, now_ms: int) -> Shown | None:
    """A row as the ledger has it today; None: there is none."""
    table, key = (equipment, "id") if which.table == "equipment" else (enterprise, "uscc")
    row = connection.execute(select(table).where(table.c[key] == which.key)).mappings().first()
    if row is None:
        return None
    values = dict(row)
    if which.table == "equipment":
        machine = int(which.key)
        values["status"] = statuses_on(connection, [machine], day_of(now_ms)).get(machine)
    cells = {one.key: text_of(values.get(one.key)) for one in which.columns}
    return Shown(cells, values)


def text_of(value: object) -> str:
    """A value as a cell of a sheet holds it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".")
    return "" if value is None else str(value)


def correct(
    connection: Connection,
    which: Which,
    texts: Mapping[str, str],
    seen: str,
    doing: Doing,
    *,
    dry_run: bool,
) -> Corrected:
    """Let a row say what a person wrote.

    Args:
        connection: the city's database, in a transaction that has done nothing yet.
        which: the row.
        texts: of all cells, by column key; a key that is missing is an empty cell.
        seen: digest of the row as the person saw it.
        doing: the act.
        dry_run: change nothing, only say what would change.

    Raises:
        OutdatedError: it is another row by now, or there is none.
    """
    alone(connection, "ledger")
    row = shown(connection, which, doing.now_ms)
    if row is None or row.digest != seen:
        raise OutdatedError
    record = Record("", 0, _names(which, row), {one.key: one.key for one in TABLES[which.table]})
    problems = list(_filled(record, which, texts, day_of(doing.now_ms)))
    changes = tuple(_changes(which, row, record))
    if not problems:
        try:
            report = take_in(connection, _tables(which, record), doing, dry_run=dry_run)
        except LedgerError as error:
            problems = list(error.problems)
        else:
            return Corrected(changes, report)
    return Corrected(changes, None, {one.column: one.message for one in problems})


def _names(which: Which, row: Shown) -> dict[str, Any]:
    keys = ("uscc", "site_no", "asset_no") if which.table == "equipment" else ("uscc",)
    return {key: row.names[key] for key in keys}


def _tables(which: Which, record: Record) -> Tables:
    machines = [record] if which.table == "equipment" else []
    return Tables([] if machines else [record], machines, [], [])


def _filled(
    record: Record, which: Which, texts: Mapping[str, str], today: date
) -> Iterator[Problem]:
    """Convert the cells into the record; yields what is wrong."""
    for column in which.columns:
        text = texts.get(column.key, "").strip()
        try:
            if not text and column.required:
                yield record.problem(column.key, "is empty")
            record.values[column.key] = column.convert(text, today) if text else None
        except ValueError as error:
            yield record.problem(column.key, str(error))
    for by, on in PAIRS:
        yield from unpaired(record, by, on)


def _changes(which: Which, row: Shown, record: Record) -> Iterator[Change]:
    for column in which.columns:
        if column.key in _SAID or column.key not in record.values:
            continue
        old, new = row.texts[column.key], text_of(record.values[column.key])
        if old != new:
            yield Change(column, old, new)
