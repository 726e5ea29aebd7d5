"""The durable list of what the node has yet to be told: one entry for each machine's identifier.

Every entry is in one of four states::

    pending ──claim──▶ unknown ──node confirms──▶ done
      ▲ ▲                 │                         │
      │ └──not reached────┤                         │
      │                   └──node refuses──▶ refused│
      └──ledger changed, node differs ──────────────┘

An entry is *unknown* before the node is called. A process that dies between the call and the
commit finds it so, asks again, and takes 「标识已存在」 with equal contents as success. A person
must act on what is *refused*; it is asked for again a day later, and when the ledger changes.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, case, func, insert, or_, select, update

from gateway.city.db.schema.identifiers import identifier, identifier_outbox, machine_withdrawal
from gateway.city.db.tables import equipment
from gateway.city.identifiers.contents import texts_of
from gateway.city.identifiers.entries import Difference, Verdict, Work
from gateway.city.identifiers.review import withdrawn
from gateway.city.ledger.history import statuses_on
from gateway.core.days import DAY_MS, day_of
from gateway.core.schedule import backoff_ms
from gateway.relational.database import chunks

_ERROR_LENGTH = 300
_FIRST_WAIT_MS = 1_000
_LONGEST_WAIT_MS = 300_000
_CLAIM_MS = 120_000
"""So long a claimed entry is its worker's; after a kill it is due again then."""
_REPAIR_WAIT_MS = 60_000
_REFUSED_WAIT_MS = DAY_MS

_NO_REASON = "台账：误录"
"""Where the ledger was told by the status alone."""
_NOT_TAKEN = "the node holds other values than it confirmed"


def enqueue(
    connection: Connection, machines: Iterable[int], now_ms: int, operation: str = "register"
) -> None:
    """List machines that were given an identifier for what the node is to be told of them."""
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
    """List machines whose ledger entry changed; those without identifier have no entry.

    The identifier of one that is withdrawn is withdrawn at the node, whatever else was to be told.

    Entries that the node is being told, and those that wait, are touched too: their worker then
    either has read the ledger after this transaction, or finds that it must tell the node again.

    Returns:
        How many are listed.
    """
    box = identifier_outbox.c
    # What the node has confirmed is there and is updated; what it has not may be unknown to it.
    known = case(
        (withdrawn(box.equipment_id), "withdraw"),
        ((box.state == "done") | (box.operation == "withdraw"), "update"),
        else_=box.operation,
    )
    again = update(identifier_outbox).values(
        operation=known, state="pending", attempts=0, next_attempt_ms=now_ms
    )
    return sum(
        connection.execute(again.where(box.equipment_id.in_(part))).rowcount
        for part in chunks(sorted(machines))
    )


def listed(connection: Connection, machines: Collection[int]) -> int:
    """How many of some machines :func:`queue_updates` would list."""
    box = identifier_outbox.c.equipment_id
    query = select(func.count()).select_from(identifier_outbox)
    return sum(
        connection.scalar(query.where(box.in_(part))) or 0 for part in chunks(sorted(machines))
    )


def claim(connection: Connection, now_ms: int, limit: int) -> list[Work]:
    """The oldest entries that are due, marked *unknown* because they are about to be sent.

    All are of one operation, so that they fit one call; registrations go first. Other workers
    leave them alone for two minutes.
    """
    box = identifier_outbox.c
    due = (box.state.in_(("pending", "unknown", "refused")), box.next_attempt_ms <= now_ms)
    # Alphabetical: "register" < "repair" < "update" < "withdraw": the order of a machine's life.
    operation = connection.scalar(select(func.min(box.operation)).where(*due))
    first = select(box.id).where(*due, box.operation == operation).order_by(box.id).limit(limit)
    # Materialised: PostgreSQL may run a subquery again for each row, and lock other rows then.
    oldest = first.with_for_update(skip_locked=True).cte("oldest").prefix_with("MATERIALIZED")
    mark = update(identifier_outbox).where(box.id.in_(select(oldest.c.id)))
    counted = {"attempts": box.attempts + 1, "claims": box.claims + 1}
    until = {"state": "unknown", "next_attempt_ms": now_ms + _CLAIM_MS}
    claimed = mark.values(**counted, **until).returning(box.id)
    entries = list(connection.scalars(claimed))
    return _works(connection, _described().where(box.id.in_(entries)).order_by(box.id), now_ms)


def unresolved(connection: Connection, before_ms: int, now_ms: int, limit: int) -> list[Work]:
    """Registered identifiers that were not read back since ``before_ms``.

    Those the node is yet to be told of are left out: they would differ.
    """
    due = or_(identifier.c.resolved_ms.is_(None), identifier.c.resolved_ms < before_ms)
    query = _described().where(identifier_outbox.c.state == "done", due)
    return _works(connection, query.order_by(equipment.c.id).limit(limit), now_ms)


