"""Which machines answer now, from what the gateways last said and the city committed."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

import msgspec
from sqlalchemy import Connection, select

from gateway.city.db.tables import gateway, tag_schema
from gateway.city.ledger.names import MachineName
from gateway.city.registry.schemas import Use, in_use
from gateway.core.schema import Schema, decode_schema
from gateway.wire.messages import State, decode_state


def answering_now(
    connection: Connection, now_ms: int, silence_ms: int, *, demonstration: bool
) -> frozenset[MachineName]:
    """Machines behind a device whose link is up, of gateways heard of within the silence.

    For commands beside a running city; the city itself asks its live view.

    Args:
        connection: the city's database.
        now_ms: UTC milliseconds.
        silence_ms: a gateway silent for longer does not answer.
        demonstration: synthetic machines answer too.
    """
    heard = select(gateway.c.id, gateway.c.state).where(
        gateway.c.last_seen_ms >= now_ms - silence_ms, gateway.c.revoked_ms.is_(None)
    )
    up = {
        (row.id, device)
        for row in connection.execute(heard)
        if (state := _state(row.state)) is not None and state.online
        for device, link in state.devices.items()
        if link.link == "up"
    }
    schemas = _speaking(connection, up)
    return frozenset(
        MachineName(one.uscc, one.site_no, one.asset_no)
        for schema in schemas
        if demonstration or not schema.synthetic
        for one in schema.equipment
    )


def _speaking(connection: Connection, devices: AbstractSet[tuple[str, str]]) -> Iterator[Schema]:
    """The schemas that speak for devices now."""
    held = [
        ((row.gateway, row.id), decode_schema(row.body), Use(row.used_on, row.received_ms))
        for row in connection.execute(select(tag_schema))
        if (row.gateway, row.device) in devices
    ]
    current = in_use((key, (schema.device, schema.group), use) for key, schema, use in held)
    return (schema for key, schema, _ in held if key in current)


def _state(text: str | None) -> State | None:
    try:
        return decode_state((text or "").encode())
    except msgspec.DecodeError:
        return None
