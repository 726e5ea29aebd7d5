"""Rows of the ledger that a page shows, of a scope."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, or_, select, tuple_

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


_JOINED = roster_member.join(enterprise, enterprise.c.uscc == roster_member.c.uscc)


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
        versions: the oldest first; at least one.
    """

    code: str
    versions: Sequence[RosterVersion]

    def members_on(self, day: date) -> int:
        """How many are on it on a day."""
        return next((one.members for one in reversed(self.versions) if one.day <= day), 0)


def rosters(connection: Connection, scope: Scope, code: str = "") -> list[Roster]:
    """The rosters that have members whom a scope sees; of ``code`` only, if one is given."""
    own = roster_member.c
    entered, left = (
        defaultdict[str, Counter[date]](Counter),
        defaultdict[str, Counter[date]](Counter),
    )
    for found, day in ((entered, own.valid_from), (left, own.valid_to)):
        query = select(own.roster, day, func.count()).select_from(_JOINED)
        query = query.where(seen(scope), day.is_not(None))
        query = query.where(own.roster == code) if code else query
        for roster, when, count in connection.execute(query.group_by(own.roster, day)):
            found[roster][when] = count
    return [Roster(one, _versions(entered[one], left[one])) for one in sorted(entered)]


@dataclass(frozen=True, slots=True)
class MembersWanted:
    """Who of a roster is asked for.

    Attributes:
        code: of the roster.
        day: on which they are on it.
        text: in name or code of the enterprise; empty: all.
        sort: key of :data:`MEMBER_ORDERS`.
        falling: the highest first.
    """

    code: str
    day: date
    text: str = ""
    sort: str = "code"
    falling: bool = False


MEMBER_ORDERS: Mapping[str, ColumnElement[Any]] = {
    "code": roster_member.c.uscc,
    "name": enterprise.c.name,
    "county": enterprise.c.county,
    "valid_from": roster_member.c.valid_from,
}


def members(
    connection: Connection, scope: Scope, wanted: MembersWanted, part: slice = slice(None)
) -> Sequence[Row[Any]]:
    """Who is on a roster on a day: a part of them, or all."""
    by = MEMBER_ORDERS[wanted.sort]
    query = _members(scope, wanted, roster_member, enterprise.c.name, enterprise.c.county)
    query = query.order_by(by.desc() if wanted.falling else by, roster_member.c.uscc)
    if part.stop is not None:
        query = query.offset(part.start).limit(part.stop - part.start)
    return connection.execute(query).all()


def count_members(connection: Connection, scope: Scope, wanted: MembersWanted) -> int:
    """How many :func:`members` there are."""
    return connection.scalar(_members(scope, wanted, func.count())) or 0


def _members(scope: Scope, wanted: MembersWanted, *what: Any) -> Select[Any]:
    own, name = roster_member.c, enterprise.c.name
    query = select(*what).select_from(_JOINED).where(seen(scope), own.roster == wanted.code)
    query = query.where(own.valid_from <= wanted.day)
    query = query.where(or_(own.valid_to.is_(None), own.valid_to > wanted.day))
    if text := wanted.text.strip():
        named = (own.uscc, name)
        query = query.where(or_(*(one.icontains(text, autoescape=True) for one in named)))
    return query


def memberships(connection: Connection, uscc: str) -> Sequence[Row[Any]]:
    """An enterprise's stays on rosters, the newest first."""
    columns = roster_member.c
    query = select(roster_member).where(columns.uscc == uscc)
    return connection.execute(query.order_by(columns.valid_from.desc(), columns.roster)).all()


def _versions(entered: Counter[date], left: Counter[date]) -> list[RosterVersion]:
    found, members = list[RosterVersion](), 0
    for day in sorted({*entered, *left}):
        members += entered[day] - left[day]
        found.append(RosterVersion(day, entered[day], left[day], members))
    return found
