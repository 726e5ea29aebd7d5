"""List the ledger as it stands today."""

from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from gateway.city.db.schema.identifiers import identifier, identifier_outbox, machine_withdrawal
from gateway.city.db.tables import enterprise, equipment
from gateway.city.identifiers.labelled import shown_handle
from gateway.city.ledger.codes import (
    EQUIPMENT_CLASSES,
    FUNCTIONAL_AREAS,
    STATUSES,
    WITHDRAWN,
    Name,
    county_name,
)
from gateway.city.ledger.history import statuses_on
from gateway.city.ledger.size_class import SIZE_CLASSES, size_class
from gateway.core.days import day_of


def listed(connection: Connection, now_ms: int, *, uscc: str | None = None) -> list[dict[str, Any]]:
    """Every machine (or those of one enterprise) with today's status and its identifier.

    Returns:
        Rows ready for JSON, in order of enterprise, site and asset number. ``registration`` is
        the state of the identifier's entry in the outbox, of one that was entered by mistake
        *withdrawing* or *withdrawn*; ``registration_error`` what the node last said against it.
        ``handle`` is empty until a node has confirmed it: it may still become another one.
    """
    box = identifier_outbox.c
    query = (
        select(equipment, enterprise.c.name.label("enterprise"))
        .add_columns(shown_handle(), box.state, box.operation, box.last_error)
        .add_columns(machine_withdrawal.c.reason)
        .select_from(equipment.join(enterprise, enterprise.c.uscc == equipment.c.uscc))
        .outerjoin(identifier, identifier.c.equipment_id == equipment.c.id)
        .outerjoin(identifier_outbox, box.equipment_id == equipment.c.id)
        .outerjoin(machine_withdrawal, machine_withdrawal.c.equipment_id == equipment.c.id)
        .order_by(equipment.c.uscc, equipment.c.site_no, equipment.c.asset_no)
    )
    if uscc is not None:
        query = query.where(equipment.c.uscc == uscc)
    rows = connection.execute(query).all()
    statuses = statuses_on(connection, [row.id for row in rows], day_of(now_ms))
    return [_listed(row, statuses.get(row.id, "")) for row in rows]


def listed_enterprises(connection: Connection, *, uscc: str | None = None) -> list[dict[str, Any]]:
    """Every enterprise (or one), as the ledger has it today, in order of county and USCC.

    Returns:
        Rows ready for JSON. ``size_class`` is empty where people or revenue are not known and
        decide; ``revenue_wan`` is in 10,000 yuan.
    """
    query = select(enterprise).order_by(enterprise.c.county, enterprise.c.uscc)
    if uscc is not None:
        query = query.where(enterprise.c.uscc == uscc)
    return [_enterprise(row) for row in connection.execute(query)]


def _enterprise(row: Any) -> dict[str, Any]:
    unknown, size = Name("", ""), size_class(row.employees, row.revenue_wan)
    return {
        "uscc": row.uscc,
        "name": row.name,
        "county": row.county,
        "county_zh": county_name(row.county).zh if row.county else "",
        "industry": row.industry,
        "functional_area": row.functional_area,
        "functional_area_zh": FUNCTIONAL_AREAS.get(row.functional_area, unknown).zh,
        "above_scale": row.above_scale,
        "size_class": size,
        "size_class_zh": SIZE_CLASSES.get(size, unknown).zh,
        "employees": row.employees,
        "revenue_wan": row.revenue_wan,
        "ledger_verified_on": _day(row.ledger_verified_on),
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _listed(row: Any, status: str) -> dict[str, Any]:
    unknown = Name("", "")
    return {
        "uscc": row.uscc,
        "enterprise": row.enterprise,
        "site_no": row.site_no,
        "asset_no": row.asset_no,
        "name": row.name,
        "model": row.model,
        "equipment_class": row.equipment_class,
        "equipment_class_zh": EQUIPMENT_CLASSES.get(row.equipment_class, unknown).zh,
        "commissioned_on": _day(row.commissioned_on),
        "status": status,
        "status_zh": STATUSES.get(status, unknown).zh,
        "handle": row.handle or "",
        "withdrawal_reason": (row.reason or "") if status == WITHDRAWN else "",
        "registration": _registration(row),
        "registration_error": row.last_error or "",
    }


def _registration(row: Any) -> str:
    if row.operation != "withdraw" or row.state == "refused":
        return row.state or ""
    return "withdrawn" if row.state == "done" else "withdrawing"
