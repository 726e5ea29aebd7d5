"""Intervals without data: those that last first, then the newest, without looking at them all."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, desc, exists, func, select, true

from gateway.city.access.principal import Scope
from gateway.city.access.scoping import owned
from gateway.city.db.tables import enterprise, gap, gateway
from gateway.core.status import Reason

COUNTED = 10_000
"""So many gaps are counted, and can be paged through; there may be millions."""


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
    """Which gaps are asked for, of those that ``scope`` sees; empty fields ask for all."""

    scope: Scope
    gateway: str = ""
    device: str = ""
    cause: str = ""
    only_open: bool = False


def gaps(connection: Connection, wanted: GapFilter, limit: int, offset: int = 0) -> list[GapRow]:
    """Gaps, those that last first, then the newest."""
    # Two questions, as each has its index: one sorted by "open first" would read the whole table.
    rows = _page(connection, wanted, True, limit, offset)
    if len(rows) == limit or wanted.only_open:
        return rows
    before = offset - _count(connection, wanted, True) if offset else 0
    return rows + _page(connection, wanted, False, limit - len(rows), max(0, before))


def _page(
    connection: Connection, wanted: GapFilter, lasting: bool, limit: int, offset: int
) -> list[GapRow]:
    """Gaps that last, or that have ended: an index holds either in their order."""
    query = _filtered(select(gap, enterprise.c.uscc, enterprise.c.name), wanted, lasting)
    query = query.join(gateway, gateway.c.id == gap.c.gateway).join(enterprise)
    order = (desc(gap.c.from_ms), desc(gap.c.id))
    rows = connection.execute(query.order_by(*order).limit(limit).offset(offset))
    return [_gap(row) for row in rows]


def _gap(row: Row[Any]) -> GapRow:
    tags = tuple(json.loads(row.tags))
    return GapRow(
        row.gateway, row.uscc, row.name, row.device, row.tag_group, tags, row.cause,
        row.from_ms, row.to_ms,
    )  # fmt: skip


def gap_count(connection: Connection, wanted: GapFilter) -> int:
    """How many gaps there are, counted up to :data:`COUNTED`."""
    lasting = _count(connection, wanted, True)
    ended = 0 if wanted.only_open else _count(connection, wanted, False)
    return min(COUNTED, lasting + ended)


def _count(connection: Connection, wanted: GapFilter, lasting: bool) -> int:
    some = _filtered(select(gap.c.id), wanted, lasting).limit(COUNTED).subquery()
    return int(connection.execute(select(func.count()).select_from(some)).scalar_one())


def gap_causes(connection: Connection, scope: Scope) -> list[str]:
    """Causes that occur, in alphabetical order."""
    causes = sorted(reason.code for reason in Reason)
    # A question a cause: DISTINCT would read millions of rows for a handful of names.
    own = _seen(scope)
    asked = [exists().where(gap.c.cause == cause, own).label(cause) for cause in causes]
    row = connection.execute(select(*asked)).one()
    return [cause for cause, occurs in zip(causes, row, strict=True) if occurs]


def _seen(scope: Scope) -> ColumnElement[bool]:
    if scope.is_whole:
        return true()
    return gap.c.gateway.in_(select(gateway.c.id).where(owned(gateway.c.uscc, scope)))


def _filtered(query: Select[Any], wanted: GapFilter, lasting: bool) -> Select[Any]:
    for column, value in (
        (gap.c.gateway, wanted.gateway),
        (gap.c.device, wanted.device),
        (gap.c.cause, wanted.cause),
    ):
        if value:
            query = query.where(column == value)
    query = query.where(_seen(wanted.scope))
    return query.where(gap.c.to_ms.is_(None) if lasting else gap.c.to_ms.is_not(None))
