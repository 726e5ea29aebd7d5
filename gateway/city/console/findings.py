"""What weakens the figures: quarantine, orphans, missing identifiers. Functions of a connection."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, desc, func, select

from gateway.city.console.queries import Rows
from gateway.city.db.tables import enterprise, equipment, identifier, orphan, quarantine

DAY_MS = 86_400_000
LIMIT = 50


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything on the data quality page that the database knows.

    Attributes:
        quarantined: reason, gateway, messages, values and newest time of quarantined messages.
        orphans: machines that send values and are not in the ledger.
        unregistered: machines whose identifier the node has not confirmed.
        unregistered_count: how many of those there are.
        unverified: enterprises whose ledger nobody has verified.
        equipment: machines of the ledger.
        identifiers: issued, registered, resolved.
    """

    quarantined: Rows
    orphans: Rows
    unregistered: Rows
    unregistered_count: int
    unverified: Rows
    equipment: int
    identifiers: tuple[int, int, int]


def findings(connection: Connection, now_ms: int) -> Findings:
    """Gather them; quarantine of the last seven days."""
    return Findings(
        quarantined=_quarantined(connection, now_ms - 7 * DAY_MS),
        orphans=connection.execute(
            select(orphan).order_by(desc(orphan.c.last_ms)).limit(LIMIT)
        ).all(),
        unregistered=_unregistered(connection),
        unregistered_count=_unregistered_count(connection),
        unverified=connection.execute(
            select(enterprise.c.uscc, enterprise.c.name)
            .where(enterprise.c.ledger_verified_on.is_(None))
            .order_by(enterprise.c.name)
            .limit(LIMIT)
        ).all(),
        equipment=_count(connection, select(func.count()).select_from(equipment)),
        identifiers=identifier_totals(connection),
    )


def identifier_totals(connection: Connection) -> tuple[int, int, int]:
    """Identifiers issued, registered and resolved."""
    row = connection.execute(
        select(
            func.count(),
            func.count(identifier.c.registered_ms),
            func.count(identifier.c.resolved_ms),
        ).select_from(identifier)
    ).one()
    return int(row[0]), int(row[1]), int(row[2])


def _count(connection: Connection, query: Any) -> int:
    return int(connection.execute(query).scalar_one())


def _quarantined(connection: Connection, since_ms: int) -> Rows:
    messages = func.count().label("messages")
    return connection.execute(
        select(
            quarantine.c.reason,
            quarantine.c.gateway,
            messages,
            func.sum(quarantine.c.value_count).label("value_count"),
            func.max(quarantine.c.received_ms).label("newest_ms"),
        )
        .where(quarantine.c.received_ms >= since_ms)
        .group_by(quarantine.c.reason, quarantine.c.gateway)
        .order_by(desc("newest_ms"))
        .limit(LIMIT)
    ).all()


def _unregistered(connection: Connection) -> Rows:
    return connection.execute(
        select(
            equipment.c.uscc,
            equipment.c.site_no,
            equipment.c.asset_no,
            equipment.c.name,
            identifier.c.handle,
        )
        .outerjoin(identifier)
        .where(identifier.c.registered_ms.is_(None))
        .order_by(equipment.c.id)
        .limit(LIMIT)
    ).all()


def _unregistered_count(connection: Connection) -> int:
    query = select(func.count()).select_from(equipment.outerjoin(identifier))
    return _count(connection, query.where(identifier.c.registered_ms.is_(None)))
