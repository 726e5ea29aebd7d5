"""Machines of the ledger of which a date is missing that decides figures of this month or the last.

They count in the denominator; how, :mod:`gateway.city.rates.days.service` says.
"""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select

from gateway.city.db.tables import equipment, equipment_status
from gateway.city.ledger.codes import IN_SERVICE


def undated_query(since: date) -> Select[Any]:
    """Machines without a date that they need, one row a date.

    Columns: id, uscc, site_no, asset_no, name, status, entered (the day of entry), before (the
    day of the entry before it, from the day after which days are undetermined; None: it is the
    first), no_start (nothing says that it was commissioned before ``entered``).

    Args:
        since: first day that still matters; Asia/Shanghai.
    """
    own, entry = equipment.c, equipment_status.c
    is_undated = and_(~entry.dated, _leaves_open())
    no_start = and_(own.commissioned_on.is_(None), entry.status.in_(IN_SERVICE), ~_was_in_service())
    return (
        select(own.id, own.uscc, own.site_no, own.asset_no, own.name, entry.status)
        .add_columns(
            entry.valid_from.label("entered"),
            _before("valid_from").label("before"),
            no_start.label("no_start"),
        )
        .join_from(equipment_status, equipment, own.id == entry.equipment_id)
        .where(entry.valid_from >= since, or_(is_undated, no_start))
    )


def _before(column: str) -> ColumnElement[Any]:
    """Of the entry before the one that a query looks at."""
    own, before = equipment_status.c, equipment_status.alias("before")
    query = select(before.c[column]).where(
        before.c.equipment_id == own.equipment_id, before.c.valid_from < own.valid_from
    )
    return query.order_by(before.c.valid_from.desc()).limit(1).scalar_subquery()


def _leaves_open() -> ColumnElement[bool]:
    """Of both statuses that the days before an undated entry may have had one is in service."""
    before, after = _before("status"), equipment_status.c.status
    return or_(before.is_(None), before.in_(IN_SERVICE) != after.in_(IN_SERVICE))


def _was_in_service() -> ColumnElement[bool]:
    own, earlier = equipment_status.c, equipment_status.alias("earlier")
    query = select(earlier.c.status).where(
        earlier.c.equipment_id == own.equipment_id,
        earlier.c.valid_from < own.valid_from,
        earlier.c.status.in_(IN_SERVICE),
    )
    return query.exists()
