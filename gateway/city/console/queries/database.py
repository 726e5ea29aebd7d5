"""What the pages read from the database: plain functions of a connection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, func, select

from gateway.city.access.principal import Scope
from gateway.city.access.scoping import owned, seen
from gateway.city.db.schema.identifiers import identifier
from gateway.city.db.tables import enterprise, equipment, gateway
from gateway.city.identifiers.labelled import shown_handle
from gateway.city.ledger.bitemporal.entries import ENTERPRISE, held_steps
from gateway.city.ledger.bitemporal.knowledge import others
from gateway.city.ledger.bitemporal.steps import at
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.size_class import size_class
from gateway.city.rates.cells.tally import Place

Rows = Sequence[Any]
"""Rows of a query whose columns the query names."""


@dataclass(frozen=True, slots=True)
class EnterpriseRow:
    """An enterprise of the ledger."""

    uscc: str
    name: str
    county: str
    industry: str
    above_scale: bool
    verified_by: str | None
    verified_on: date | None


def enterprises(connection: Connection, scope: Scope) -> dict[str, EnterpriseRow]:
    """The enterprises that are seen, by USCC."""
    rows = connection.execute(select(enterprise).where(seen(scope)))
    return {row.uscc: _enterprise(row) for row in rows}


def enterprises_on(
    connection: Connection, scope: Scope, day: date, known: int | None
) -> dict[str, EnterpriseRow]:
    """The enterprises that are seen, and were in the scope on a day, as they were then.

    Args:
        connection: the city's database.
        scope: of who asks.
        day: the last one of a month.
        known: by which change of the ledger; None: now.
    """
    found = enterprises(connection, scope)
    for uscc, place in elsewhere(connection, day, known).items():
        if uscc not in found:
            continue
        if scope.covers(uscc, place.county, place.area):
            found[uscc] = replace(found[uscc], county=place.county, industry=place.industry)
        else:
            del found[uscc]
    return found


def elsewhere(connection: Connection, day: date, known: int | None) -> dict[str, Place]:
    """Where enterprises belonged on a day: of all those that may belong elsewhere now.

    Args:
        connection: the city's database.
        day: as it was.
        known: by which change of the ledger; None: now.
    """
    changed = others(connection, ENTERPRISE, day, known)
    steps = held_steps(connection, ENTERPRISE, changed, known)
    held = ((uscc, at(one, day)) for uscc, one in steps.items())
    return {uscc: _place(one) for uscc, one in held if one is not None}


def ledger_size(connection: Connection, scope: Scope) -> tuple[int, int]:
    """How many enterprises and machines are seen."""
    known = select(func.count(enterprise.c.uscc)).where(seen(scope))
    machines = select(func.count(equipment.c.id)).where(owned(equipment.c.uscc, scope))
    return connection.scalar(known) or 0, connection.scalar(machines) or 0


def places(connection: Connection, scope: Scope) -> dict[str, Place]:
    """Where the enterprises that are seen belong, by USCC."""
    own = enterprise.c
    columns = (
        own.uscc,
        own.county,
        own.industry,
        own.functional_area,
        own.employees,
        own.revenue_wan,
    )
    rows = connection.execute(select(*columns).where(seen(scope))).mappings()
    return {row["uscc"]: _place(row) for row in rows}


def _place(row: Mapping[str, Any] | RowMapping) -> Place:
    size = size_class(row["employees"], row["revenue_wan"])
    return Place(row["county"], row["industry"], row["functional_area"] or "", size)


def enterprise_of(connection: Connection, uscc: str, scope: Scope) -> EnterpriseRow | None:
    """One enterprise; None: there is none, or it is not seen."""
    row = connection.execute(
        select(enterprise).where(enterprise.c.uscc == uscc, seen(scope))
    ).first()
    return _enterprise(row) if row else None


def _enterprise(row: Row[Any]) -> EnterpriseRow:
    return EnterpriseRow(
        row.uscc,
        row.name,
        row.county,
        row.industry,
        row.above_scale,
        row.ledger_verified_by,
        row.ledger_verified_on,
    )


@dataclass(frozen=True, slots=True)
class GatewayRow:
    """A gateway of the registry."""

    id: str
    uscc: str
    enterprise: str
    site_no: str
    last_seen_ms: int | None
    revoked: bool


def gateways(connection: Connection, scope: Scope) -> list[GatewayRow]:
    """The gateways that are seen, in order of their ids."""
    query = select(gateway, enterprise.c.name).join(enterprise).where(seen(scope))
    query = query.order_by(gateway.c.id)
    return [
        GatewayRow(
            row.id, row.uscc, row.name, row.site_no, row.last_seen_ms, row.revoked_ms is not None
        )
        for row in connection.execute(query)
    ]


def machine_row(connection: Connection, machine: MachineName, scope: Scope) -> Row[Any] | None:
    """A machine of the ledger with its identifier, if that is confirmed.

    None: there is no such machine, or its enterprise is not seen.
    """
    uscc, site_no, asset_no = machine
    query = (
        select(equipment, shown_handle(), identifier.c.issued_ms)
        .add_columns(identifier.c.registered_ms, identifier.c.resolved_ms)
        .outerjoin(identifier, identifier.c.equipment_id == equipment.c.id)
        .where(equipment.c.uscc == uscc)
        .where(equipment.c.site_no == site_no)
        .where(equipment.c.asset_no == asset_no, owned(equipment.c.uscc, scope))
    )
    return connection.execute(query).first()


def machine_of_handle(connection: Connection, key: str, scope: Scope) -> MachineName | None:
    """The machine that is seen and that an identifier was given to, by its key (upper case)."""
    query = (
        select(equipment.c.uscc, equipment.c.site_no, equipment.c.asset_no)
        .join(identifier, identifier.c.equipment_id == equipment.c.id)
        .where(identifier.c.handle_key == key, owned(equipment.c.uscc, scope))
    )
    row = connection.execute(query).first()
    return MachineName(*row) if row else None


def equipment_names(connection: Connection, uscc: str) -> Rows:
    """Workshop, line and identifier state of the machines of an enterprise."""
    query = (
        select(
            equipment.c.site_no,
            equipment.c.asset_no,
            equipment.c.workshop,
            equipment.c.line,
            equipment.c.key_equipment,
            shown_handle(),
        )
        .outerjoin(identifier, identifier.c.equipment_id == equipment.c.id)
        .where(equipment.c.uscc == uscc)
    )
    return connection.execute(query).all()
