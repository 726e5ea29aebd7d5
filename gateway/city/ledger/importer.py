"""Import the ledger: all files or none of them; importing again updates."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import Connection, select

from gateway.city.db.database import alone
from gateway.city.db.tables import enterprise, roster_member
from gateway.city.identifiers.outbox import queue_updates
from gateway.city.ledger.changes import note_change
from gateway.city.ledger.check import Known, check, formerly, name_of
from gateway.city.ledger.history import write_rosters, write_statuses, write_verifications
from gateway.city.ledger.machines import find
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.renaming import current_names
from gateway.city.ledger.rosters import Membership
from gateway.city.ledger.sheet.hidden import Hidden
from gateway.city.ledger.sheet.parsing import Record, Tables, parse
from gateway.city.ledger.sheet.problems import LedgerError, Problem
from gateway.city.ledger.sheet.reading import LedgerSheet, read_sheets
from gateway.city.ledger.write import Changes, write_enterprises, write_equipment
from gateway.core.days import day_of

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
    # Before the ledger is locked: a large workbook takes half a minute to read.
    tables = read_tables(files, now_ms, hidden)
    alone(connection, "ledger")
    known = _known(connection, tables.equipment, day_of(now_ms))
    problems = [*tables.problems, *check(tables, known)]
    if not tables.enterprise and not tables.equipment and not problems:
        raise LedgerError(Problem(file.name, 0, "", _EMPTY) for file in files)
    if problems:
        raise LedgerError(problems)
    savepoint = connection.begin_nested()
    report = _write(connection, tables, known, now_ms)
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


def _known(connection: Connection, records: Sequence[Record], today: date) -> Known:
    rows = connection.execute(select(enterprise.c.uscc, enterprise.c.identifier_code)).all()
    rosters: dict[tuple[str, str], list[Membership]] = defaultdict(list)
    for row in connection.execute(select(roster_member)):
        membership = Membership(row.valid_from, row.valid_to, row.approved_by)
        rosters[row.roster, row.uscc].append(membership)
    machines, former = _renamed(connection, records, today)
    return Known(
        enterprises=frozenset(row.uscc for row in rows),
        identifier_codes={row.identifier_code: row.uscc for row in rows if row.identifier_code},
        rosters=rosters,
        machines=machines,
        former=former,
    )


def _renamed(
    connection: Connection, records: Sequence[Record], today: date
) -> tuple[dict[MachineName, int], dict[MachineName, MachineName]]:
    """Of the numbers that renamings speak of: the ledger's machines, and who has given one up."""
    renamed = [
        (name_of(one), old)
        for one in records
        if one.values.get("asset_no") and (old := formerly(one))
    ]
    found = find(connection, {name for pair in renamed for name in pair}, today)
    held = current_names(connection, found.values())
    machines = {name.key: one for name, one in found.items() if held.get(one) == name.key}
    former = {name.key: held[one] for name, one in found.items() if one in held}
    return machines, former


def _write(connection: Connection, tables: Tables, known: Known, now_ms: int) -> ImportReport:
    # Enterprises first, since all else refers to them; the node learns last what has changed.
    enterprises = write_enterprises(connection, tables.enterprise)
    write_verifications(connection, tables.enterprise)
    rosters = write_rosters(connection, tables.enterprise, known.rosters)
    machines = write_equipment(connection, tables.equipment, now_ms)
    moved = write_statuses(connection, tables.equipment, machines.ids, day_of(now_ms))
    queued = queue_updates(connection, machines.updated | moved, now_ms)
    note_change(connection)
    return ImportReport(
        enterprises, machines.changes, len(moved), rosters, queued, tuple(sorted(tables.notes))
    )
