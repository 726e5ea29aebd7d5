"""Import the ledger: all files or none of them; importing again updates."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

from sqlalchemy import Connection

from gateway.city.identifiers.outbox import queue_updates
from gateway.city.ledger.bitemporal.acts import Doing, Kind, begin, conclude
from gateway.city.ledger.check import check, formerly, name_of
from gateway.city.ledger.history import (
    StatusChange,
    status_change,
    status_notes,
    write_statuses,
)
from gateway.city.ledger.importing.beforehand import (
    Beforehand,
    nothing,
    only_counted,
    written,
)
from gateway.city.ledger.importing.enterprises import write_rosters, write_verifications
from gateway.city.ledger.importing.held import Held, read_held
from gateway.city.ledger.importing.parts import (
    LedgerChangedError,
    clear_abandoned,
    clear_replaced,
    finish,
    name_in_parts,
    write_in_parts,
)
from gateway.city.ledger.importing.plan import Plan, first_other, planned
from gateway.city.ledger.importing.report import ImportReport
from gateway.city.ledger.importing.terms import FREELY, Terms, digest
from gateway.city.ledger.importing.turns import one_import_at_a_time
from gateway.city.ledger.importing.write import (
    said_notes,
    write_enterprises,
    write_equipment,
)
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.sheet.hidden import Hidden
from gateway.city.ledger.sheet.parsing import Tables, parse
from gateway.city.ledger.sheet.problems import LedgerError, Problem, gathered
from gateway.city.ledger.sheet.progress import Tell, silent
from gateway.city.ledger.sheet.reading import LedgerSheet, read_sheets
from gateway.core.days import day_of
from gateway.relational.database import Database, alone

MANY = 100
"""More machines than these, new or changed, are written beforehand, in parts."""
ATTEMPTS = 5
"""So often the parts are written before the last transaction writes all of them itself."""
_EMPTY = "holds no row of enterprises or equipment"


def import_ledger(
    database: Database,
    files: Sequence[Path],
    now_ms: int,
    *,
    dry_run: bool = False,
    hidden: Hidden = Hidden.REFUSE,
    made_by: str = "",
    effective: date | None = None,
    terms: Terms = FREELY,
) -> ImportReport:
    """Import files as :func:`import_files` does, and clear away what a large one has replaced."""
    report = database.run_now(
        import_files,
        files,
        now_ms,
        dry_run=dry_run,
        hidden=hidden,
        made_by=made_by,
        effective=effective,
        terms=terms,
    )
    if not dry_run:
        clear_replaced(database.engine, now_ms)
    return report


def import_files(
    connection: Connection,
    files: Sequence[Path],
    now_ms: int,
    *,
    dry_run: bool = False,
    hidden: Hidden = Hidden.REFUSE,
    made_by: str = "",
    effective: date | None = None,
    terms: Terms = FREELY,
) -> ImportReport:
    """Import CSV and XLSX files into the ledger.

    The caller's transaction makes it all or nothing: many machines are written before it, but
    count only when it has ended. With ``dry_run`` a savepoint takes everything back.

    Args:
        connection: the city's database, in a transaction that has done nothing yet.
        files: tables of enterprises and of equipment, in any order.
        now_ms: UTC milliseconds.
        dry_run: change nothing, only say what would change.
        hidden: what becomes of rows and sheets that nobody sees.
        made_by: who imports; kept with what the files say.
        effective: day from which holds what rows change that name none; None: the day of import.
        terms: what it is bound to.

    Raises:
        LedgerError: every mistake in every file; nothing was changed.
        OutdatedError: the ledger is not what the terms say was seen; nothing was changed.
    """
    doing = Doing(Kind.IMPORT, made_by, ", ".join(file.name for file in files), now_ms)
    # All reading comes before the ledger is locked: a large workbook takes half a minute.
    tables = read_tables(files, now_ms, hidden, terms.tell)
    if not tables.enterprise and not tables.equipment and not tables.problems:
        raise LedgerError(Problem(file.name, 0, "", _EMPTY) for file in files)
    for record in (*tables.enterprise, *tables.equipment) if effective else ():
        record.values["valid_from"] = record.values.get("valid_from") or effective
    return take_in(connection, tables, doing, dry_run=dry_run, terms=terms)


def take_in(
    connection: Connection,
    tables: Tables,
    doing: Doing,
    *,
    dry_run: bool = False,
    terms: Terms = FREELY,
) -> ImportReport:
    """Let the ledger say what rows say, as :func:`import_files` does.

    Args:
        connection: the city's database, in a transaction that has done nothing yet.
        tables: the rows, with what is wrong with them.
        doing: the act by which they are said.
        dry_run: change nothing, only say what would change.
        terms: what it is bound to.

    Raises:
        LedgerError: every mistake; nothing was changed.
        OutdatedError: the ledger is not what the terms say was seen; nothing was changed.
    """
    day = day_of(doing.now_ms)
    held = _checked(connection, tables, day, terms)
    basis = digest(held, day) if dry_run else ""
    plan = planned(tables.equipment, held.machines, day)
    if not dry_run and len(plan.versions) + len(plan.unnamed) > MANY:
        held, beforehand = _in_parts(connection, tables, held, doing, terms)
    else:
        beforehand = _at_once(connection, plan, held, day, dry_run=dry_run)
    alone(connection, "ledger")
    if not (held.still_holds(connection) and _finished(connection, beforehand)):
        # Somebody was faster: all is written here, and the parts never count.
        held = _checked(connection, tables, day, terms)
        plan = planned(tables.equipment, held.machines, day)
        beforehand = _at_once(connection, plan, held, day, dry_run=dry_run)
    savepoint = connection.begin_nested()
    report = _write(connection, tables, held, beforehand, doing)
    (savepoint.rollback if dry_run else savepoint.commit)()
    return replace(report, basis=basis)


def read_tables(
    files: Sequence[Path], now_ms: int, hidden: Hidden = Hidden.REFUSE, tell: Tell = silent
) -> Tables:
    """Read and convert every file; one that cannot be read does not hide the others' mistakes."""
    sheets: list[LedgerSheet] = []
    unreadable: list[Problem] = []
    for done, file in enumerate(files):
        tell("files", done, len(files))
        try:
            sheets.extend(read_sheets(file, tell=tell))
        except LedgerError as error:
            unreadable.extend(error.problems)
    tables = parse(sheets, day_of(now_ms), hidden, tell)
    tables.problems.extend(unreadable)
    return tables


