"""What a machine sent before the ledger knew of it, or under a name it has given up, is its own."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select

from gateway.city.db.database import chunks
from gateway.city.db.tables import equipment, evidence, machine_alias, orphan
from gateway.city.evidence.recording import write_evidence


def merge_evidence(connection: Connection, source: int, target: int) -> None:
    """Give the evidence of one machine to another; both are the same machine, as it turned out."""
    held = evidence.c.machine_id == source
    rows = connection.execute(select(evidence).where(held)).mappings()
    write_evidence(connection, [{**row, "machine_id": target} for row in rows])
    connection.execute(delete(evidence).where(held))


def adopt(connection: Connection, machines: Iterable[int]) -> None:
    """Machines stand in the ledger now: they leave the list of orphans; their evidence counts."""
    for part in chunks(machines):
        connection.execute(delete(orphan).where(orphan.c.machine_id.in_(part)))


def orphan_query() -> Select[Any]:
    """Machines that send values and do not stand in the ledger, as their edges name them now.

    Columns: gateway, uscc, site_no, asset_no, sample_count, first_ms, last_ms.
    """
    names = machine_alias.c
    newest = (
        select(names.machine_id, func.max(names.valid_from).label("since"))
        .group_by(names.machine_id)
        .subquery()
    )
    return (
        select(orphan.c.gateway, names.uscc, names.site_no, names.asset_no)
        .add_columns(orphan.c.sample_count, orphan.c.first_ms, orphan.c.last_ms)
        .join(newest, newest.c.machine_id == orphan.c.machine_id)
        .join(
            machine_alias,
            (names.machine_id == newest.c.machine_id) & (names.valid_from == newest.c.since),
        )
        .outerjoin(equipment, equipment.c.id == orphan.c.machine_id)
        .where(equipment.c.id.is_(None))
    )
