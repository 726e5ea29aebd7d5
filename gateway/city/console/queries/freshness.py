"""How long ago ledgers were verified. Functions of a connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from gateway.city.access.principal import Scope
from gateway.city.access.scoping import seen
from gateway.city.db.tables import enterprise

STALE_DAYS = 365
"""A ledger that nobody has looked at for longer is told of; it counts all the same."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """Ledgers whose verification is old.

    Attributes:
        stale: ``uscc``, ``name``, ``verified_on`` and ``verified_by``, the oldest first.
        count: how many there are.
    """

    stale: Sequence[Any]
    count: int


def freshness(connection: Connection, scope: Scope, today: date, limit: int) -> Freshness:
    """The ledgers that were verified longest ago, of those whose time has come."""
    columns = enterprise.c
    due = columns.ledger_verified_on < today - timedelta(days=STALE_DAYS)
    verified = columns.ledger_verified_on.label("verified_on")
    query = select(columns.uscc, columns.name, verified)
    query = query.add_columns(columns.ledger_verified_by.label("verified_by"))
    ordered = query.where(due, seen(scope)).order_by(verified, columns.uscc).limit(limit)
    count = select(func.count()).select_from(enterprise).where(due, seen(scope))
    return Freshness(connection.execute(ordered).all(), connection.scalar(count) or 0)
