"""What weakens the figures: quarantine, orphans, missing identifiers. Functions of a connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, desc, func, select, true

from gateway.city.access.principal import Scope
from gateway.city.access.scoping import owned, seen
from gateway.city.console.queries.database import Rows
from gateway.city.console.queries.ghosts import Ghosts, ghosts
from gateway.city.db.schema.clock import doubted_evidence
from gateway.city.db.schema.identifiers import identifier
from gateway.city.db.tables import enterprise, equipment, gateway, machine_alias, quarantine
from gateway.city.evidence.adoption import orphan_query
from gateway.city.evidence.retired import retired_query
from gateway.city.ledger.machines import find
from gateway.city.rates.days.late_excuses import LateExcuse, late_excuses
from gateway.city.rates.days.undated import undated_query
from gateway.city.rates.period import previous_month
from gateway.city.registry.readings import twins
from gateway.city.registry.twins import Twin
from gateway.core.days import DAY_MS, MAX_AHEAD_MS, day_of
from gateway.relational.database import chunks

_DOUBTED_MS = 40 * DAY_MS
"""As long as a month can still be computed."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything on the data quality page that the database knows.

    Attributes:
        quarantined: reason, gateway, messages, values and newest time of quarantined messages.
        orphans: machines that send values and are not in the ledger.
        orphan_count: how many of those there are.
        ghosts: machines of the ledger that never sent a value.
        retired: machines that send values and are out of service by the ledger.
        retired_count: how many of those there are.
        undated: machines without a date that decides figures of this month or the last.
        undated_count: how many dates are missing.
        twins: machines whose unit another asset number reads too, that came before.
        excuses: planned stops and schedules that were said when some of their days were over.
        excuse_count: how many of those there are.
        doubted: gateways whose clock leaves values in doubt, with machines, days, newest time.
        unregistered: machines whose identifier the node has not confirmed.
        unregistered_count: how many of those there are.
        unverified: enterprises whose ledger nobody has verified.
        unverified_count: how many of those there are.
        equipment: machines of the ledger.
        identifiers: issued, registered, resolved.
    """

    quarantined: Rows
    orphans: Rows
    orphan_count: int
    ghosts: Ghosts
    retired: Rows
    retired_count: int
    undated: Rows
    undated_count: int
    twins: Sequence[Twin]
    excuses: Sequence[LateExcuse]
    excuse_count: int
    doubted: Rows
    unregistered: Rows
    unregistered_count: int
    unverified: Rows
    unverified_count: int
    equipment: int
    identifiers: tuple[int, int, int]


def findings(connection: Connection, scope: Scope, now_ms: int, limit: int) -> Findings:
    """Gather them, of each kind at most ``limit`` rows; quarantine of the last seven days."""
    unverified = _unverified().where(seen(scope))
    unregistered = _unregistered().where(owned(equipment.c.uscc, scope))
    orphans = orphan_query(connection).where(owned(machine_alias.c.uscc, scope))
    retired = retired_query(connection, day_of(now_ms)).where(owned(equipment.c.uscc, scope))
    undated = undated_query(previous_month(day_of(now_ms).replace(day=1)))
    undated = undated.where(owned(equipment.c.uscc, scope))
    excuses = late_excuses(connection, seen(scope))
    some_orphans, orphan_count = _counted(connection, orphans.order_by(desc("last_ms")), limit)
    retired = retired.order_by(desc("last_ms"), equipment.c.id)
    some_retired, retired_count = _counted(connection, retired, limit)
    undated = undated.order_by(desc("entered"), equipment.c.id)
    some_undated, undated_count = _counted(connection, undated, limit)
    return Findings(
        quarantined=_quarantined(connection, scope, now_ms - 7 * DAY_MS, limit),
        orphans=some_orphans,
        orphan_count=orphan_count,
        ghosts=ghosts(connection, scope, day_of(now_ms), some_orphans, limit),
        retired=some_retired,
        retired_count=retired_count,
        undated=some_undated,
        undated_count=undated_count,
        twins=_twins(connection, scope, now_ms)[:limit],
        excuses=excuses[:limit],
        excuse_count=len(excuses),
        doubted=_rows(connection, _doubted(now_ms).where(seen(scope)), limit),
        unregistered=_rows(connection, unregistered.order_by(equipment.c.id), limit),
        unregistered_count=_count(connection, unregistered),
        unverified=_rows(connection, unverified.order_by(enterprise.c.name), limit),
        unverified_count=_count(connection, unverified),
        equipment=_count(connection, select(equipment.c.id).where(owned(equipment.c.uscc, scope))),
        identifiers=identifier_totals(connection, scope),
    )


def _twins(connection: Connection, scope: Scope, now_ms: int) -> list[Twin]:
    """As the running month counts them; those that are certain come first."""
    today = day_of(now_ms)
    found = list(twins(connection, today.replace(day=1), today))
    names = {name for one in found for name in (one.machine, one.first)}
    known = find(connection, names, today) if names else {}
    query = select(equipment.c.id).where(owned(equipment.c.uscc, scope))
    held = {  # who is not in the ledger counts nowhere, and is an orphan
        number
        for part in chunks(known.values())
        for number in connection.scalars(query.where(equipment.c.id.in_(part)))
    }
    listed = [one for one in found if {known.get(one.machine), known.get(one.first)} <= held]
    return sorted(listed, key=lambda one: (not one.is_certain, one.machine, one.first))


def _unverified() -> Select[Any]:
    columns = enterprise.c
    return select(columns.uscc, columns.name).where(columns.ledger_verified_on.is_(None))


def _unregistered() -> Select[Any]:
    """Machines without identifier too: the outer join leaves theirs empty."""
    columns = equipment.c
    return (
        select(columns.uscc, columns.site_no, columns.asset_no, columns.name)
        .add_columns(identifier.c.issued_ms)
        .outerjoin(identifier, identifier.c.equipment_id == columns.id)
        .where(identifier.c.registered_ms.is_(None))
    )


def _doubted(now_ms: int) -> Select[Any]:
    """Gateways with values in clock doubt on the days that figures can still be made of."""
    columns, last_ms = doubted_evidence.c, func.max(doubted_evidence.c.last_ms).label("last_ms")
    return (
        select(columns.gateway, gateway.c.uscc, enterprise.c.name, last_ms)
        .add_columns(
            func.count(columns.machine_id.distinct()).label("machines"),
            func.min(columns.day).label("first_day"),
            (last_ms > now_ms + MAX_AHEAD_MS).label("is_ahead"),
        )
        .select_from(doubted_evidence.join(gateway).join(enterprise))
        .where(columns.day >= day_of(now_ms - _DOUBTED_MS))
        .group_by(columns.gateway, gateway.c.uscc, enterprise.c.name)
        .order_by(desc("last_ms"))
    )


def _rows(connection: Connection, query: Select[Any], limit: int) -> Rows:
    return connection.execute(query.limit(limit)).all()


def _counted(connection: Connection, query: Select[Any], limit: int) -> tuple[Rows, int]:
    """Rows, at most so many, and how many there are: of what is costly to gather, at once."""
    whole = func.count().over().label("of_all")
    rows = connection.execute(query.add_columns(whole).limit(limit)).all()
    return rows, rows[0].of_all if rows else 0


def _count(connection: Connection, query: Select[Any]) -> int:
    return connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()


def identifier_totals(connection: Connection, scope: Scope) -> tuple[int, int, int]:
    """Identifiers issued, registered and resolved."""
    query = select(
        func.count(),
        func.count(identifier.c.registered_ms),
        func.count(identifier.c.resolved_ms),
    ).select_from(identifier)
    if not scope.is_whole:
        own = select(equipment.c.id).where(owned(equipment.c.uscc, scope))
        query = query.where(identifier.c.equipment_id.in_(own))
    row = connection.execute(query).one()
    return int(row[0]), int(row[1]), int(row[2])


def _quarantined(connection: Connection, scope: Scope, since_ms: int, limit: int) -> Rows:
    own = select(gateway.c.id).where(owned(gateway.c.uscc, scope))
    mine = true() if scope.is_whole else quarantine.c.gateway.in_(own)  # some name no gateway
    messages = func.count().label("messages")
    return connection.execute(
        select(
            quarantine.c.reason,
            quarantine.c.gateway,
            messages,
            func.sum(quarantine.c.value_count).label("value_count"),
            func.max(quarantine.c.received_ms).label("newest_ms"),
        )
        .where(quarantine.c.received_ms >= since_ms, mine)
        .group_by(quarantine.c.reason, quarantine.c.gateway)
        .order_by(desc("newest_ms"))
        .limit(limit)
    ).all()
