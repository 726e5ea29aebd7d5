"""Which acts changed the ledger, and of how many rows each said something."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, func, select

from gateway.city.db.schema.ledger_history import (
    enterprise_history,
    ledger_act,
    machine_history,
    roster_history,
    status_history,
    undated_history,
    verification_history,
)
from gateway.city.db.schema.stops import planned_stop, planned_stop_end
from gateway.city.db.tables import enterprise, equipment
from gateway.city.ledger.bitemporal.undated import undated_of
from gateway.city.ledger.machines import SINCE_EVER

TABLES: Mapping[str, Table] = {
    "machines": machine_history,
    "statuses": status_history,
    "enterprises": enterprise_history,
    "rosters": roster_history,
    "verifications": verification_history,
    "undated": undated_history,
    "stops": planned_stop,
    "ends": planned_stop_end,
}
"""Where acts write, by what they say there."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was done to the ledger, and counts.

    Attributes:
        number: of the act.
        change: of the ledger, by which it counts.
        known_ms: since when it is known, UTC milliseconds.
        kind: a value of ``Kind``.
        made_by: who; empty: it is not known.
        source: files, or what was said.
        counts: rows that it wrote, by key of :data:`TABLES`; what is missing is none.
    """

    number: int
    change: int
    known_ms: int
    kind: str
    made_by: str
    source: str
    counts: Mapping[str, int] = field(default_factory=dict)


_COUNTED = select(ledger_act).where(ledger_act.c.change_id.is_not(None))


def acts_page(connection: Connection, before: int | None, limit: int) -> tuple[list[Act], bool]:
    """Acts, the newest first, and whether more follow.

    Args:
        connection: the city's database.
        before: change of the act behind which to go on; None: from the newest.
        limit: most acts of a page.
    """
    query = _COUNTED.order_by(ledger_act.c.change_id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(ledger_act.c.change_id < before)
    rows = connection.execute(query).all()
    return _acts(connection, rows[:limit]), len(rows) > limit


def act_of(connection: Connection, number: int) -> Act | None:
    """An act that counts; None: there is none of this number."""
    rows = connection.execute(_COUNTED.where(ledger_act.c.id == number)).all()
    return next(iter(_acts(connection, rows)), None)


def _acts(connection: Connection, rows: Sequence[Any]) -> list[Act]:
    numbers = [row.id for row in rows]
    counts: dict[int, dict[str, int]] = {number: {} for number in numbers}
    for key, table in TABLES.items():
        column = table.c.act_id
        query = select(column, func.count()).where(column.in_(numbers)).group_by(column)
        for number, count in connection.execute(query):
            counts[number][key] = count
    return [
        Act(row.id, row.change_id, row.known_ms, row.kind, row.made_by, row.source, counts[row.id])
        for row in rows
    ]


def machines_said(
    connection: Connection, number: int, after: int, limit: int
) -> tuple[list[int], bool]:
    """Machines of which an act said something, behind one of them, and whether more follow."""
    tables = (machine_history, status_history, undated_history)
    found: set[int] = set()
    for table in tables:
        key = table.c.machine_id
        query = select(key).where(table.c.act_id == number, key > after).distinct()
        found |= set(connection.scalars(query.order_by(key).limit(limit + 1)))
    ids = sorted(found)
    return ids[:limit], len(ids) > limit


def enterprises_said(connection: Connection, number: int, limit: int) -> tuple[list[str], bool]:
    """The first enterprises of which an act said something, and whether there are more."""
    tables = (enterprise_history, roster_history, verification_history, undated_history)
    found: set[str] = set()
    for table in tables:
        query = select(table.c.uscc).where(table.c.act_id == number, table.c.uscc > "").distinct()
        found |= set(connection.scalars(query.order_by(table.c.uscc).limit(limit + 1)))
    codes = sorted(found)
    return codes[:limit], len(codes) > limit


def machines_told(
    connection: Connection, number: int, machines: Sequence[int]
) -> list[tuple[Any, list[tuple[date, Mapping[str, Any]]]]]:
    """Rows of machines, each with what an act said of it, by day."""
    columns = (equipment.c.id, equipment.c.name, equipment.c.uscc, equipment.c.site_no)
    query = select(*columns, equipment.c.asset_no).where(equipment.c.id.in_(machines))
    found: dict[int, list[tuple[date, Mapping[str, Any]]]] = {one: [] for one in machines}
    own = {"machine_id", "valid_from", "act_id"}
    for table in (machine_history, status_history):
        said = select(table).where(table.c.act_id == number, table.c.machine_id.in_(machines))
        for row in connection.execute(said.order_by(table.c.valid_from)).mappings():
            values = {key: value for key, value in row.items() if key not in own}
            found[row["machine_id"]].append((row["valid_from"], values))
    for key, one in undated_of(connection, number).items():
        if isinstance(key, int) and key in found:
            found[key].append((SINCE_EVER, one.new))
    rows = {row.id: row for row in connection.execute(query)}
    return [(rows[one], found[one]) for one in machines if one in rows]


def enterprises_named(connection: Connection, codes: Sequence[str]) -> Sequence[Any]:
    """Code and name of enterprises."""
    columns = enterprise.c
    query = select(columns.uscc, columns.name).where(columns.uscc.in_(codes))
    return connection.execute(query.order_by(columns.uscc)).all()
