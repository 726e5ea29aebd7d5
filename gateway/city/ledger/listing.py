"""List the ledger as it stands today."""

from typing import Any

from sqlalchemy import Connection, func, select

from gateway.city.db.tables import (
    enterprise,
    equipment,
    equipment_status,
    identifier,
    identifier_outbox,
)
from gateway.city.ledger.codes import EQUIPMENT_CLASSES, STATUSES, Name
from gateway.core.days import day_of


def listed(connection: Connection, now_ms: int, *, uscc: str | None = None) -> list[dict[str, Any]]:
    """Every machine (or those of one enterprise) with today's status and its identifier.

    Returns:
        Rows ready for JSON, in order of enterprise, site and asset number. ``registration`` is
        the state of the identifier's entry in the outbox, ``registration_error`` what the node
        last said against it.
    """
    begun = (
        select(
            equipment_status.c.equipment_id, func.max(equipment_status.c.valid_from).label("start")
        )
        .where(equipment_status.c.valid_from <= day_of(now_ms))
        .group_by(equipment_status.c.equipment_id)
        .subquery()
    )
    current = (
        equipment_status.c.equipment_id == begun.c.equipment_id,
        equipment_status.c.valid_from == begun.c.start,
    )
    statuses = select(equipment_status.c.equipment_id, equipment_status.c.status)
    status = statuses.join(begun, current[0] & current[1]).subquery()
    query = (
        select(equipment, enterprise.c.name.label("enterprise"), status.c.status)
        .add_columns(identifier.c.handle, identifier_outbox.c.state, identifier_outbox.c.last_error)
        .select_from(equipment.join(enterprise))
        .outerjoin(status, status.c.equipment_id == equipment.c.id)
        .outerjoin(identifier, identifier.c.equipment_id == equipment.c.id)
        .outerjoin(identifier_outbox, identifier_outbox.c.equipment_id == equipment.c.id)
        .order_by(equipment.c.uscc, equipment.c.site_no, equipment.c.asset_no)
    )
    if uscc is not None:
        query = query.where(equipment.c.uscc == uscc)
    return [_listed(row) for row in connection.execute(query)]


def _listed(row: Any) -> dict[str, Any]:
    unknown = Name("", "")
    status = row.status or ""
    return {
        "uscc": row.uscc,
        "enterprise": row.enterprise,
        "site_no": row.site_no,
        "asset_no": row.asset_no,
        "name": row.name,
        "model": row.model,
        "equipment_class": row.equipment_class,
        "equipment_class_zh": EQUIPMENT_CLASSES.get(row.equipment_class, unknown).zh,
        "commissioned_on": row.commissioned_on.isoformat() if row.commissioned_on else None,
        "status": status,
        "status_zh": STATUSES.get(status, unknown).zh,
        "handle": row.handle or "",
        "registration": row.state or "",
        "registration_error": row.last_error or "",
    }
