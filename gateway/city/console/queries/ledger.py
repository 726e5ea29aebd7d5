"""Rows of the ledger that a page shows, of a scope."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, tuple_

from gateway.city.access.principal import Scope
from gateway.city.access.scoping import seen
from gateway.city.db.tables import enterprise, equipment
from gateway.city.ledger.history import statuses_on
from gateway.core.days import day_of

_MACHINES = (
    select(
        equipment.c.id,
        equipment.c.uscc,
        equipment.c.site_no,
        equipment.c.asset_no,
        equipment.c.name,
        equipment.c.equipment_class,
        equipment.c.commissioned_on,
        enterprise.c.name.label("enterprise"),
    )
    .select_from(equipment.join(enterprise, enterprise.c.uscc == equipment.c.uscc))
    .order_by(equipment.c.uscc, equipment.c.site_no, equipment.c.asset_no)
)
_PLACE = (equipment.c.uscc, equipment.c.site_no, equipment.c.asset_no)


def machines_page(
    connection: Connection, scope: Scope, uscc: str, after: int | None, limit: int, now_ms: int
) -> tuple[list[tuple[Row[Any], str]], bool]:
    """Machines in order of enterprise, site and number, each with its status today.

    A page goes by the machine before it, not by its number: no page is slower than the first.

    Args:
        connection: the city's database.
        scope: whose rows are seen.
        uscc: of one enterprise; empty: of all.
        after: id of the machine before the first; None: from the beginning.
        limit: most machines of a page.
        now_ms: UTC milliseconds.

    Returns:
        The machines, and whether more follow.
    """
    query = _MACHINES.where(seen(scope))
    if uscc:
        query = query.where(equipment.c.uscc == uscc)
    if after is not None:
        before = connection.execute(select(*_PLACE).where(equipment.c.id == after)).first()
        query = query.where(tuple_(*_PLACE) > tuple(before)) if before else query
    rows: Sequence[Any] = connection.execute(query.limit(limit + 1)).all()
    statuses = statuses_on(connection, [row.id for row in rows], day_of(now_ms))
    return [(row, statuses.get(row.id, "")) for row in rows[:limit]], len(rows) > limit


def enterprises_page(
    connection: Connection, scope: Scope, after: str, limit: int
) -> tuple[Sequence[Row[Any]], bool]:
    """Enterprises in order of their code, behind one of them, and whether more follow."""
    query = select(enterprise).where(seen(scope), enterprise.c.uscc > after)
    rows = connection.execute(query.order_by(enterprise.c.uscc).limit(limit + 1)).all()
    return rows[:limit], len(rows) > limit


def machine_of(connection: Connection, scope: Scope, number: int) -> Row[Any] | None:
    """A machine of the ledger that a scope sees; None: there is none."""
    query: Select[Any] = _MACHINES.where(seen(scope), equipment.c.id == number)
    return connection.execute(query).first()


def enterprise_of(connection: Connection, scope: Scope, uscc: str) -> Row[Any] | None:
    """An enterprise that a scope sees, with the number of its machines; None: there is none."""
    machines = select(func.count()).where(equipment.c.uscc == uscc).scalar_subquery()
    query = select(enterprise, machines.label("machines"))
    return connection.execute(query.where(seen(scope), enterprise.c.uscc == uscc)).first()
