"""Machines of the ledger that never sent a value, as data quality shows them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, func, select

from gateway.city.access.principal import Scope
from gateway.city.access.scoping import owned
from gateway.city.console.queries.database import Rows
from gateway.city.db.tables import enterprise, equipment, gateway
from gateway.city.evidence.ghosts import alike, ghost_query

Place = tuple[str, str]
"""USCC and number of a site."""


@dataclass(frozen=True, slots=True)
class Ghosts:
    """Machines in service that never sent a value.

    Attributes:
        enterprises: those with a gateway: uscc, name, machines; the most first.
        count: machines of these.
        unreached: machines of enterprises without a gateway, which cannot send.
        meant: by USCC, site and number of a machine outside the ledger the number of the one that
            it probably is; nothing ever came under that.
    """

    enterprises: Rows
    count: int
    unreached: int
    meant: Mapping[tuple[str, str, str], str]


def ghosts(connection: Connection, scope: Scope, today: date, orphans: Rows, limit: int) -> Ghosts:
    """Gather them.

    Args:
        connection: the city's database.
        scope: of who asks.
        today: Asia/Shanghai day.
        orphans: machines that send and are not in the ledger, that are shown.
        limit: enterprises that are shown.
    """
    query = ghost_query(connection, today).where(owned(equipment.c.uscc, scope))
    rows = _by_enterprise(connection, query)
    reached = [row for row in rows if row.has_gateway]
    return Ghosts(
        reached[:limit],
        sum(row.machines for row in reached),
        sum(row.machines for row in rows if not row.has_gateway),
        _meant(connection, query, orphans),
    )


def _by_enterprise(connection: Connection, query: Select[Any]) -> Rows:
    own, machines = query.subquery(), func.count().label("machines")
    has_gateway = select(gateway.c.uscc).where(gateway.c.revoked_ms.is_(None))
    counted = (
        select(own.c.uscc, enterprise.c.name, machines)
        .add_columns(own.c.uscc.in_(has_gateway).label("has_gateway"))
        .join(enterprise, enterprise.c.uscc == own.c.uscc)
        .group_by(own.c.uscc, enterprise.c.name)
        .order_by(machines.desc(), own.c.uscc)
    )
    return connection.execute(counted).all()


def _meant(
    connection: Connection, query: Select[Any], orphans: Rows
) -> dict[tuple[str, str, str], str]:
    if not orphans:
        return {}
    theirs = equipment.c.uscc.in_({row.uscc for row in orphans})
    known = defaultdict[Place, list[str]](list)
    for row in connection.execute(query.where(theirs)):
        known[row.uscc, row.site_no].append(row.asset_no)
    names = [(row.uscc, row.site_no, row.asset_no) for row in orphans]
    found = {name: alike(name[2], known[name[:2]]) for name in names}
    return {name: number for name, number in found.items() if number is not None}
