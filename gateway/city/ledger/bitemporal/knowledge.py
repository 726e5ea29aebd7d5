"""What was known: changes of the ledger by their number, and what held by then.

A computation sees all changes up to one number, and none behind it; times cannot say that.
"""

from collections import defaultdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, func, or_, select

from gateway.city.db.schema.ledger_history import (
    ledger_act,
    roster_history,
    status_history,
    verification_history,
)
from gateway.city.ledger.bitemporal.acts import Kind
from gateway.city.ledger.bitemporal.entries import Subject
from gateway.city.ledger.history import DatedStatus, History
from gateway.city.ledger.machines import SINCE_EVER
from gateway.core.days import SHANGHAI
from gateway.relational.database import chunks


class UnknownPastError(ValueError):
    """What was known at a time cannot be told; the message says why."""


def known_at(connection: Connection, at_ms: int) -> int:
    """The newest change of the ledger that was known at a time (UTC ms); 0: none.

    Raises:
        UnknownPastError: the city kept no history then.
    """
    columns = ledger_act.c
    since = connection.scalar(select(columns.known_ms).where(columns.kind == Kind.MIGRATION))
    if since is not None and at_ms < since:
        raise UnknownPastError(
            f"what the ledger said is kept since {_said(since)}; name that time or a later one"
        )
    newest = select(func.max(columns.change_id)).where(columns.known_ms <= at_ms)
    return connection.scalar(newest) or 0


def check_known(connection: Connection, change: int) -> None:
    """Whether it can be told what was known by a change.

    Raises:
        UnknownPastError: the city kept no history then.
    """
    columns = ledger_act.c
    query = select(columns.change_id, columns.known_ms).where(columns.kind == Kind.MIGRATION)
    first = connection.execute(query).first()
    if first is not None and change < first.change_id:
        raise UnknownPastError(
            f"this was computed before {_said(first.known_ms)}, since when the ledger's history "
            "is kept"
        )


def _said(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, SHANGHAI).isoformat(timespec="seconds")


def others(connection: Connection, subject: Subject, day: date, known: int | None) -> set[Any]:
    """Whose current row may not be what held on a day, as known by a change (None: now)."""
    columns, key = subject.history.c, subject.history.c[subject.key]
    # SQLite looks at its partial index only if the index's own condition is asked for.
    dated = and_(columns.valid_from > SINCE_EVER, columns.valid_from > day)
    found = set(connection.scalars(select(key).where(dated).distinct()))
    return found if known is None else found | said_since(connection, subject.history, key, known)


def said_since(connection: Connection, history: Table, key: Any, known: int) -> set[Any]:
    """Of whom something was said after a change."""
    acts = select(ledger_act.c.id).where(
        or_(ledger_act.c.change_id > known, ledger_act.c.change_id.is_(None))
    )
    return set(connection.scalars(select(key).where(history.c.act_id.in_(acts)).distinct()))


def _known_rows(history: Table, known: int) -> Select[Any]:
    """Rows by the order in which they became known: of one day the last one holds."""
    return (
        select(history)
        .join(ledger_act, ledger_act.c.id == history.c.act_id)
        .where(ledger_act.c.change_id <= known)
        .order_by(ledger_act.c.change_id)
    )


def statuses_said_since(connection: Connection, known: int) -> dict[int, History]:
    """The dated statuses, as known by a change, of machines of which more was said since."""
    key = status_history.c.machine_id
    machines = said_since(connection, status_history, key, known)
    found: dict[int, dict[date, DatedStatus]] = {machine: {} for machine in machines}
    for part in chunks(machines):
        for row in connection.execute(_known_rows(status_history, known).where(key.in_(part))):
            of = found[row.machine_id]
            of.pop(row.valid_from, None)
            if row.status is not None:
                of[row.valid_from] = DatedStatus(row.status, row.dated)
    return dict(found)


def members_on(connection: Connection, roster: str, day: date, known: int) -> set[str]:
    """Enterprises on a roster on a day, as known by a change."""
    held: dict[str, dict[date, Any]] = defaultdict(dict)
    query = _known_rows(roster_history, known).where(roster_history.c.roster == roster)
    for row in connection.execute(query):
        held[row.uscc][row.valid_from] = row
    return {
        uscc
        for uscc, rows in held.items()
        for row in rows.values()
        if row.approved_by is not None
        and row.valid_from <= day
        and (row.valid_to is None or row.valid_to > day)
    }


def verified_on(connection: Connection, day: date, known: int) -> set[str]:
    """Enterprises whose ledger had been verified by a day, as known by a change."""
    held: dict[tuple[str, date], str | None] = {}
    for row in connection.execute(_known_rows(verification_history, known)):
        held[row.uscc, row.verified_on] = row.verified_by
    return {uscc for (uscc, on), by in held.items() if by is not None and on <= day}
