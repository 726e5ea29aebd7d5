"""Undo an act: a new act says again what was said before, and nothing is overwritten.

As known between the two, what the first act said stays so. Many machines are written as versions
in parts, as a large import is, so that a city writes between: none of it counts before the last
transaction, and who is killed before has undone nothing.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from sqlalchemy import Connection, select

from gateway.city.db.schema.ledger_history import ledger_act
from gateway.city.db.tables import equipment, equipment_rows
from gateway.city.identifiers.outbox import queue_updates
from gateway.city.ledger.bitemporal.acts import Doing, Kind, begin, conclude
from gateway.city.ledger.bitemporal.entries import MACHINE
from gateway.city.ledger.bitemporal.undated import Replaced, keep_undated, put_back
from gateway.city.ledger.importing.held import state_of
from gateway.city.ledger.importing.parts import (
    Begun,
    LedgerChangedError,
    begin_parts,
    clear_abandoned,
    clear_replaced,
    finish,
    mark_rows,
)
from gateway.city.ledger.importing.turns import in_turn, one_import_at_a_time
from gateway.city.ledger.importing.write import add
from gateway.city.ledger.sheet.progress import Tell, silent
from gateway.city.ledger.undoing import stops, writing
from gateway.city.ledger.undoing.undo import Undoing, undoing
from gateway.relational.database import Database, alone

MANY = 100
"""More machines than these are written beforehand, in parts."""
ATTEMPTS = 5
"""So often, if the ledger is changed meanwhile; then the last transaction writes all."""

_State = tuple[int, int]


def undo(database: Database, number: int, doing: Doing, tell: Tell = silent) -> Undoing:
    """Undo an act as :func:`undo_act` does, and clear away what a large one has replaced."""
    found = database.run_now(undo_act, number, doing, tell)
    clear_replaced(database.engine, doing.now_ms)
    return found


def undo_act(connection: Connection, number: int, doing: Doing, tell: Tell = silent) -> Undoing:
    """Undo an act.

    Args:
        connection: the city's database, in a transaction that has done nothing yet.
        number: of the act.
        doing: the new act, of kind ``UNDO``.
        tell: is told how many machines are written.

    Returns:
        What was said.

    Raises:
        UndoError: it cannot be undone; nothing was changed.
    """
    tell("compare", 0, 0)
    state, found = _seen(connection, number)
    begun: Begun | None = None
    if len(found.ids) > MANY:
        state, found, begun = _in_parts(connection, number, doing, tell)
    alone(connection, "ledger")
    if state_of(connection) != state or not (begun is None or finish(connection, begun.import_id)):
        # Somebody was faster: all is written here, and the parts never count.
        found, begun = undoing(connection, number), None
    act = begun.act if begun else begin(connection, doing)
    if begun is None:
        _write_machines(connection, act, found, doing.now_ms)
    _write_others(connection, act, found, doing.now_ms)
    conclude(
        connection, act, doing, ", ".join(f"{key} {n}" for key, n in found.counts.items() if n)
    )
    return found


def being_undone(connection: Connection, number: int) -> bool:
    """Whether the newest undoing of an act has not ended: it goes on, or it broke off.

    Nothing of one that broke off counts.
    """
    columns = ledger_act.c
    query = select(columns.change_id).where(
        columns.kind == Kind.UNDO, columns.source == str(number)
    )
    newest = connection.execute(query.order_by(columns.id.desc()).limit(1)).first()
    return newest is not None and newest.change_id is None


def _seen(connection: Connection, number: int) -> tuple[_State, Undoing]:
    state = state_of(connection)  # first: what changes while the rest is read must be noticed
    return state, undoing(connection, number)


def _in_parts(
    connection: Connection, number: int, doing: Doing, tell: Tell
) -> tuple[_State, Undoing, Begun | None]:
    """Write the machines beforehand, again if the ledger was changed meanwhile."""
    engine = connection.engine
    with one_import_at_a_time(engine):
        clear_abandoned(engine)
        for _ in range(ATTEMPTS):
            state, found = _seen(connection, number)
            begun = begin_parts(engine, doing)
            write = partial(_write_part, found=found, begun=begun, state=state, doing=doing)
            with suppress(LedgerChangedError):
                in_turn(engine, found.ids, write, partial(tell, "write"))
                return state, found, begun
    return state, found, None


def _write_part(
    connection: Connection,
    part: Sequence[int],
    found: Undoing,
    begun: Begun,
    state: _State,
    doing: Doing,
) -> None:
    """Write some machines as versions that do not count yet, and mark what they will replace.

    Raises:
        LedgerChangedError: what was written is of no use.
    """
    if state_of(connection) != state:
        raise LedgerChangedError
    said = {(one,): found.machines[one,] for one in part if (one,) in found.machines}
    statuses = {(one,): found.statuses[one,] for one in part if (one,) in found.statuses}
    undated = {one: found.undated[one] for one in part if one in found.undated}
    now = dict(writing.current(said, found.held["machines"], doing.now_ms))
    before = {one: undated[one].old for one in undated}
    query = select(equipment).where(equipment.c.id.in_(part))
    versions = [
        {**row._asdict(), **now.get(row.id, {}), **before.get(row.id, {})}
        for row in connection.execute(query)
    ]
    mark_rows(connection, part, begun.import_id)
    add(connection, equipment_rows, (one | {"import_id": begun.import_id} for one in versions))
    writing.write_attributes(connection, MACHINE, begun.act, said)
    writing.write_statuses(connection, begun.act, statuses, begun.import_id)
    back: dict[int | str, Replaced] = {
        key: Replaced(one.new, one.old) for key, one in undated.items()
    }
    keep_undated(connection, begun.act, back)


def _write_machines(connection: Connection, act: int, found: Undoing, now_ms: int) -> None:
    writing.write_machines(connection, act, found.machines, found.held["machines"], now_ms)
    writing.write_statuses(connection, act, found.statuses)
    put_back(connection, act, {k: one for k, one in found.undated.items() if isinstance(k, int)})
    queue_updates(connection, found.ids, now_ms)


def _write_others(connection: Connection, act: int, found: Undoing, now_ms: int) -> None:
    """What is not of machines, and has no versions."""
    writing.write_enterprises(connection, act, found.enterprises, found.held["enterprises"], now_ms)
    writing.write_rosters(connection, act, found.rosters)
    writing.write_verifications(connection, act, found.verifications, found.held["verifications"])
    put_back(connection, act, {k: one for k, one in found.undated.items() if isinstance(k, str)})
    stops.write(connection, act, found.stops, found.ends)
