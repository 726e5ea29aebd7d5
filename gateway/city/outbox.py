"""The durable list of what the node has yet to be told of machines and their identifiers.

Every entry is in one of four states::

    pending ──claim──▶ unknown ──node confirms──▶ done
       ▲                  │
       └──not reached─────┤
                          └──node refuses──▶ refused   (a person must act)

An entry is *unknown* before the node is called. A process that dies between the call and the
commit finds it so, asks again, and takes 「标识已存在」 with equal contents as success.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, func, insert, or_, select, update

from gateway.city.db.tables import equipment, equipment_status, identifier, identifier_outbox
from gateway.city.ledger.codes import STATUSES
from gateway.core.books import day_of
from gateway.core.schedule import backoff_ms

OPEN = ("pending", "unknown")
"""States that the registrar still works on."""

_CHUNK = 500
_ERROR_LENGTH = 300
_FIRST_WAIT_MS = 1_000
_LONGEST_WAIT_MS = 300_000


def enqueue(connection: Connection, machines: Iterable[int], operation: str, now_ms: int) -> None:
    """List machines for the node."""
    rows = [
        {
            "equipment_id": machine,
            "operation": operation,
            "state": "pending",
            "attempts": 0,
            "next_attempt_ms": now_ms,
        }
        for machine in machines
    ]
    if rows:
        connection.execute(insert(identifier_outbox), rows)


def queue_updates(connection: Connection, machines: Collection[int], now_ms: int) -> int:
    """List machines whose ledger entry changed, if the node knows them and no change waits.

    A change while the node is being told is listed again: only entries that have not been
    claimed yet carry it.
    """
    chosen = sorted(machines)
    queued: set[int] = set()
    for start in range(0, len(chosen), _CHUNK):
        part = chosen[start : start + _CHUNK]
        known = select(identifier.c.equipment_id).where(identifier.c.equipment_id.in_(part))
        waiting = select(identifier_outbox.c.equipment_id).where(
            identifier_outbox.c.equipment_id.in_(part), identifier_outbox.c.state == "pending"
        )
        queued |= set(connection.scalars(known)) - set(connection.scalars(waiting))
    enqueue(connection, sorted(queued), "update", now_ms)
    return len(queued)


@dataclass(frozen=True, slots=True)
class Work:
    """One entry of the list with what the node must hold.

    Attributes:
        id: key of the entry.
        machine: key of the machine.
        operation: ``register`` or ``update``.
        attempts: how often it was tried, this time included.
        handle: the identifier.
        texts: metadata by ``idType``.
    """

    id: int
    machine: int
    operation: str
    attempts: int
    handle: str
    texts: Mapping[str, str]


def claim(connection: Connection, now_ms: int, limit: int) -> list[Work]:
    """The oldest entries that are due, marked *unknown* because they are about to be sent.

    All are of one operation, so that they fit one call; registrations go first.
    """
    box = identifier_outbox.c
    due = (box.state.in_(OPEN), box.next_attempt_ms <= now_ms, ~_awaiting_registration())
    operation = connection.scalar(select(func.min(box.operation)).where(*due))
    query = (
        _described(identifier_outbox.join(equipment))
        .add_columns(box.id.label("entry"), box.operation, box.attempts)
        .where(*due, box.operation == operation)
        .order_by(box.id)
        .limit(limit)
    )
    rows = connection.execute(query).all()
    statuses = _statuses(connection, now_ms, [row.id for row in rows])
    if rows:
        mark = update(identifier_outbox).where(box.id == bindparam("entry"))
        connection.execute(
            mark.values(state="unknown", attempts=box.attempts + 1),
            [{"entry": row.entry} for row in rows],
        )
    return [
        Work(
            row.entry,
            row.id,
            row.operation,
            row.attempts + 1,
            row.handle,
            _texts(row, statuses.get(row.id, "")),
        )
        for row in rows
    ]


def _awaiting_registration() -> Any:
    """An update whose machine the node may not know yet."""
    earlier = identifier_outbox.alias()
    return (identifier_outbox.c.operation == "update") & exists().where(
        earlier.c.equipment_id == identifier_outbox.c.equipment_id,
        earlier.c.operation == "register",
        earlier.c.state.in_(OPEN),
    )


def _described(source: Any) -> Any:
    return select(equipment, identifier.c.handle).select_from(
        source.join(identifier, identifier.c.equipment_id == equipment.c.id)
    )


def unresolved(
    connection: Connection, before_ms: int, now_ms: int, limit: int
) -> list[tuple[int, str, Mapping[str, str]]]:
    """Machine, handle and metadata of registered identifiers not read back since ``before_ms``.

    Those the node is yet to be told of a change are left out: they would differ.
    """
    box = identifier_outbox
    waiting = select(box.c.equipment_id).where(box.c.state.in_(OPEN))
    query = (
        _described(equipment)
        .where(
            identifier.c.registered_ms.is_not(None),
            or_(identifier.c.resolved_ms.is_(None), identifier.c.resolved_ms < before_ms),
            identifier.c.equipment_id.not_in(waiting),
        )
        .order_by(identifier.c.equipment_id)
        .limit(limit)
    )
    rows = connection.execute(query).all()
    statuses = _statuses(connection, now_ms, [row.id for row in rows])
    return [(row.id, row.handle, _texts(row, statuses.get(row.id, ""))) for row in rows]


def _statuses(connection: Connection, now_ms: int, machines: Sequence[int]) -> dict[int, str]:
    """The status that holds today, by machine."""
    columns, found = equipment_status.c, dict[int, str]()
    for start in range(0, len(machines), _CHUNK):
        query = (
            select(columns.equipment_id, columns.status)
            .where(
                columns.equipment_id.in_(machines[start : start + _CHUNK]),
                columns.valid_from <= day_of(now_ms),
            )
            .order_by(columns.valid_from)
        )
        found.update((row.equipment_id, row.status) for row in connection.execute(query))
    return found


def _texts(row: Row[Any], status: str) -> dict[str, str]:
    place = (row.site_no, row.workshop, row.line)
    return {
        "equipName": row.name,
        "equipModel": row.model,
        "manufacturer": row.maker,
        "serialNo": row.serial_no,
        "enterpriseUscc": row.uscc,
        "equipClass": row.category or row.equipment_class,
        "assetNo": row.asset_no,
        "installDate": row.commissioned_on.isoformat() if row.commissioned_on else "",
        "location": "/".join(part for part in place if part),
        "accessProtocol": row.interfaces,
        "runStatus": STATUSES[status].zh if status in STATUSES else status,
    }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an entry: ``done``, ``refused``, ``pending`` or ``unknown``."""

    work: Work
    state: str
    error: str = ""