def _checked(connection: Connection, tables: Tables, day: date, terms: Terms) -> Held:
    """Read what the ledger holds, and see that all rows are right beside it.

    Raises:
        LedgerError: every mistake.
        OutdatedError: the ledger is not what the terms say was seen.
    """
    terms.tell("compare", 0, 0)
    held = read_held(connection, tables, day)
    problems = [*tables.problems, *check(tables, held.known), *terms.foreign(tables, held)]
    if problems:
        raise LedgerError(problems)
    terms.demand_seen(held, day)
    return held


def _at_once(
    connection: Connection, plan: Plan, held: Held, day: date, *, dry_run: bool
) -> Beforehand:
    if dry_run:
        return only_counted(connection, plan, held.machines, day)
    return nothing(plan)


def _in_parts(
    connection: Connection, tables: Tables, held: Held, doing: Doing, terms: Terms
) -> tuple[Held, Beforehand]:
    """Write the machines beforehand, again if the ledger was changed meanwhile."""
    engine, day = connection.engine, day_of(doing.now_ms)
    with one_import_at_a_time(engine):
        clear_abandoned(engine)
        for _ in range(ATTEMPTS):
            if not held.still_holds(connection):
                held = _checked(connection, tables, day, terms)
            new = _without_id(tables, held)
            held = held.with_ids(name_in_parts(engine, new, doing.now_ms, terms.tell))
            plan = planned(tables.equipment, held.machines, day)
            with suppress(LedgerChangedError):
                begun = write_in_parts(engine, plan.versions, held, doing, terms.tell)
                return held, written(connection, begun, plan)
    return held, nothing(plan)


def _without_id(tables: Tables, held: Held) -> list[MachineName]:
    """Names of machines without an id, but for those that a renaming gives."""
    names = (name_of(one) for one in tables.equipment if formerly(one) is None)
    return [one for one in names if one not in held.machines.ids]


def _finished(connection: Connection, beforehand: Beforehand) -> bool:
    return beforehand.begun is None or finish(connection, beforehand.begun.import_id)


def _write(
    connection: Connection, tables: Tables, held: Held, beforehand: Beforehand, doing: Doing
) -> ImportReport:
    day = day_of(doing.now_ms)
    act = beforehand.begun.act if beforehand.begun else begin(connection, doing)
    # Enterprises first, since all else refers to them; the node learns last what has changed.
    enterprises = write_enterprises(connection, tables.enterprise, held, act, day)
    write_verifications(connection, tables.enterprise, held.verified, act)
    rosters = write_rosters(connection, tables.enterprise, held.known.rosters, act)
    machines = write_equipment(connection, beforehand.rest, held.machines, doing.now_ms, act)
    notes, statuses = [*beforehand.notes, *enterprises.notes], list[StatusChange]()
    since = beforehand.since + enterprises.since
    for record, machine in zip(beforehand.rest, machines.ids, strict=True):
        history, said = machines.statuses.get(machine, {}), machines.said[machine]
        notes.extend((*status_notes(record, history, day), *said_notes(record, said, day)))
        change = status_change(record, machine, history, day)
        statuses.extend([change] if change else [])
        is_new = (machine,) not in held.machines.rows
        if first := first_other(said, change, is_new=is_new, today=day):
            since[first] += 1
    write_statuses(connection, statuses, act)
    changed = machines.updated | {one.machine for one in statuses}
    queued = queue_updates(connection, changed, doing.now_ms)
    report = ImportReport(
        enterprises=enterprises.changes,
        equipment=machines.changes + beforehand.machines,
        status_entries=len(statuses) + beforehand.status_entries,
        roster_entries=rosters,
        updates_queued=queued + beforehand.updates,
        notes=tuple(gathered([*tables.notes, *notes])),
        since=since,
    )
    conclude(connection, act, doing, report.counted)
    return report
