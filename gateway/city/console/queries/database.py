"""What the pages read from the database: plain functions of a connection."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, Select, desc, func, select

from gateway.city.db.tables import (
    edge_books,
    enterprise,
    equipment,
    evidence,
    gap,
    gateway,
    identifier,
    watermark,
)
from gateway.core.books import COUNTERS, Counts

Machine = tuple[str, str, str]
Rows = Sequence[Any]
"""Rows of a query whose columns the query names."""


@dataclass(frozen=True, slots=True)
class EnterpriseRow:
    """An enterprise of the ledger."""

    uscc: str
    name: str
    county: str
    industry: str
    above_scale: bool
    verified_by: str | None
    verified_on: date | None


def enterprises(connection: Connection) -> dict[str, EnterpriseRow]:
    """All enterprises by USCC."""
    rows = connection.execute(select(enterprise))
    return {row.uscc: _enterprise(row) for row in rows}


def enterprise_of(connection: Connection, uscc: str) -> EnterpriseRow | None:
    """One enterprise, or None."""
    row = connection.execute(select(enterprise).where(enterprise.c.uscc == uscc)).first()
    return _enterprise(row) if row else None


def _enterprise(row: Row[Any]) -> EnterpriseRow:
    return EnterpriseRow(
        row.uscc,
        row.name,
        row.county,
        row.industry,
        row.above_scale,
        row.ledger_verified_by,
        row.ledger_verified_on,
    )


@dataclass(frozen=True, slots=True)
class GatewayRow:
    """A gateway of the registry."""

    id: str
    uscc: str
    enterprise: str
    site_no: str
    last_seen_ms: int | None
    revoked: bool


def gateways(connection: Connection) -> list[GatewayRow]:
    """All gateways in order of their ids."""
    query = select(gateway, enterprise.c.name).join(enterprise).order_by(gateway.c.id)
    return [
        GatewayRow(
            row.id, row.uscc, row.name, row.site_no, row.last_seen_ms, row.revoked_ms is not None
        )
        for row in connection.execute(query)
    ]


@dataclass(frozen=True, slots=True)
class GapRow:
    """An interval without data; ``to_ms`` None while it lasts; ``tags`` empty for all."""

    gateway: str
    uscc: str
    enterprise: str
    device: str
    group: str
    tags: tuple[str, ...]
    cause: str
    from_ms: int
    to_ms: int | None

    def length_ms(self, now_ms: int) -> int:
        """Its length so far."""
        return (self.to_ms or now_ms) - self.from_ms

    def covers(self, group: str, tag: str) -> bool:
        """Whether a tag of its device sends nothing because of it."""
        return self.group in {"", group} and (not self.tags or tag in self.tags)


@dataclass(frozen=True, slots=True)
class GapFilter:
    """Which gaps are asked for; empty fields ask for all."""

    gateway: str = ""
    device: str = ""
    cause: str = ""
    only_open: bool = False


def gaps(connection: Connection, wanted: GapFilter, limit: int, offset: int = 0) -> list[GapRow]:
    """Gaps, those that last first, then the newest."""
    query = _filtered(select(gap, enterprise.c.uscc, enterprise.c.name), wanted)
    query = query.join(gateway, gateway.c.id == gap.c.gateway).join(enterprise)
    order = (gap.c.to_ms.is_not(None), desc(gap.c.from_ms), desc(gap.c.id))
    rows = connection.execute(query.order_by(*order).limit(limit).offset(offset))
    return [_gap(row) for row in rows]


def _gap(row: Row[Any]) -> GapRow:
    tags = tuple(json.loads(row.tags))
    return GapRow(
        row.gateway, row.uscc, row.name, row.device, row.tag_group, tags, row.cause,
        row.from_ms, row.to_ms,
    )  # fmt: skip


def gap_count(connection: Connection, wanted: GapFilter) -> int:
    """How many gaps there are."""
    query = _filtered(select(func.count()).select_from(gap), wanted)
    return int(connection.execute(query).scalar_one())


def gap_causes(connection: Connection) -> list[str]:
    """Causes that occur."""
    return list(connection.execute(select(gap.c.cause).distinct().order_by(gap.c.cause)).scalars())


def _filtered(query: Select[Any], wanted: GapFilter) -> Select[Any]:
    for column, value in (
        (gap.c.gateway, wanted.gateway),
        (gap.c.device, wanted.device),
        (gap.c.cause, wanted.cause),
    ):
        if value:
            query = query.where(column == value)
    return query.where(gap.c.to_ms.is_(None)) if wanted.only_open else query


def machine_row(connection: Connection, machine: Machine) -> Row[Any] | None:
    """A machine of the ledger with its identifier, or None."""
    uscc, site_no, asset_no = machine
    query = (
        select(equipment, identifier.c.handle, identifier.c.registered_ms, identifier.c.resolved_ms)
        .outerjoin(identifier)
        .where(equipment.c.uscc == uscc)
        .where(equipment.c.site_no == site_no)
        .where(equipment.c.asset_no == asset_no)
    )
    return connection.execute(query).first()


@dataclass(frozen=True, slots=True)
class GatewayBooks:
    """The books of one gateway, and what the city holds of them."""

    gateway: str
    counts: Counts
    committed: int
    quarantined: int

    @property
    def pending(self) -> int:
        """Buffered values that the city has not committed, as far as its books tell."""
        lost = sum(self.counts.dropped.values()) + self.quarantined
        return max(0, self.counts.buffered - lost - self.committed)


def books(connection: Connection) -> list[GatewayBooks]:
    """Books by gateway, all days and devices together."""
    held = _held(connection)
    totals: dict[str, Counts] = {}
    columns = [func.sum(edge_books.c[name]).label(name) for name in COUNTERS]
    query = select(edge_books.c.gateway, *columns).group_by(edge_books.c.gateway)
    for row in connection.execute(query.order_by(edge_books.c.gateway)):
        totals[row.gateway] = _counts(row)
    for name, dropped in connection.execute(_dropped()):
        totals[name].dropped = dict(Counter(totals[name].dropped) + Counter(json.loads(dropped)))
    return [GatewayBooks(name, counts, *held.get(name, (0, 0))) for name, counts in totals.items()]


def _counts(row: Row[Any]) -> Counts:
    counts = Counts()
    for name in COUNTERS:
        setattr(counts, name, int(getattr(row, name)))
    return counts


def _dropped() -> Select[Any]:
    return select(edge_books.c.gateway, edge_books.c.dropped).where(edge_books.c.dropped != "{}")


def _held(connection: Connection) -> Mapping[str, tuple[int, int]]:
    query = select(
        watermark.c.gateway,
        func.sum(watermark.c.values_committed),
        func.sum(watermark.c.values_quarantined),
    ).group_by(watermark.c.gateway)
    return {name: (int(good), int(bad)) for name, good, bad in connection.execute(query)}


def evidence_days(connection: Connection, equipment_id: int, first: date) -> Rows:
    """The evidence of a machine since a day, newest first."""
    columns = evidence.c
    query = select(evidence).where(columns.equipment_id == equipment_id, columns.day >= first)
    return connection.execute(query.order_by(columns.day.desc(), columns.source)).all()


def equipment_names(connection: Connection, uscc: str) -> Rows:
    """Workshop, line and identifier state of the machines of an enterprise."""
    query = (
        select(
            equipment.c.site_no,
            equipment.c.asset_no,
            equipment.c.workshop,
            equipment.c.line,
            equipment.c.key_equipment,
            identifier.c.handle,
        )
        .outerjoin(identifier)
        .where(equipment.c.uscc == uscc)
    )
    return connection.execute(query).all()