def settle(connection: Connection, outcomes: Sequence[Outcome], now_ms: int) -> None:
    """Commit what became of entries; open ones wait longer after each attempt."""
    if not outcomes:
        return
    connection.execute(
        update(identifier_outbox)
        .where(identifier_outbox.c.id == bindparam("entry"))
        .values(
            state=bindparam("new_state"),
            last_error=bindparam("error"),
            next_attempt_ms=bindparam("next"),
        ),
        [
            {
                "entry": one.work.id,
                "new_state": one.state,
                "error": one.error[:_ERROR_LENGTH],
                "next": now_ms + backoff_ms(one.work.attempts, _FIRST_WAIT_MS, _LONGEST_WAIT_MS),
            }
            for one in outcomes
        ],
    )
    done = [one.work.machine for one in outcomes if one.state == "done"]
    _stamp(connection, done, registered_ms=now_ms)


def mark_resolved(connection: Connection, machines: Sequence[int], now_ms: int) -> None:
    """Note that identifiers were read back equal."""
    _stamp(connection, machines, resolved_ms=now_ms)


def _stamp(connection: Connection, machines: Sequence[int], **times: int) -> None:
    if machines:
        query = update(identifier).where(identifier.c.equipment_id == bindparam("machine"))
        connection.execute(query.values(**times), [{"machine": one} for one in machines])
