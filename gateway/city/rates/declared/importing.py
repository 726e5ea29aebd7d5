"""Import declared values: all rows of all files, or nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from gateway.city.access.audit import Action, note
from gateway.city.ledger.sheet.columns.tables import headers
from gateway.city.ledger.sheet.problems import LedgerError, Problem
from gateway.city.ledger.sheet.reading import LedgerSheet, read_sheets
from gateway.city.rates.declared.sheet import COLUMNS, Declaration, declarations
from gateway.city.rates.declared.values import declared, known_enterprises, write
from gateway.core.days import day_of

_TITLES = frozenset(headers(COLUMNS))


class Imported(NamedTuple):
    """What an import did.

    Attributes:
        rows: rows of the files.
        new: values that were not known yet, or are others now.
    """

    rows: int
    new: int


def read_declared(files: Sequence[Path]) -> list[LedgerSheet]:
    """The sheets of all files.

    Raises:
        LedgerError: of all files that cannot be read.
    """
    sheets, problems = list[LedgerSheet](), list[Problem]()
    for file in files:
        try:
            sheets.extend(read_sheets(file, _TITLES))
        except LedgerError as error:
            problems.extend(error.problems)
    if problems:
        raise LedgerError(problems)
    return sheets


def import_declared(
    connection: Connection,
    sheets: Sequence[LedgerSheet],
    now_ms: int,
    made_by: str,
    *,
    dry_run: bool = False,
) -> Imported:
    """Write what is new of the sheets; earlier values stay, and are what was known before.

    Raises:
        LedgerError: every mistake; nothing is written then.
    """
    rows = declarations(sheets, day_of(now_ms), known_enterprises(connection))
    if dry_run:
        return Imported(len(rows), len(new_of(connection, rows)))
    new = write(connection, new_of(connection, rows), now_ms, made_by)
    if new:
        months = ", ".join(sorted({one.month for one in rows}))
        note(connection, now_ms, made_by, Action.DECLARED, months, f"{new} of {len(rows)} rows")
    return Imported(len(rows), new)


def new_of(connection: Connection, rows: Sequence[Declaration]) -> list[Declaration]:
    """Those that are not known as they are."""
    known = {month: declared(connection, month) for month in {one.month for one in rows}}
    return [
        one for one in rows if (held := known[one.month].get(one.uscc)) is None or held.value != one
    ]
