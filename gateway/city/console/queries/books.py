"""The books of gateways, a page of them at a time."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, exists, func, select

from gateway.city.access.principal import Scope
from gateway.city.access.scoping import owned
from gateway.city.db.tables import edge_books, gateway, watermark
from gateway.core.books import BY_CODE, COUNTERS, Counts, add_by_code


@dataclass(frozen=True, slots=True)
class GatewayBooks:
    """The books of one gateway, and what the city holds of them.

    ``unagreed`` is the part of ``quarantined`` that no data agreement names.
    """

    gateway: str
    counts: Counts
    committed: int
    quarantined: int
    unagreed: int

    @property
    def pending(self) -> int:
        """Buffered values that the city has not committed, as far as its books tell."""
        lost = sum(self.counts.dropped.values()) + self.quarantined
        # The books of an edge come with its frames, so the city may hold more than they tell yet.
        return max(0, self.counts.buffered - lost - self.committed)


def books(connection: Connection, scope: Scope, limit: int, offset: int = 0) -> list[GatewayBooks]:
    """Books of some gateways in order of their ids, all days and devices together."""
    has_books = exists().where(edge_books.c.gateway == gateway.c.id)
    chosen = select(gateway.c.id).where(has_books, owned(gateway.c.uscc, scope))
    chosen = chosen.order_by(gateway.c.id)
    names = connection.scalars(chosen.limit(limit).offset(offset)).all()
    held = _held(connection, names)
    counts = _totals(connection, names)
    return [GatewayBooks(name, counts[name], *held.get(name, (0, 0, 0))) for name in names]


def books_count(connection: Connection, scope: Scope) -> int:
    """How many gateways have books."""
    has_books = exists().where(edge_books.c.gateway == gateway.c.id)
    count = select(func.count()).select_from(gateway).where(has_books)
    count = count.where(owned(gateway.c.uscc, scope))
    return int(connection.execute(count).scalar_one())


def _totals(connection: Connection, names: Sequence[str]) -> dict[str, Counts]:
    columns = [func.sum(edge_books.c[name]).label(name) for name in COUNTERS]
    query = select(edge_books.c.gateway, *columns).where(edge_books.c.gateway.in_(names))
    rows = connection.execute(query.group_by(edge_books.c.gateway))
    totals = {row.gateway: _counts(row) for row in rows}
    for counter in BY_CODE:
        column = edge_books.c[counter]
        told = select(edge_books.c.gateway, column)
        told = told.where(edge_books.c.gateway.in_(names), column != "{}")
        for name, by_code in connection.execute(told):
            add_by_code(getattr(totals[name], counter), json.loads(by_code))
    return totals


def _counts(row: Row[Any]) -> Counts:
    counts = Counts()
    for name in COUNTERS:
        setattr(counts, name, int(getattr(row, name)))
    return counts


def _held(connection: Connection, names: Sequence[str]) -> Mapping[str, tuple[int, int, int]]:
    query = (
        select(
            watermark.c.gateway,
            func.sum(watermark.c.values_committed),
            func.sum(watermark.c.values_quarantined),
            func.sum(watermark.c.values_unagreed),
        )
        .where(watermark.c.gateway.in_(names))
        .group_by(watermark.c.gateway)
    )
    return {
        name: (int(good), int(bad), int(out)) for name, good, bad, out in connection.execute(query)
    }
