"""Machines that the ledger has taken out of service and that go on sending: one of both is wrong.

They count nowhere, so no figure shows them.
"""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import CTE, Connection, Select, Table, and_, func, or_, select, union_all

from gateway.city.db import monthly
from gateway.city.db.tables import equipment, equipment_status
from gateway.city.ledger.codes import IN_SERVICE

LOOK_BACK_DAYS = 7


def retired_query(connection: Connection, today: date) -> Select[Any]:
    """Machines of the ledger that are out of service and sent values since, within a week.

    The day on which the status changed is left out: it may have worked in the morning. Columns:
    id, uscc, site_no, asset_no, name, status, since, gateway (one that sends them), days, last_ms.

    Args:
        connection: the city's database.
        today: Asia/Shanghai day.
    """
    own, newest = equipment.c, newest_statuses(today)
    after = today - timedelta(days=LOOK_BACK_DAYS)
    months = [_sent_since(sent, newest, after) for sent in monthly.parts(connection, after)]
    sent = union_all(*months).subquery()
    columns = (
        own.id,
        own.uscc,
        own.site_no,
        own.asset_no,
        own.name,
        newest.c.status,
        newest.c.since,
    )
    return (
        select(*columns)
        .add_columns(func.max(sent.c.gateway).label("gateway"))
        .add_columns(func.sum(sent.c.days).label("days"))
        .add_columns(func.max(sent.c.last_ms).label("last_ms"))
        .select_from(newest)
        .join(equipment, own.id == newest.c.equipment_id)
        .join(sent, sent.c.machine_id == own.id)
        .where(newest.c.status.not_in(IN_SERVICE))
        .group_by(*columns)
    )


def newest_statuses(today: date) -> CTE:
    """The status of today of machines that were ever out of service: a city has a million others.

    Columns: equipment_id, status, since (its first day).

    Args:
        today: Asia/Shanghai day; what is to hold later is left out.
    """
    dated = equipment_status.c
    left = select(dated.equipment_id).where(dated.status.not_in(IN_SERVICE))
    newest = (
        select(dated.equipment_id, func.max(dated.valid_from).label("since"))
        .where(dated.valid_from <= today, dated.equipment_id.in_(left))
        .group_by(dated.equipment_id)
        .subquery()
    )
    own = and_(dated.equipment_id == newest.c.equipment_id, dated.valid_from == newest.c.since)
    told = select(newest.c.equipment_id, dated.status, newest.c.since)
    return told.select_from(newest.join(equipment_status, own)).cte("newest")


def _sent_since(table: Table, newest: CTE, after: date) -> Select[Any]:
    """What machines sent behind a day and behind their newest status, of one month's table."""
    sent = table.c
    hours = or_(sent.good_hours != 0, sent.uncertain_hours != 0, sent.replayed_hours != 0)
    return (
        select(sent.machine_id, func.max(sent.gateway).label("gateway"))
        .add_columns(func.count(sent.day.distinct()).label("days"))
        .add_columns(func.max(sent.last_ms).label("last_ms"))
        .join(newest, newest.c.equipment_id == sent.machine_id)
        .where(sent.day > newest.c.since, sent.day > after, hours)
        .group_by(sent.machine_id)
    )
