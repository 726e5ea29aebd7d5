"""What a machine sent before the ledger knew of it, or under a name it has given up, is its own."""

from typing import Any

from sqlalchemy import Connection, Select, Subquery, func, select, union_all

from gateway.city.db import monthly
from gateway.city.db.tables import equipment, evidence, machine, machine_alias
from gateway.city.evidence.clock_doubt import merge_doubts
from gateway.city.evidence.counts import merge_counts
from gateway.city.evidence.rows import delete_evidence, write_days


def merge_evidence(connection: Connection, source: int, target: int) -> None:
    """Give what is known of one machine to another; both are the same, as it turned out."""
    held = evidence.c.machine_id == source
    rows = connection.execute(select(evidence).where(held)).mappings()
    write_days(connection, [{**row, "machine_id": target} for row in rows])
    delete_evidence(connection, source)
    merge_counts(connection, source, target)
    merge_doubts(connection, source, target)


def orphan_query(connection: Connection) -> Select[Any]:
    """Machines that send values and do not stand in the ledger, as their edges name them now.

    Nothing is kept of them but their evidence, so the ledger adopts them by learning of them.
    Columns: gateway (one that sends them), uscc, site_no, asset_no, days (with values), first_ms,
    last_ms.
    """
    seen, names, other = _seen_outside(connection), machine_alias.c, machine_alias.alias().c
    # Asked of each of the few: to find the newest names of all machines took most of the time.
    newest = select(func.max(other.valid_from)).where(other.machine_id == names.machine_id)
    return (
        select(seen.c.gateway, names.uscc, names.site_no, names.asset_no)
        .add_columns(seen.c.days, seen.c.first_ms, seen.c.last_ms)
        .join(machine_alias, names.machine_id == seen.c.machine_id)
        .where(names.valid_from == newest.scalar_subquery())
    )


def _seen_outside(connection: Connection) -> Subquery:
    """What the evidence says of machines without a row in the ledger."""
    outside = (
        select(machine.c.id)
        .outerjoin(equipment, equipment.c.id == machine.c.id)
        .where(equipment.c.id.is_(None))
        .cte("outside")
    )
    months = [
        select(sent.c.machine_id, func.max(sent.c.gateway).label("gateway"))
        .add_columns(func.count(sent.c.day.distinct()).label("days"))
        .add_columns(func.min(sent.c.first_ms).label("first_ms"))
        .add_columns(func.max(sent.c.last_ms).label("last_ms"))
        .where(sent.c.machine_id.in_(select(outside.c.id)))
        .group_by(sent.c.machine_id)
        for sent in monthly.parts(connection)
    ]
    seen = union_all(*months).subquery()
    return (
        select(seen.c.machine_id, func.max(seen.c.gateway).label("gateway"))
        .add_columns(func.sum(seen.c.days).label("days"))
        .add_columns(func.min(seen.c.first_ms).label("first_ms"))
        .add_columns(func.max(seen.c.last_ms).label("last_ms"))
        .group_by(seen.c.machine_id)
        .subquery()
    )
