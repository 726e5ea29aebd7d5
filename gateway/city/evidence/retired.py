"""Machines that the ledger has taken out of service and that go on sending: one of both is wrong.

They count nowhere, so no figure shows them.
"""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import Select, and_, func, or_, select

from gateway.city.db.tables import equipment, equipment_status, evidence
from gateway.city.ledger.codes import IN_SERVICE

LOOK_BACK_DAYS = 7


def retired_query(today: date) -> Select[Any]:
    """Machines of the ledger that are out of service and sent values since, within a week.

    The day on which the status changed is left out: it may have worked in the morning. Columns:
    id, uscc, site_no, asset_no, name, status, since, gateway (one that sends them), days, last_ms.

    Args:
        today: Asia/Shanghai day.
    """
    dated, sent, own = equipment_status.c, evidence.c, equipment.c
    # only of those that ever left service: a city has a million others
    left = select(dated.equipment_id).where(dated.status.not_in(IN_SERVICE))
    newest = (
        select(dated.equipment_id, func.max(dated.valid_from).label("since"))
        .where(dated.valid_from <= today, dated.equipment_id.in_(left))
        .group_by(dated.equipment_id)
        .subquery()
    )
    hours = or_(sent.good_hours != 0, sent.uncertain_hours != 0, sent.replayed_hours != 0)
    recent = and_(sent.day > newest.c.since, sent.day > today - timedelta(days=LOOK_BACK_DAYS))
    columns = (own.id, own.uscc, own.site_no, own.asset_no, own.name, dated.status, newest.c.since)
    return (
        select(*columns)
        .add_columns(func.max(sent.gateway).label("gateway"))
        .add_columns(func.count(sent.day.distinct()).label("days"))
        .add_columns(func.max(sent.last_ms).label("last_ms"))
        .select_from(newest)
        .join(
            equipment_status,
            and_(dated.equipment_id == newest.c.equipment_id, dated.valid_from == newest.c.since),
        )
        .join(equipment, own.id == newest.c.equipment_id)
        .join(evidence, and_(sent.machine_id == own.id, recent))
        .where(dated.status.not_in(IN_SERVICE), hours)
        .group_by(*columns)
    )