def _described() -> Select[Any]:
    box = identifier_outbox.c
    described = equipment.join(identifier, identifier.c.equipment_id == equipment.c.id)
    return (
        select(equipment, identifier.c.handle)
        .add_columns(box.id.label("entry"), box.operation, box.attempts, box.claims)
        .add_columns(machine_withdrawal.c.reason)
        .select_from(described.join(identifier_outbox, box.equipment_id == equipment.c.id))
        .outerjoin(machine_withdrawal, machine_withdrawal.c.equipment_id == equipment.c.id)
    )


def _works(connection: Connection, query: Select[Any], now_ms: int) -> list[Work]:
    rows = connection.execute(query).all()
    statuses = statuses_on(connection, [row.id for row in rows], day_of(now_ms))
    return [
        Work(
            row.entry,
            row.id,
            row.operation,
            row.attempts,
            row.claims,
            row.handle,
            texts_of(row, statuses.get(row.id, "")),
            row.reason or _NO_REASON,
        )
        for row in rows
    ]


def note_verdicts(connection: Connection, verdicts: Sequence[Verdict], now_ms: int) -> None:
    """Commit what became of claimed entries.

    One that was listed again meanwhile stays so, and one that another worker has claimed since is
    that worker's: what was found out so late may be of a state that is no more.
    """
    if not verdicts:
        return
    box = identifier_outbox.c
    connection.execute(
        update(identifier_outbox)
        .where(box.id == bindparam("entry"), box.state == "unknown")
        .where(box.claims == bindparam("claim"))
        .values(
            state=bindparam("new_state"),
            last_error=bindparam("error"),
            next_attempt_ms=bindparam("next"),
        ),
        [_noted(one, now_ms) for one in verdicts],
    )
    done = [
        one.work.machine
        for one in verdicts
        if one.state == "done" and one.work.operation != "withdraw"
    ]
    _stamp(connection, done, registered_ms=now_ms)


def _noted(verdict: Verdict, now_ms: int) -> dict[str, Any]:
    return {
        "entry": verdict.work.id,
        "claim": verdict.work.claims,
        "new_state": verdict.state,
        "error": verdict.error[:_ERROR_LENGTH],
        "next": now_ms + _wait_ms(verdict),
    }


def _wait_ms(verdict: Verdict) -> int:
    if verdict.state == "refused":
        return _REFUSED_WAIT_MS
    return backoff_ms(verdict.work.attempts, _FIRST_WAIT_MS, _LONGEST_WAIT_MS)


def mark_resolved(connection: Connection, works: Sequence[Work], now_ms: int) -> None:
    """Note that identifiers were read back equal; a repair is a success then.

    Not of those that were listed or claimed again meanwhile: they were read before.
    """
    if not works:
        return
    box = identifier_outbox.c
    unchanged = select(box.equipment_id).where(*_AS_READ)
    own = update(identifier).where(identifier.c.equipment_id.in_(unchanged))
    connection.execute(own.values(resolved_ms=now_ms), _read(works))
    if repaired := [one for one in works if one.operation == "repair"]:
        entry = update(identifier_outbox).where(*_AS_READ)
        connection.execute(entry.values(operation="update"), _read(repaired))


def mark_different(connection: Connection, different: Sequence[Difference], now_ms: int) -> None:
    """Note that identifiers were read back with other values, or not found.

    The node is told again after a minute; if it was already, or that would be wrong, a person must
    act.
    """
    told, refused = list[dict[str, Any]](), list[dict[str, Any]]()
    for one in different:
        was_told = one.work.operation in ("repair", "withdraw")
        why = one.why or (_NOT_TAKEN if was_told else "")
        row = {"entry": one.work.id, "claim": one.work.claims, "why": why[:_ERROR_LENGTH]}
        (refused if why else told).append(row)
    box = identifier_outbox.c
    for rows, state, wait_ms in (
        (told, "pending", _REPAIR_WAIT_MS),
        (refused, "refused", _REFUSED_WAIT_MS),
    ):
        operation = case((box.operation == "withdraw", "withdraw"), else_="repair")
        changes = {"operation": operation, "state": state, "last_error": bindparam("why")}
        own = update(identifier_outbox).where(*_AS_READ)
        if rows:
            due = own.values(next_attempt_ms=now_ms + wait_ms, attempts=0, **changes)
            connection.execute(due, rows)


_AS_READ = (
    identifier_outbox.c.id == bindparam("entry"),
    identifier_outbox.c.claims == bindparam("claim"),
    identifier_outbox.c.state == "done",
)
"""The entry as it was when the node was asked: done, and not listed or claimed since."""


def _read(works: Sequence[Work]) -> list[dict[str, int]]:
    return [{"entry": one.id, "claim": one.claims} for one in works]


def _stamp(connection: Connection, machines: Sequence[int], **times: int) -> None:
    if machines:
        query = update(identifier).where(identifier.c.equipment_id == bindparam("machine"))
        connection.execute(query.values(**times), [{"machine": one} for one in machines])
