"""Import the ledger: all files or none of them; importing again updates."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import Connection, Engine

from gateway.city.db.database import alone, chunks
from gateway.city.identifiers.outbox import queue_updates
from gateway.city.ledger.changes import note_change
from gateway.city.ledger.check import check, name_of
from gateway.city.ledger.history import write_rosters, write_statuses, write_verifications
from gateway.city.ledger.importing.held import Held, read_held
from gateway.city.ledger.importing.write import Changes, write_enterprises, write_equipment
from gateway.city.ledger.machines import find_or_name
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.sheet.hidden import Hidden
from gateway.city.ledger.sheet.parsing import Tables, parse
from gateway.city.ledger.sheet.problems import LedgerError, Problem
from gateway.city.ledger.sheet.reading import LedgerSheet, read_sheets
from gateway.core.days import day_of

MANY = 1_000
"""So many new machines get their ids beforehand, in transactions of their own."""
_EMPTY = "holds no row of enterprises or equipment"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import changed, or would change.

    Attributes:
        enterprises: rows added, updated, unchanged.
        equipment: rows added, updated, unchanged.
        status_entries: entries added to the dated history.
        roster_entries: memberships begun, ended or corrected.
        updates_queued: machines whose registered identifier will be updated.
        notes: what the person who filled the files should know, by file, row and column.
    """

    enterprises: Changes
    equipment: Changes
    status_entries: int
    roster_entries: int
    updates_queued: int
    notes: tuple[Problem, ...]


def import_files(
    connection: Connection,
    files: Sequence[Path],
    now_ms: int,
    *,
    dry_run: bool = False,
    hidden: Hidden = Hidden.REFUSE,
) -> ImportReport:
    """Import CSV and XLSX files into the ledger.

    The caller's transaction makes it all or nothing; with ``dry_run`` a savepoint takes
    everything back.

    Args:
        connection: the city's database, in a transaction that has done nothing yet.
        files: tables of enterprises and of equipment, in any order.
        now_ms: UTC milliseconds.
        dry_run: change nothing, only say what would change.
        hidden: what becomes of rows and sheets that nobody sees.

    Raises:
        LedgerError: every mistake in every file; nothing was changed.
    """
    # All reading comes before the ledger is locked: a large workbook takes half a minute.
    tables, day = read_tables(files, now_ms, hidden), day_of(now_ms)
    held = _checked(connection, tables, files, day)
    new = set(map(name_of, tables.equipment)) - held.machines.ids.keys()
    if len(new) > MANY and not dry_run:
        _name_many(connection.engine, new, now_ms)
        held = _checked(connection, tables, files, day)
    alone(connection, "ledger")
    if not held.still_holds(connection):
        held = _checked(connection, tables, files, day)
    savepoint = connection.begin_nested()
    report = _write(connection, tables, held, now_ms)
    (savepoint.rollback if dry_run else savepoint.commit)()
    return report


def read_tables(files: Sequence[Path], now_ms: int, hidden: Hidden = Hidden.REFUSE) -> Tables:
    """Read and convert every file; one that cannot be read does not hide the others' mistakes."""
    sheets: list[LedgerSheet] = []
    unreadable: list[Problem] = []
    for file in files:
        try:
            sheets.extend(read_sheets(file))
        except LedgerError as error:
            unreadable.extend(error.problems)
    tables = parse(sheets, day_of(now_ms), hidden)
    tables.problems.extend(unreadable)
    return tables


def _checked(connection: Connection, tables: Tables, files: Sequence[Path], day: date) -> Held:
    """Read what the ledger holds, and see that all rows are right beside it.

    Raises:
        LedgerError: every mistake.
    """
    held = read_held(connection, tables, day)
    problems = [*tables.problems, *check(tables, held.known)]
    if not tables.enterprise and not tables.equipment and not problems:
        raise LedgerError(Problem(file.name, 0, "", _EMPTY) for file in files)
    if problems:
        raise LedgerError(problems)
    return held


def _name_many(engine: Engine, names: Iterable[MachineName], now_ms: int) -> None:
    """Give ids to many new names, some at a time, so that others write between.

    Nothing is kept of a machine that stands in no ledger and has sent nothing: who is killed here
    has changed nothing that anybody sees.
    """
    for part in chunks(names):
        begun = time.monotonic()
        with engine.begin() as connection:
            find_or_name(connection, part, day_of(now_ms), now_ms)
        time.sleep(time.monotonic() - begun)  # SQLite's writers are not served in turn


def _write(connection: Connection, tables: Tables, held: Held, now_ms: int) -> ImportReport:
    # Enterprises first, since all else refers to them; the node learns last what has changed.
    enterprises = write_enterprises(connection, tables.enterprise, held.enterprises)
    write_verifications(connection, tables.enterprise, held.verified)
    rosters = write_rosters(connection, tables.enterprise, held.known.rosters)
    machines = write_equipment(connection, tables.equipment, held.machines, now_ms)
    moved = write_statuses(
        connection, tables.equipment, machines.ids, machines.statuses, day_of(now_ms)
    )
    queued = queue_updates(connection, machines.updated | moved, now_ms)
    note_change(connection)
    return ImportReport(
        enterprises, machines.changes, len(moved), rosters, queued, tuple(sorted(tables.notes))
    )
