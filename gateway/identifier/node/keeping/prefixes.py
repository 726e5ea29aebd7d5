"""Prefixes: one row each, for ever; what was allotted to one enterprise is never another's."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, and_, insert, select, update

from gateway.identifier.node.keeping.tables import prefix as table


class State(StrEnum):
    """How far an application for a prefix has come."""

    APPLIED = "applied"
    ALLOTTED = "allotted"
    REFUSED = "refused"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Prefix:
    """A prefix that somebody has applied for.

    Attributes:
        prefix: in upper case.
        enterprise: who applied for it, or has it.
        state: how far it has come.
        reason: of the newest decision.
        applied_ms: UTC milliseconds.
        decided_ms: likewise; None: not yet.
        decided_by: the user who decided.
        site: HS_SITE of the node that it is delegated to; None: it is answered here.
    """

    prefix: str
    enterprise: str
    state: State
    reason: str
    applied_ms: int
    decided_ms: int | None
    decided_by: str
    site: bytes | None


_HELD = State.ALLOTTED, State.SUSPENDED
"""States of a prefix that an enterprise has."""
CLOSED = b""
"""In the place of an HS_SITE to which nobody is referred."""
_ALL = select(
    *(table.c[name] for name in ("prefix", "enterprise", "state", "reason")),
    *(table.c[name] for name in ("applied_ms", "decided_ms", "decided_by", "site")),
)


def listed(connection: Connection, enterprise: str | None = None) -> list[Prefix]:
    """All, or an enterprise's, in order."""
    query = _ALL.order_by(table.c.prefix)
    if enterprise is not None:
        query = query.where(table.c.enterprise == enterprise)
    return [
        Prefix(one, who, State(state), *rest)
        for one, who, state, *rest in connection.execute(query)
    ]


def find(connection: Connection, prefix: str) -> Prefix | None:
    """A prefix; None: nobody has ever applied for it."""
    query = _ALL.where(table.c.prefix == prefix.upper())
    return next(
        (
            Prefix(one, who, State(state), *rest)
            for one, who, state, *rest in connection.execute(query)
        ),
        None,
    )


def held(connection: Connection, enterprise: str) -> dict[str, bool]:
    """Prefixes that an enterprise has, in upper case, and whether it may register there.

    It may where they are allotted and answered here; one that is suspended stays its own.
    """
    of = table.c
    is_usable = and_(of.state == State.ALLOTTED, of.site.is_(None))
    query = select(of.prefix, is_usable).where(of.enterprise == enterprise, of.state.in_(_HELD))
    return {one: bool(usable) for one, usable in connection.execute(query.order_by(of.prefix))}


def kin(connection: Connection, prefix: str) -> list[Prefix]:
    """Rows of a prefix itself, of those above it and of those below it."""
    one = prefix.upper()
    return [
        other
        for other in listed(connection)
        if f"{one}.".startswith(f"{other.prefix}.") or other.prefix.startswith(f"{one}.")
    ]


def allotted(connection: Connection) -> dict[str, bytes | None]:
    """Prefixes that enterprises have, in upper case, with the HS_SITE of who answers for each.

    None: this node does, also while one is suspended. CLOSED: another node does, and as the prefix
    is suspended, nobody is referred to it.
    """
    of = table.c
    query = select(of.prefix, of.state, of.site).where(of.state.in_(_HELD))
    return {
        prefix: CLOSED if site and state == State.SUSPENDED else site
        for prefix, state, site in connection.execute(query)
    }


def is_usable(connection: Connection, prefix: str) -> bool:
    """Whether its enterprise may register below a prefix: the nearest is allotted, and here."""
    parts = prefix.upper().split(".")
    above = [".".join(parts[:end]) for end in range(len(parts), 0, -1)]
    of = table.c
    query = select(of.prefix, and_(of.state == State.ALLOTTED, of.site.is_(None)))
    rows = connection.execute(query.where(of.prefix.in_(above), of.state.in_(_HELD)))
    found = {one: bool(usable) for one, usable in rows}
    return next((found[one] for one in above if one in found), False)


def apply(connection: Connection, prefix: str, enterprise: str, now_ms: int) -> None:
    """Write an application down; one that was refused before begins anew."""
    one = prefix.upper()
    row = {"enterprise": enterprise, "state": State.APPLIED, "reason": "", "applied_ms": now_ms}
    row |= {"decided_ms": None, "decided_by": "", "site": None}
    if connection.execute(update(table).where(table.c.prefix == one).values(row)).rowcount == 0:
        connection.execute(insert(table).values(row | {"prefix": one}))


def decide(
    connection: Connection, prefix: str, state: State, reason: str, by: str, now_ms: int
) -> None:
    """Write a decision down."""
    row = {"state": state, "reason": reason[:300], "decided_by": by, "decided_ms": now_ms}
    connection.execute(update(table).where(table.c.prefix == prefix.upper()).values(row))


def delegate(connection: Connection, prefix: str, site: bytes | None) -> None:
    """Name the node that answers for a prefix; None: this one."""
    connection.execute(update(table).where(table.c.prefix == prefix.upper()).values(site=site))
