"""What is read to find something. Functions of a connection.

Of a million machines one ordered read of the ledger, apart from the pages; then at most
:data:`SHOWN` rows by primary key, an identifier by its unique index, gateways by a look at their
few thousand ids.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, Text, cast, func, select

from gateway.city.access.principal import Scope
from gateway.city.access.scoping import owned, seen
from gateway.city.console.queries.database import Rows
from gateway.city.console.search.known import Known, machines, machines_in
from gateway.city.console.search.words import FIELD, RECORD, folded
from gateway.city.db.schema.identifiers import identifier
from gateway.city.db.tables import enterprise, equipment, gateway
from gateway.city.identifiers.labelled import shown_handle
from gateway.city.ledger.changes import latest_change

SHOWN = 20
"""Results of a kind on a page."""
_AT_ONCE = 100
"""Enterprises whose texts are held beside the folded ones while these are made."""


def known(connection: Connection, before: int | None) -> Known | None:
    """Everything that can be found.

    Args:
        connection: the city's database.
        before: newest change of the ledger that is known already.

    Returns:
        None if the ledger is still the same.
    """
    if before == latest_change(connection):
        return None
    found = enterprises(connection)  # first: a change while machines are read is then a later one
    rows = connection.execute(joined_names().execution_options(yield_per=_AT_ONCE))
    parts = {
        row.uscc: machines_in(row.names, map(int, row.ids.split(",")))
        or machines(connection.execute(_machine_names(row.uscc)).all())
        for row in rows
    }
    return replace(found, machines=parts)


def enterprises(connection: Connection) -> Known:
    """The enterprises alone: of ten thousand read in some hundredths of a second."""
    change = latest_change(connection)
    names = connection.execute(select(enterprise.c.uscc, enterprise.c.name))
    named = {row.uscc: folded(f"{row.name}{FIELD}{row.uscc}") for row in names}
    return Known(change, named, None)


def joined_names() -> Select[Any]:
    """The machines of each enterprise as two texts: no object is made of one of a million."""
    columns = equipment.c
    text = columns.name + FIELD + columns.asset_no
    query = select(
        columns.uscc,  # an index has them in this order, so that nothing is sorted
        func.aggregate_strings(cast(columns.id, Text), ",").label("ids"),
        func.aggregate_strings(text, RECORD).label("names"),
    )
    return query.group_by(columns.uscc).order_by(columns.uscc)


def _machine_names(uscc: str) -> Select[Any]:
    columns = equipment.c
    query = select(columns.id, columns.name, columns.asset_no).where(columns.uscc == uscc)
    return query.order_by(columns.site_no, columns.asset_no)


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
