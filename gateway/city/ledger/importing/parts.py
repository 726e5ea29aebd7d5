"""A large import writes its machines in parts, so that a city writes between them.

The parts are versions of an import that has not ended, which no reader sees (``tables.equipment``
and ``tables.equipment_status``); its last transaction, a short one, lets all of them count and
those that they replace no more. Who is killed before has changed nothing; what it left goes with
the next large import. Who is killed behind it has changed all: the replaced versions are cleared by
:func:`clear_replaced`, which also lists for the node what has changed.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import partial
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Table,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from gateway.city.db.schema.ledger_history import (
    machine_history,
    status_history,
    undated_history,
)
from gateway.city.db.schema.versions import abandoned, counts, replaced
from gateway.city.db.tables import equipment_rows, ledger_import, status_rows
from gateway.city.identifiers.outbox import queue_updates
from gateway.city.ledger.bitemporal.acts import Doing, begin, unfinished
from gateway.city.ledger.bitemporal.entries import MACHINE, write_steps
from gateway.city.ledger.bitemporal.undated import Replaced, keep_undated
from gateway.city.ledger.changes import note_change
from gateway.city.ledger.history import keep_statuses, status_entries
from gateway.city.ledger.importing.held import Held
from gateway.city.ledger.importing.plan import Version
from gateway.city.ledger.importing.turns import in_turn
from gateway.city.ledger.importing.write import add
from gateway.city.ledger.machines import name_new
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.sheet.progress import Tell


class LedgerChangedError(Exception):
    """The ledger is no longer as it was when an import read it."""


def name_in_parts(
    engine: Engine, names: Sequence[MachineName], now_ms: int, tell: Tell
) -> dict[MachineName, int]:
    """Give ids to names that have none; gives the ids of all.

    Nothing is kept of a machine that stands in no ledger and has sent nothing: who is killed here
    has changed nothing that anybody sees.
    """
    ids = dict[MachineName, int]()

    def name(connection: Connection, part: Sequence[MachineName]) -> None:
        ids.update(name_new(connection, part, now_ms))

    in_turn(engine, names, name, partial(tell, "names"))
    return ids


class Begun(NamedTuple):
    """An import that has written its parts: its number among such, and that of its act."""

    import_id: int
    act: int


def write_in_parts(
    engine: Engine, versions: Sequence[Version], held: Held, doing: Doing, tell: Tell
) -> Begun:
    """Write versions of machines, and what is said of them; none counts before :func:`finish`.

    Returns:
        What they are of.

    Raises:
        LedgerChangedError: what was written is of no use.
    """
    begun = begin_parts(engine, doing)

    def write(connection: Connection, part: Sequence[Version]) -> None:
        if not held.still_holds(connection):
            raise LedgerChangedError
        _write(connection, part, begun)

    in_turn(engine, versions, write, partial(tell, "write"))
    return begun


def begin_parts(engine: Engine, doing: Doing) -> Begun:
    """Begin what is written in parts; what others began and have not ended never counts."""
    with engine.begin() as connection:
        _give_up_others(connection)
        row = insert(ledger_import).values(begun_ms=doing.now_ms, finished=False)
        number = connection.execute(row.returning(ledger_import.c.id)).scalar_one()
        return Begun(int(number), begin(connection, doing))


def _give_up_others(connection: Connection) -> None:
    """Imports that have not ended never will: what they mark as replaced is marked anew."""
    connection.execute(delete(ledger_import).where(~ledger_import.c.finished))


def _write(connection: Connection, part: Sequence[Version], begun: Begun) -> None:
    """Write some versions, and mark those that they will replace."""
    import_id = begun.import_id
    statuses = [one.status for one in part if one.status]
    mark_rows(connection, [one.machine for one in part if one.replaces], import_id)
    days = ((one.machine, start) for one in statuses for start in one.replaces)
    mark_statuses(connection, days, import_id)
    add(connection, equipment_rows, [{**one.row, "import_id": import_id} for one in part])
    if statuses:
        connection.execute(insert(status_rows), status_entries(statuses, import_id))
    keep_statuses(connection, statuses, begun.act)
    write_steps(connection, MACHINE, begun.act, {one.machine: one.steps for one in part})
    undated: dict[int | str, Replaced] = {one.machine: one.undated for one in part if one.undated}
    keep_undated(connection, begun.act, undated)


def mark_rows(connection: Connection, machines: Sequence[int], import_id: int) -> None:
    """Mark the rows of machines that are replaced once this has ended."""
    own = (equipment_rows.c.id.in_(machines), counts(equipment_rows, ledger_import))
    if machines:
        connection.execute(update(equipment_rows).where(*own).values(replaced_by=import_id))


def mark_statuses(connection: Connection, days: Iterable[tuple[int, date]], import_id: int) -> None:
    """Mark the dated statuses of machines, by their first days, as :func:`mark_rows` does."""
    columns = status_rows.c
    keys = [{"machine": machine, "start": start} for machine, start in days]
    own = (columns.equipment_id == bindparam("machine"), columns.valid_from == bindparam("start"))
    mark = update(status_rows).where(*own, counts(status_rows, ledger_import))
    if keys:
        connection.execute(mark.values(replaced_by=import_id), keys)


def finish(connection: Connection, import_id: int) -> bool:
    """Let what an import has written count, from the end of the transaction on.

    Returns:
        False if another has begun since: then nothing of it counts.
    """
    ended = update(ledger_import).where(ledger_import.c.id == import_id)
    return connection.execute(ended.values(finished=True)).rowcount == 1


def clear_replaced(engine: Engine, now_ms: int) -> None:
    """Take away versions that were replaced, and list their machines for the node.

    A machine whose replaced version is there is one that the node may not have been told of.
    """
    columns = equipment_rows.c
    past = replaced(equipment_rows, ledger_import)
    with engine.connect() as connection:
        machines = connection.scalars(select(columns.id).where(past).distinct()).all()

    def clear(connection: Connection, part: Sequence[int]) -> None:
        queue_updates(connection, part, now_ms)
        gone = replaced(status_rows, ledger_import)
        connection.execute(delete(status_rows).where(status_rows.c.equipment_id.in_(part), gone))
        connection.execute(delete(equipment_rows).where(columns.id.in_(part), past))

    in_turn(engine, machines, clear)
    if machines:  # the registrar waits for a change; another import begins anew, so but once
        in_turn(engine, [None], _note)


def _note(connection: Connection, _: Sequence[None]) -> None:
    note_change(connection)


def clear_abandoned(engine: Engine) -> None:
    """Take away the versions of imports that were killed, or that another came before."""
    with engine.begin() as connection:
        _give_up_others(connection)
    for table in (equipment_rows, status_rows):
        _clear(engine, table, abandoned(table, ledger_import))
    for history in (machine_history, status_history, undated_history):
        _clear(engine, history, history.c.act_id.in_(unfinished()))


def _clear(engine: Engine, table: Table, some: ColumnElement[bool]) -> None:
    machine = next(iter(table.primary_key))
    with engine.connect() as connection:
        machines = connection.scalars(select(machine).where(some).distinct()).all()

    def clear(connection: Connection, part: Sequence[int]) -> None:
        connection.execute(delete(table).where(machine.in_(part), some))

    in_turn(engine, machines, clear)
