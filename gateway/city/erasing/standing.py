"""Which enterprises were erased, and when: what is refused since, and what must be said."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select

from gateway.city.db.schema.access import erasure
from gateway.city.db.schema.daymaps import day_map
from gateway.city.db.tables import gateway
from gateway.relational.database import together

LOCK = "erasure"
"""Held together by who writes what gateways sent, alone by who begins to erase."""


def erased_ms(connection: Connection) -> Mapping[str, int]:
    """Since when each erased enterprise is, UTC milliseconds; of several erasures the newest."""
    query = select(erasure.c.uscc, func.max(erasure.c.begun_ms)).group_by(erasure.c.uscc)
    return {uscc: int(at) for uscc, at in connection.execute(query)}


def erasures(connection: Connection, uscc: str | None = None) -> Sequence[Row[Any]]:
    """All erasures, or those of one enterprise, the oldest first."""
    query = select(erasure).order_by(erasure.c.id)
    return connection.execute(query if uscc is None else query.where(erasure.c.uscc == uscc)).all()


def unfinished(connection: Connection, uscc: str) -> Row[Any] | None:
    """The erasure of an enterprise that was begun and has no certificate yet."""
    own = select(erasure).where(erasure.c.uscc == uscc, erasure.c.certificate.is_(None))
    return connection.execute(own).first()


def left_out(connection: Connection, gateways: Collection[str]) -> Mapping[str, str]:
    """Gateways of which nothing is written any more, and their enterprises (USCC).

    Until the transaction ends no erasure begins. So each one sees all that was written before,
    and what a process still has in its hands then is found out when it is written.

    Args:
        connection: in a transaction that writes only what it has asked for here.
        gateways: of whom something is to be written.
    """
    if not gateways:
        return {}
    together(connection, LOCK)
    query = (
        select(gateway.c.id, gateway.c.uscc)
        .join(erasure, gateway.c.uscc == erasure.c.uscc)
        .where(gateway.c.enrolled_ms <= erasure.c.begun_ms)
    )
    return {name: uscc for name, uscc in connection.execute(query.distinct()) if name in gateways}


def is_erased(connection: Connection, gateway_id: str) -> bool:
    """Whether a gateway was one of an enterprise when that was erased."""
    query = (
        select(erasure.c.id)
        .join(gateway, gateway.c.uscc == erasure.c.uscc)
        .where(gateway.c.id == gateway_id, gateway.c.enrolled_ms <= erasure.c.begun_ms)
    )
    return connection.execute(query.limit(1)).first() is not None


def maps_erased(connection: Connection, month: str, synthetic: bool) -> int:
    """Of how many enterprises a month's evidence was erased.

    Args:
        connection: the city's database.
        month: ``YYYY-MM``.
        synthetic: synthetic evidence is in it.
    """
    query = select(func.count(func.distinct(day_map.c.uscc))).where(
        day_map.c.month == month, day_map.c.synthetic.is_(synthetic), day_map.c.body == b""
    )
    return connection.scalar(query) or 0
