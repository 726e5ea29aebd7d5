"""Rows of the ledger that a page shows, of a scope."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, tuple_

from gateway.city.access.principal import Scope
from gateway.city.access.scoping import seen
from gateway.city.db.tables import enterprise, equipment, roster_member
from gateway.city.ledger.history import statuses_on
from gateway.core.days import day_of

_MACHINES = (
    select(
        equipment.c.id,
        equipment.c.uscc,
        equipment.c.site_no,
        equipment.c.asset_no,
        equipment.c.name,
        equipment.c.equipment_class,
        equipment.c.commissioned_on,
        enterprise.c.name.label("enterprise"),
    )
    .select_from(equipment.join(enterprise, enterprise.c.uscc == equipment.c.uscc))
    .order_by(equipment.c.uscc, equipment.c.site_no, equipment.c.asset_no)
)
_PLACE = (equipment.c.uscc, equipment.c.site_no, equipment.c.asset_no)


def machines_page(
    connection: Connection, scope: Scope, uscc: str, after: int | None, limit: int, now_ms: int
) -> tuple[list[tuple[Row[Any], str]], bool]:
    """Machines in order of enterprise, site and number, each with its status today.

    A page goes by the machine before it, not by its number: no page is slower than the first.

    Args:
        connection: the city's database.
        scope: whose rows are seen.
        uscc: of one enterprise; empty: of all.
        after: id of the machine before the first; None: from the beginning.
        limit: most machines of a page.
        now_ms: UTC milliseconds.

    Returns:
        The machines, and whether more follow.
    """
    query = _MACHINES.where(seen(scope))
    if uscc:
        query = query.where(equipment.c.uscc == uscc)
    if after is not None:
        before = connection.execute(select(*_PLACE).where(equipment.c.id == after)).first()
        query = query.where(tuple_(*_PLACE) > tuple(before)) if before else query
    rows: Sequence[Any] = connection.execute(query.limit(limit + 1)).all()
    statuses = statuses_on(connection, [row.id for row in rows], day_of(now_ms))
    return [(row, statuses.get(row.id, "")) for row in rows[:limit]], len(rows) > limit


def enterprises_page(
    connection: Connection, scope: Scope, after: str, limit: int
) -> tuple[Sequence[Row[Any]], bool]:
    """Enterprises in order of their code, behind one of them, and whether more follow."""
    query = select(enterprise).where(seen(scope), enterprise.c.uscc > after)
    rows = connection.execute(query.order_by(enterprise.c.uscc).limit(limit + 1)).all()
    return rows[:limit], len(rows) > limit


def machine_of(connection: Connection, scope: Scope, number: int) -> Row[Any] | None:
    """A machine of the ledger that a scope sees; None: there is none."""
    query: Select[Any] = _MACHINES.where(seen(scope), equipment.c.id == number)
    return connection.execute(query).first()


def enterprise_of(connection: Connection, scope: Scope, uscc: str) -> Row[Any] | None:
    """An enterprise that a scope sees, with the number of its machines; None: there is none."""
    machines = select(func.count()).where(equipment.c.uscc == uscc).scalar_subquery()
    query = select(enterprise, machines.label("machines"))
    return connection.execute(query.where(seen(scope), enterprise.c.uscc == uscc)).first()


_MEMBERS = select(roster_member, enterprise.c.name, enterprise.c.county).join(
    enterprise, enterprise.c.uscc == roster_member.c.uscc
)


@dataclass(frozen=True, slots=True)
class RosterVersion:
    """A roster as it is from a day on.

    Attributes:
        day: the first.
        entered: enterprises that came onto it.
        left: that went off.
        members: on it then.
    """

    day: date
    entered: int
    left: int
    members: int


@dataclass(frozen=True, slots=True)
class Roster:
    """A roster, as far as a scope sees its members.

    Attributes:
        code: of it.
        versions: the oldest first.
        members: on it on the day that was asked for, in order of their code.
    """

    code: str
    versions: Sequence[RosterVersion]
    members: Sequence[Row[Any]]


def rosters(connection: Connection, scope: Scope, day: date, code: str = "") -> list[Roster]:
    """The rosters that have members whom a scope sees; of ``code`` only, if one is given."""
    query = _MEMBERS.where(seen(scope)).order_by(roster_member.c.roster, roster_member.c.uscc)
    query = query.where(roster_member.c.roster == code) if code else query
    found: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.roster, []).append(row)
    return [
        Roster(code, _versions(rows), [one for one in rows if _is_on(one, day)])
        for code, rows in found.items()
    ]


def memberships(connection: Connection, uscc: str) -> Sequence[Row[Any]]:
    """An enterprise's stays on rosters, the newest first."""
    columns = roster_member.c
    query = select(roster_member).where(columns.uscc == uscc)
    return connection.execute(query.order_by(columns.valid_from.desc(), columns.roster)).all()


def _is_on(row: Row[Any], day: date) -> bool:
    return bool(row.valid_from <= day and (row.valid_to is None or day < row.valid_to))


def _versions(rows: Sequence[Row[Any]]) -> list[RosterVersion]:
    entered = Counter(row.valid_from for row in rows)
    left = Counter(row.valid_to for row in rows if row.valid_to is not None)
    return [
        RosterVersion(day, entered[day], left[day], sum(_is_on(row, day) for row in rows))
        for day in sorted({*entered, *left})
    ]
