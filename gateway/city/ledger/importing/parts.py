"""A large import writes its new machines in parts, so that a city writes between them.

SQLite has one writer: 100,000 machines in one transaction keep every gateway waiting for seconds.
The parts are rows of an import that has not ended, which no reader sees (``tables.equipment``);
its last transaction, a short one, lets all of them count. Who is killed before has changed
nothing: another import takes the rows that it names anew, and after a day all of them go.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, Engine, func, insert, select, update

from gateway.city.db.database import alone, chunks
from gateway.city.db.tables import equipment_rows, ledger_import
from gateway.city.ledger.check import formerly, name_of
from gateway.city.ledger.history import write_statuses
from gateway.city.ledger.importing.held import Held
from gateway.city.ledger.importing.write import add_part, discard
from gateway.city.ledger.machines import find_or_name
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.sheet.parsing import Record, Tables
from gateway.core.days import DAY_MS, day_of

T = TypeVar("T")

A_PART = 100
"""Rows of a transaction: with 500, commits of a busy city waited for up to 0.9 s."""
_ABANDONED_MS = DAY_MS


@dataclass(frozen=True, slots=True)
class Parts:
    """Machines that are written beforehand, or by a dry run only counted.

    Attributes:
        import_id: whose rows they are; 0: nothing is written.
        machines: how many.
        rest: the other rows of equipment, which the last transaction writes.
    """

    import_id: int
    machines: int
    rest: Sequence[Record]


def is_new(record: Record, held: Held) -> bool:
    """Whether a row only adds a machine: it is in no ledger, and the row renames none."""
    number = held.machines.ids.get(name_of(record))
    return (number,) not in held.machines.rows and formerly(record) is None


def counted(tables: Tables, held: Held) -> Parts:
    """For a dry run, the new machines: each would be a row and a status."""
    rest = [one for one in tables.equipment if not is_new(one, held)]
    return Parts(0, len(tables.equipment) - len(rest), rest)


def name_in_parts(engine: Engine, names: Iterable[MachineName], now_ms: int) -> None:
    """Give ids to new names.

    Nothing is kept of a machine that stands in no ledger and has sent nothing: who is killed here
    has changed nothing that anybody sees.
    """

    def name(connection: Connection, part: Sequence[MachineName]) -> None:
        find_or_name(connection, part, day_of(now_ms), now_ms)

    _in_turn(engine, names, name)


def write_in_parts(engine: Engine, tables: Tables, held: Held, now_ms: int) -> Parts:
    """Write the new machines with their statuses; none counts before :func:`finish`.

    Left for the last transaction are those of an enterprise that is new itself, which their rows
    refer to, and those that are given another machine's former number.
    """
    import_id = _begin(engine, now_ms)
    ids, here = held.machines.ids, held.known.enterprises
    new, rest = list[Record](), list[Record]()
    for one in tables.equipment:
        early = is_new(one, held) and one.values["uscc"] in here and name_of(one) in ids
        (new if early else rest).append(one)

    def write(connection: Connection, part: Sequence[Record]) -> None:
        alone(connection, "ledger")  # two imports at once may name the same machine
        if not held.still_holds(connection):
            return  # what is written by it is of no use, and another may have added a machine
        own = [ids[name_of(one)] for one in part]
        add_part(connection, part, own, import_id)
        write_statuses(connection, part, own, {}, day_of(now_ms))

    _in_turn(engine, new, write)
    return Parts(import_id, len(new), rest)


def finish(connection: Connection, parts: Parts) -> bool:
    """Let the parts count, from the end of the transaction on.

    Returns:
        False if another import has taken a machine of theirs: then none counts.
    """
    own = equipment_rows.c.import_id == parts.import_id
    written = connection.scalar(select(func.count()).select_from(equipment_rows).where(own))
    if written != parts.machines:
        return False
    ended = update(ledger_import).where(ledger_import.c.id == parts.import_id)
    connection.execute(ended.values(finished=True))
    return True


def _begin(engine: Engine, now_ms: int) -> int:
    _clear_abandoned(engine, now_ms)
    with engine.begin() as connection:
        row = insert(ledger_import).values(begun_ms=now_ms, finished=False)
        return int(connection.execute(row.returning(ledger_import.c.id)).scalar_one())


def _clear_abandoned(engine: Engine, now_ms: int) -> None:
    """Take away the rows of imports that were killed long ago."""
    imports, rows = ledger_import.c, equipment_rows.c
    old = select(imports.id).where(~imports.finished, imports.begun_ms < now_ms - _ABANDONED_MS)
    with engine.connect() as connection:
        left = connection.scalars(select(rows.id).where(rows.import_id.in_(old))).all()

    def clear(connection: Connection, part: Sequence[int]) -> None:
        alone(connection, "ledger")
        discard(connection, part)

    _in_turn(engine, left, clear)


def _in_turn(
    engine: Engine, items: Iterable[T], write: Callable[[Connection, Sequence[T]], None]
) -> None:
    """Write some at a time, each part in a transaction of its own, and let others write between."""
    for part in chunks(items, A_PART):
        begun = time.monotonic()
        with engine.begin() as connection:
            write(connection, part)
        time.sleep(time.monotonic() - begun)  # SQLite's writers are not served in turn
