"""Import the ledger: all files or none of them; importing again updates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from sqlalchemy import Connection

from gateway.city.db.database import alone
from gateway.city.identifiers.outbox import queue_updates
from gateway.city.ledger.changes import note_change
from gateway.city.ledger.check import check, name_of
from gateway.city.ledger.history import write_rosters, write_statuses, write_verifications
from gateway.city.ledger.importing.held import Held, read_held
from gateway.city.ledger.importing.parts import (
    Parts,
    counted,
    finish,
    is_new,
    name_in_parts,
    write_in_parts,
)
from gateway.city.ledger.importing.write import Changes, write_enterprises, write_equipment
from gateway.city.ledger.sheet.hidden import Hidden
from gateway.city.ledger.sheet.parsing import Tables, parse
from gateway.city.ledger.sheet.problems import LedgerError, Problem
from gateway.city.ledger.sheet.reading import LedgerSheet, read_sheets
from gateway.core.days import day_of

MANY = 1_000
"""More new machines than these are written beforehand, in parts."""
ATTEMPTS = 3
"""So often the parts are written before the last transaction writes all of them itself."""
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

    The caller's transaction makes it all or nothing: many new machines are written before it, but
    count only when it has ended. With ``dry_run`` a savepoint takes everything back.

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
    parts = _without_parts(tables, held, dry_run=dry_run)
    new = [name_of(one) for one in tables.equipment if is_new(one, held)]
    if len(new) > MANY and not dry_run:
        name_in_parts(connection.engine, new, now_ms)
        held, parts = _in_parts(connection, tables, files, now_ms)
    alone(connection, "ledger")
    valid = held.still_holds(connection) and (not parts.import_id or finish(connection, parts))
    if not valid:  # somebody was faster: all is written here, and the parts never count
        held = _checked(connection, tables, files, day)
        parts = _without_parts(tables, held, dry_run=dry_run)
    savepoint = connection.begin_nested()
    report = _write(connection, tables, held, parts, now_ms)
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


def _without_parts(tables: Tables, held: Held, *, dry_run: bool) -> Parts:
    return counted(tables, held) if dry_run else Parts(0, 0, tables.equipment)


def _in_parts(
    connection: Connection, tables: Tables, files: Sequence[Path], now_ms: int
) -> tuple[Held, Parts]:
    """Write the new machines beforehand, again if the ledger was changed meanwhile."""
    engine, day = connection.engine, day_of(now_ms)
    for _ in range(ATTEMPTS):
        held = _checked(connection, tables, files, day)
        parts = write_in_parts(engine, tables, held, now_ms)
        if held.still_holds(connection):
            break
    return held, parts


def _write(
    connection: Connection, tables: Tables, held: Held, parts: Parts, now_ms: int
) -> ImportReport:
    # Enterprises first, since all else refers to them; the node learns last what has changed.
    enterprises = write_enterprises(connection, tables.enterprise, held.enterprises)
    write_verifications(connection, tables.enterprise, held.verified)
    rosters = write_rosters(connection, tables.enterprise, held.known.rosters)
    machines = write_equipment(connection, parts.rest, held.machines, now_ms)
    day = day_of(now_ms)
    moved = write_statuses(connection, parts.rest, machines.ids, machines.statuses, day)
    queued = queue_updates(connection, machines.updated | moved.machines, now_ms)
    note_change(connection)
    changes, early = machines.changes, parts.machines
    return ImportReport(
        enterprises=enterprises,
        equipment=replace(changes, added=changes.added + early),
        status_entries=len(moved.machines) + early,
        roster_entries=rosters,
        updates_queued=queued,
        notes=tuple(sorted([*tables.notes, *moved.notes])),
    )
