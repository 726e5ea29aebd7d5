"""What the pages about identifiers read: machines that wait, the outbox, machines with labels."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, select

from gateway.city.access.principal import Scope
from gateway.city.access.scoping import seen
from gateway.city.console.queries.database import Rows
from gateway.city.db.schema.identifiers import identifier_outbox
from gateway.city.db.tables import enterprise, equipment
from gateway.city.identifiers.labelled import may_be_labelled, shown_handle
from gateway.city.identifiers.progress.standing import with_progress
from gateway.city.identifiers.review import waiting_query

OPEN_STATES = ("refused", "unknown", "pending")
"""Of the outbox, those of which something is to come; the worst first."""


def waiting_page(
    connection: Connection, review_ms: int, now_ms: int, uscc: str, limit: int, offset: int
) -> Rows:
    """Machines that wait for their release, as :func:`waiting_query` has them."""
    query = waiting_query(review_ms, now_ms, uscc=uscc)
    return connection.execute(query.limit(limit).offset(offset)).all()


def outbox_page(
    connection: Connection, state: str, uscc: str, limit: int, offset: int
) -> tuple[Rows, int]:
    """Entries of the outbox that are not done, those that are due first; and how many there are.

    Args:
        connection: the city's database.
        state: one of :data:`OPEN_STATES`; empty: all of these.
        uscc: only of this enterprise; empty: of all.
        limit: most rows.
        offset: rows before them.
    """
    box = identifier_outbox.c
    wanted = box.state.in_((state,) if state else OPEN_STATES)
    columns = (box.operation, box.state, box.attempts, box.next_attempt_ms, box.last_error)
    names = (enterprise.c.name.label("enterprise"), shown_handle())
    rows = with_progress(select(*_machine(), *names, *columns), uscc).where(wanted)
    page = rows.order_by(box.next_attempt_ms, box.id).limit(limit).offset(offset)
    return connection.execute(page).all(), _counted(connection, rows)


def labelled_page(
    connection: Connection, scope: Scope, uscc: str, limit: int, offset: int
) -> tuple[Rows, int]:
    """Machines of an enterprise whose identifier a node has confirmed, and how many there are."""
    rows = with_progress(select(equipment.c.id, *_machine(), shown_handle()), uscc).where(
        may_be_labelled(), seen(scope)
    )
    page = rows.order_by(equipment.c.site_no, equipment.c.asset_no).limit(limit).offset(offset)
    return connection.execute(page).all(), _counted(connection, rows)


def labelled_enterprises(connection: Connection, scope: Scope) -> Sequence[Any]:
    """Enterprises with machines that may be labelled: ``uscc``, ``name``, ``machines``."""
    columns = (enterprise.c.uscc, enterprise.c.name)
    query = with_progress(select(*columns, func.count().label("machines")))
    confirmed = query.where(may_be_labelled(), seen(scope))
    return connection.execute(confirmed.group_by(*columns).order_by(enterprise.c.name)).all()


def _machine() -> tuple[Any, ...]:
    columns = equipment.c
    return columns.uscc, columns.site_no, columns.asset_no, columns.name


def _counted(connection: Connection, query: Select[Any]) -> int:
    counted = select(func.count()).select_from(query.order_by(None).subquery())
    return int(connection.execute(counted).scalar_one())
