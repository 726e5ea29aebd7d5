"""What people do about machines on their way: release them, and have the node asked again.

Each is one transaction with its entry in the audit log.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, select, update

from gateway.city.access.audit import Action, note
from gateway.city.db.schema.identifiers import identifier_outbox
from gateway.city.db.tables import equipment
from gateway.city.identifiers.registering.pausing import resume
from gateway.city.identifiers.review import approve, waiting_query
from gateway.relational.database import chunks

_EXAMPLES = 5
"""Asset numbers that an entry of the audit log names."""


def release(
    connection: Connection, machines: Sequence[int], now_ms: int, who: str, whence: str
) -> None:
    """Let machines that wait for their review have their identifiers with the next pass.

    Args:
        connection: the city's database.
        machines: keys of machines.
        now_ms: UTC milliseconds.
        who: user of the system, or address of a visitor.
        whence: by what means, for the log.
    """
    approve(connection, machines, now_ms)
    for uscc, numbers in _numbers(connection, machines).items():
        detail = f"{len(numbers)} by {whence}: {', '.join(numbers[:_EXAMPLES])}"
        more = " …" if len(numbers) > _EXAMPLES else ""
        note(connection, now_ms, who, Action.RELEASED, uscc, detail + more)


def release_waiting(
    connection: Connection,
    review_ms: int,
    now_ms: int,
    who: str,
    whence: str,
    *,
    uscc: str = "",
    machines: Collection[int] | None = None,
) -> int:
    """Release those machines of an enterprise, or of a choice, that wait; returns how many.

    Args:
        connection: the city's database.
        review_ms: how long a machine waits.
        now_ms: UTC milliseconds.
        who: user of the system, or address of a visitor.
        whence: by what means, for the log.
        uscc: of the enterprise; empty: of any.
        machines: keys of the choice; None: all.
    """
    query = waiting_query(review_ms, now_ms, uscc=uscc).with_only_columns(equipment.c.id)
    chosen = query if machines is None else query.where(equipment.c.id.in_(machines))
    ids = connection.scalars(chosen).all()
    release(connection, ids, now_ms, who, whence)
    return len(ids)


def _numbers(connection: Connection, machines: Sequence[int]) -> dict[str, list[str]]:
    """Asset numbers by enterprise."""
    columns, found = equipment.c, dict[str, list[str]]()
    query = select(columns.uscc, columns.asset_no).order_by(columns.uscc, columns.asset_no)
    for part in chunks(machines):
        for row in connection.execute(query.where(columns.id.in_(part))):
            found.setdefault(row.uscc, []).append(row.asset_no)
    return found


def ask_again(connection: Connection, uscc: str, now_ms: int, who: str) -> int:
    """Have the node asked at once about entries that wait for a later time; returns how many.

    Asked about all, it is asked even while registering pauses.

    Not those that a worker is asking it about: what comes of that is not known yet.

    Args:
        connection: the city's database.
        uscc: of one enterprise; empty: of all.
        now_ms: UTC milliseconds.
        who: user of the system, or address of a visitor.
    """
    box = identifier_outbox.c
    waiting = box.state.in_(("pending", "refused")) & (box.next_attempt_ms > now_ms)
    again = update(identifier_outbox).where(waiting).values(next_attempt_ms=now_ms)
    if uscc:
        own = select(equipment.c.id).where(equipment.c.uscc == uscc)
        again = again.where(box.equipment_id.in_(own))
    if not uscc:
        resume(connection, now_ms)
    number = connection.execute(again).rowcount
    if number:
        note(connection, now_ms, who, Action.ASKED_AGAIN, uscc, f"{number} identifiers")
    return number
