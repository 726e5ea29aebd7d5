"""What is read to find something. Functions of a connection.

Of a million machines one ordered read of the ledger; then at most :data:`SHOWN` rows by primary
key, an identifier by its unique index, gateways by a look at their few thousand ids.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Select, func, select

from gateway.city.access.principal import Scope
from gateway.city.access.scoping import owned, seen
from gateway.city.console.queries.database import Rows
from gateway.city.console.search.known import Known, machines
from gateway.city.console.search.words import FIELD, folded
from gateway.city.db.schema.identifiers import identifier
from gateway.city.db.tables import enterprise, equipment, gateway
from gateway.city.identifiers.labelled import shown_handle
from gateway.city.ledger.changes import latest_change

SHOWN = 20
"""Results of a kind on a page."""
_AT_ONCE = 10_000
"""Rows that are held beside the folded text while it is made."""


def known(connection: Connection, before: int | None) -> Known | None:
    """Everything that can be found.

    Args:
        connection: the city's database.
        before: newest change of the ledger that is known already.

    Returns:
        None if the ledger is still the same.
    """
    change = latest_change(connection)
    if before == change:
        return None
    names = connection.execute(select(enterprise.c.uscc, enterprise.c.name))
    named = {row.uscc: folded(f"{row.name}{FIELD}{row.uscc}") for row in names}
    rows = connection.execute(machine_names().execution_options(yield_per=_AT_ONCE))
    parts = {
        uscc: machines([(row.id, row.name, row.asset_no) for row in own])
        for uscc, own in groupby(rows, key=lambda row: row.uscc)
    }
    return Known(change, named, parts)


def machine_names() -> Select[Any]:
    """Every machine, by enterprise; in order of an index, so that nothing is sorted."""
    columns = equipment.c
    query = select(columns.uscc, columns.id, columns.name, columns.asset_no)
    return query.order_by(columns.uscc, columns.site_no, columns.asset_no)


def seen_usccs(connection: Connection, scope: Scope) -> frozenset[str] | None:
    """Whose rows somebody sees; None: all."""
    if scope.is_whole:
        return None
    return frozenset(connection.scalars(select(enterprise.c.uscc).where(seen(scope))))


def enterprise_rows(connection: Connection, usccs: Sequence[str], scope: Scope) -> Rows:
    """Enterprises that were found, by name."""
    query = select(enterprise).where(enterprise.c.uscc.in_(usccs), seen(scope))
    return connection.execute(query.order_by(enterprise.c.name)).all()


def machine_rows(connection: Connection, ids: Sequence[int], scope: Scope) -> Rows:
    """Machines that were found, with their enterprises' names, in the order of their ids there."""
    columns = equipment.c
    query = (
        select(columns.id, columns.uscc, columns.site_no, columns.asset_no, columns.name)
        .add_columns(enterprise.c.name.label("enterprise"), shown_handle())
        .join(enterprise, enterprise.c.uscc == columns.uscc)
        .outerjoin(identifier, identifier.c.equipment_id == columns.id)
        .where(columns.id.in_(ids), owned(columns.uscc, scope))
    )
    place = {one: at for at, one in enumerate(ids)}
    return sorted(connection.execute(query), key=lambda row: place[row.id])


def machine_by_handle(connection: Connection, text: str) -> list[int]:
    """The machine that has this identifier; whose it is, :func:`machine_rows` asks."""
    query = select(identifier.c.equipment_id).where(identifier.c.handle_key == text.upper())
    return list(connection.scalars(query))


def gateway_rows(connection: Connection, text: str, scope: Scope) -> Rows:
    """Gateways that have a text in their id, and were not revoked."""
    query = (
        select(gateway.c.id, gateway.c.uscc, enterprise.c.name.label("enterprise"))
        .join(enterprise)
        .where(func.lower(gateway.c.id).contains(text, autoescape=True))
        .where(gateway.c.revoked_ms.is_(None), seen(scope))
    )
    return connection.execute(query.order_by(gateway.c.id).limit(SHOWN)).all()


def places_of(connection: Connection, scope: Scope) -> tuple[set[str], set[str]]:
    """Codes of the counties and the industries that somebody sees enterprises of."""

    def codes(column: Any) -> Iterable[str]:
        return connection.scalars(select(column).where(seen(scope)).distinct())

    return set(codes(enterprise.c.county)), set(codes(enterprise.c.industry))
