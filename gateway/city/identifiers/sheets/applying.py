"""Do what is planned for the rows of a sheet: release machines, adopt identifiers of their own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, insert

from gateway.city.access.audit import Action, note
from gateway.city.db.schema.identifiers import identifier
from gateway.city.identifiers.contents import owner_of
from gateway.city.identifiers.issued import Issue, IssuedFile
from gateway.city.identifiers.outbox import enqueue
from gateway.city.identifiers.progress.acts import release
from gateway.city.identifiers.sheets import conflicts
from gateway.city.identifiers.sheets.plan import Fate, PlannedRow
from gateway.city.ledger.machines import is_named
from gateway.city.ledger.names import MachineName
from gateway.identifier.codes.handle import Handle
from gateway.identifier.registering.registry import Outcome, Reading
from gateway.relational.database import Database

PORTION = 500
"""Rows of one transaction."""
_READERS = 8
Ask = Callable[[str], Awaitable[Reading]]
"""What a node holds of an identifier."""


async def asked(database: Database, rows: Sequence[PlannedRow], ask: Ask) -> list[PlannedRow]:
    """The plan after the node has said whose the identifiers are that would be adopted.

    An identifier of something else becomes a conflict, and so does one that nobody could ask for:
    what is adopted without asking might be another machine's.

    Args:
        database: of the city.
        rows: as planned.
        ask: reads an identifier from the node itself.
    """
    gate = asyncio.Semaphore(_READERS)

    async def one(row: PlannedRow) -> PlannedRow:
        if row.fate is not Fate.ADOPT:
            return row
        async with gate:
            why = await _objection(database, row, ask)
        return replace(row, fate=Fate.CONFLICT, handle="", why=why) if why else row

    return list(await asyncio.gather(*map(one, rows)))


async def _objection(database: Database, row: PlannedRow, ask: Ask) -> str:
    assert row.machine is not None  # noqa: S101 - only machines of the ledger are adopted for
    reading = await ask(row.handle)
    if reading.outcome is Outcome.NOT_FOUND:
        return ""
    if reading.record is None:
        return conflicts.not_asked(row.handle, reading.message)
    is_own = await database.run(is_named, row.machine.id, owner_of(reading.record))
    return "" if is_own else conflicts.foreign_record(row.handle)


def portions(rows: Sequence[PlannedRow]) -> list[Sequence[PlannedRow]]:
    """Rows that something is done for, in portions of one transaction each."""
    due = [one for one in rows if one.fate in (Fate.ISSUE, Fate.ADOPT)]
    return [due[start : start + PORTION] for start in range(0, len(due), PORTION)]


def apply(
    connection: Connection, rows: Sequence[PlannedRow], issued: IssuedFile, now_ms: int, who: str
) -> None:
    """Release the machines of a portion, and give those that have identifiers these.

    Args:
        connection: the city's database, in a transaction.
        rows: one of :func:`portions`.
        issued: what was ever issued.
        now_ms: UTC milliseconds.
        who: user of the system.

    Raises:
        IntegrityError: meanwhile one of them got an identifier; nothing was changed.
    """
    waiting = [one.machine.id for one in rows if one.machine and one.fate is Fate.ISSUE]
    if waiting:
        release(connection, waiting, now_ms, who, "a ledger sheet")
    adopted = [(one.machine.id, one) for one in rows if one.machine and one.fate is Fate.ADOPT]
    if adopted:
        connection.execute(insert(identifier), [_entry(*one, now_ms) for one in adopted])
        enqueue(connection, [machine for machine, _ in adopted], now_ms)
        for _, one in adopted:
            note(connection, now_ms, who, Action.ADOPTED, one.row.machine.uscc, one.handle)
        # Before the commit: what the database may have and the file has not could be issued twice.
        issued.add([_issue(one) for _, one in adopted], now_ms)


def _entry(machine: int, row: PlannedRow, now_ms: int) -> dict[str, Any]:
    handle = Handle.parse(row.handle)
    times = {"equipment_id": machine, "issued_ms": now_ms}
    return times | {"handle": str(handle), "handle_key": handle.key}


def _issue(row: PlannedRow) -> Issue:
    name: MachineName = row.machine.name if row.machine else row.row.machine
    return Issue(Handle.parse(row.handle), name)
