"""What gateways say that machines are read from, where one unit is read by several devices."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, or_, select

from gateway.city.db.tables import gateway, tag_schema
from gateway.city.ledger.names import MachineName
from gateway.city.registry.schemas import Use, in_use
from gateway.city.registry.twins import Reading, Twin, twins_of
from gateway.core.schema import Schema, decode_schema
from gateway.relational.database import chunks
from gateway.wire.messages import decode_state


def twins(
    connection: Connection, first: date, last: date, uscc: str | None = None
) -> Iterator[Twin]:
    """Machines whose unit counts for another machine already; see :func:`twins_of`.

    Args:
        connection: the city's database.
        first: day from which it matters what was read.
        last: day up to which.
        uscc: only of this enterprise; None: of all.
    """
    for part in chunks(_suspects(connection, uscc)):
        yield from twins_of(_readings(connection, part), first, last)


def _suspects(connection: Connection, uscc: str | None) -> list[str]:
    """Enterprises of which several devices read one unit; few, so that few schemas are read."""
    columns = tag_schema.c
    devices, gateways = (func.count(one.distinct()) for one in (columns.device, columns.gateway))
    # A unit's digest holds its enterprise, so that no unit is of two.
    query = (
        select(gateway.c.uscc)
        .join(tag_schema)
        .where(columns.unit.is_not(None))
        .group_by(columns.unit, gateway.c.uscc)
        .having(or_(devices > 1, gateways > 1))
    )
    if uscc is not None:
        query = query.where(gateway.c.uscc == uscc)
    return sorted(set(connection.scalars(query)))


def _readings(connection: Connection, enterprises: Iterable[str]) -> list[Reading]:
    """Of every machine that gateways of some enterprises name."""
    query = select(tag_schema, gateway.c.state).join(gateway).order_by(tag_schema.c.received_ms)
    rows = connection.execute(query.where(gateway.c.uscc.in_(enterprises))).all()
    schemas = [decode_schema(row.body) for row in rows]
    current = in_use(
        ((row.gateway, row.id), (one.device, one.group), Use(row.used_on, row.received_ms))
        for row, one in zip(rows, schemas, strict=True)
    )
    configured = {row.gateway: _devices(row.state) for row in rows}
    return [
        reading
        for row, schema in zip(rows, schemas, strict=True)
        for reading in _of(row, schema, (row.gateway, row.id) in current, configured[row.gateway])
    ]


def _devices(state: str | None) -> frozenset[str] | None:
    """The devices that a gateway named when it was last heard; None: none, as in a last will."""
    try:
        return frozenset(decode_state((state or "").encode()).devices) or None
    except msgspec.DecodeError:
        return None


def _of(
    row: Row[Any], schema: Schema, is_newest: bool, devices: frozenset[str] | None
) -> Iterator[Reading]:
    is_configured = None if devices is None else schema.device in devices
    unit = schema.unit_key
    for at, machine in enumerate(schema.equipment):
        addresses = None if unit is None else frozenset((unit, one) for one in schema.read_of(at))
        if addresses or addresses is None:  # a device's machine may have no tag of this group
            yield Reading(
                row.gateway,
                schema.device,
                MachineName(machine.uscc, machine.site_no, machine.asset_no),
                row.received_ms,
                row.used_on,
                is_newest,
                is_configured,
                addresses,
            )
