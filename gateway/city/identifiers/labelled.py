"""Machines that may be labelled: those whose identifier a node has confirmed."""

from collections.abc import Collection
from datetime import date
from urllib.parse import quote

from sqlalchemy import ColumnElement, Connection, case, select

from gateway.city.access.principal import Scope
from gateway.city.access.scoping import seen
from gateway.city.db.schema.identifiers import identifier
from gateway.city.db.tables import enterprise, equipment
from gateway.city.identifiers.review import withdrawn
from gateway.city.ledger.machines import find
from gateway.city.ledger.names import MachineName
from gateway.identifier.labels.label import Label


def shown_handle() -> ColumnElement[str | None]:
    """A machine's identifier as soon as people may see it: before, it may become another one."""
    confirmed = identifier.c.registered_ms.is_not(None)
    return case((confirmed, identifier.c.handle)).label("handle")


def may_be_labelled() -> ColumnElement[bool]:
    """Whether a node has confirmed a machine's identifier, and the machine is none by mistake."""
    return identifier.c.registered_ms.is_not(None) & ~withdrawn()


def labels_of(
    connection: Connection,
    scope: Scope,
    page_url: str | None,
    uscc: str = "",
    machines: Collection[int] = (),
    limit: int | None = None,
    offset: int = 0,
) -> list[Label]:
    """Labels by enterprise, site and asset number.

    An identifier that no node has confirmed is on no label: it may still become another one. Nor
    is one whose machine was entered by mistake.

    Args:
        connection: to the city's database.
        scope: whose machines are seen.
        page_url: what QR codes hold before the identifier; None: nothing.
        uscc: of one enterprise; empty: all.
        machines: keys of those that are wanted; none: all.
        limit: no more than so many; None: all.
        offset: how many are passed over.
    """
    query = (
        select(identifier.c.handle, equipment, enterprise.c.name.label("owner"))
        .join(equipment, equipment.c.id == identifier.c.equipment_id)
        .join(enterprise, enterprise.c.uscc == equipment.c.uscc)
        .where(may_be_labelled(), seen(scope))
        .order_by(equipment.c.uscc, equipment.c.site_no, equipment.c.asset_no)
    )
    if uscc:
        query = query.where(equipment.c.uscc == uscc)
    if machines:
        query = query.where(equipment.c.id.in_(machines))
    return [
        Label(label_code(row.handle, page_url), row.handle, row.name, row.asset_no, row.owner)
        for row in connection.execute(query.limit(limit).offset(offset))
    ]


def handle_of(connection: Connection, name: MachineName, day: date) -> str | None:
    """The identifier of one machine, by what it was called on a day; None: none is confirmed."""
    machine = find(connection, [name], day).get(name)
    query = (
        select(identifier.c.handle)
        .join(equipment, equipment.c.id == identifier.c.equipment_id)
        .where(equipment.c.id == machine, may_be_labelled())
    )
    handle: str | None = connection.scalar(query)
    return handle


def label_code(handle: str, page_url: str | None) -> str:
    """What a QR code holds: where phones find the machine, if that is known."""
    return f"{page_url.rstrip('/')}/{quote(handle)}" if page_url else handle
