"""A machine waits for a review before it gets an identifier: what is issued is never taken back.

It waits for ``identifier.review_hours`` after it was first seen in the ledger, or until a person
approves it. A row that turns out to be a mistake is withdrawn from the ledger meanwhile, and its
machine gets none.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    exists,
    insert,
    literal,
    or_,
    select,
)

from gateway.city.db.schema.identifiers import identifier, identifier_review
from gateway.city.db.tables import enterprise, equipment, equipment_status
from gateway.city.ledger.codes import WITHDRAWN
from gateway.relational.upsert import insert_for


def unidentified() -> Select[Any]:
    """Machines of the ledger that have no identifier and could get one, oldest first."""
    return has_none().where(~withdrawn()).order_by(equipment.c.id)


def has_none() -> Select[Any]:
    """Machines that have no identifier, withdrawn ones too, of enterprises with a code."""
    return (
        select(equipment, enterprise.c.county, enterprise.c.identifier_code)
        .join(enterprise, enterprise.c.uscc == equipment.c.uscc)
        .outerjoin(identifier, identifier.c.equipment_id == equipment.c.id)
        .where(identifier.c.equipment_id.is_(None), enterprise.c.identifier_code.is_not(None))
    )


def withdrawn(machine: ColumnElement[int] = equipment.c.id) -> ColumnElement[bool]:
    """Whether the newest entry of a machine's history says that its row was a mistake.

    Args:
        machine: its id in the query that asks.
    """
    own, newer = equipment_status.alias("own"), equipment_status.alias("newer")
    superseded = exists(newer.c.status).where(
        newer.c.equipment_id == own.c.equipment_id, newer.c.valid_from > own.c.valid_from
    )
    return exists(own.c.status).where(
        own.c.equipment_id == machine, own.c.status == WITHDRAWN, ~superseded
    )


def reviewed(review_ms: int, now_ms: int) -> ColumnElement[bool]:
    """Whether a machine was approved or has waited for long enough.

    Args:
        review_ms: how long a machine waits; 0: not at all.
        now_ms: UTC milliseconds.
    """
    if not review_ms:
        return literal(True)
    own = identifier_review.alias("own_review").c
    over = or_(own.approved_ms.is_not(None), own.since_ms <= now_ms - review_ms)
    return exists(own.equipment_id).where(own.equipment_id == equipment.c.id, over)


def begin_reviews(connection: Connection, now_ms: int, limit: int) -> int:
    """Let the time run for machines that came into the ledger; returns for how many."""
    begun = exists(identifier_review.c.equipment_id).where(
        identifier_review.c.equipment_id == equipment.c.id
    )
    ids = connection.scalars(unidentified().where(~begun).limit(limit)).all()
    if ids:
        rows = [{"equipment_id": one, "since_ms": now_ms} for one in ids]
        connection.execute(insert(identifier_review), rows)
    return len(ids)


def waiting(
    connection: Connection, review_ms: int, now_ms: int, *, uscc: str = ""
) -> Sequence[Row[Any]]:
    """Machines that wait for their review, as :func:`waiting_query` has them."""
    return connection.execute(waiting_query(review_ms, now_ms, uscc=uscc)).all()


def waiting_query(review_ms: int, now_ms: int, *, uscc: str = "") -> Select[Any]:
    """Machines that wait for their review: ``uscc``, ``asset_no``, …, ``since_ms``.

    Args:
        review_ms: how long a machine waits.
        now_ms: UTC milliseconds.
        uscc: only those of this enterprise; empty: of all.
    """
    query = (
        unidentified()
        .add_columns(identifier_review.c.since_ms, enterprise.c.name.label("enterprise"))
        .outerjoin(identifier_review, identifier_review.c.equipment_id == equipment.c.id)
        .where(~reviewed(review_ms, now_ms))
    )
    return query.where(equipment.c.uscc == uscc) if uscc else query


def approve(connection: Connection, machines: Sequence[int], now_ms: int) -> None:
    """Let machines that wait get their identifiers at once."""
    approved = insert_for(connection, identifier_review)
    # The city may let a machine's time begin in the same moment.
    upsert = approved.on_conflict_do_update(
        index_elements=["equipment_id"], set_={"approved_ms": approved.excluded.approved_ms}
    )
    rows = [{"equipment_id": one, "since_ms": now_ms, "approved_ms": now_ms} for one in machines]
    if rows:
        connection.execute(upsert, rows)
