"""Who watches what. Functions of a connection."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, delete, func, insert, select

from gateway.city.access.audit import Action, note
from gateway.city.access.principal import Principal, Scope, ScopeKind
from gateway.city.access.scoping import owned, seen
from gateway.city.alerts.model import Level, Subject
from gateway.city.alerts.standing import Alert
from gateway.city.db.schema.alerting.alerts import watched
from gateway.city.db.tables import enterprise, equipment, gateway
from gateway.city.ledger.codes import COUNTIES, FUNCTIONAL_AREAS
from gateway.relational.database import alone

MOST = 500
"""What one list holds at most; who wants more watches what is above it."""


class WatchError(ValueError):
    """Something cannot be watched: a key of the catalogue's table ``watch.refusal``."""


def of(connection: Connection, owner: str) -> Sequence[Subject]:
    """What somebody watches, in the order of its pages."""
    columns = watched.c
    query = select(columns.level, columns.subject, columns.uscc).where(columns.owner == owner)
    rows = connection.execute(query.order_by(columns.since_ms, columns.subject))
    found = [Subject(Level(row.level), row.subject, row.uscc) for row in rows]
    return sorted(found, key=lambda one: list(Level).index(one.level))


def visible(connection: Connection, scope: Scope, subjects: Iterable[Subject]) -> list[Subject]:
    """Those of some subjects that somebody sees now."""
    return [one for one in subjects if find(connection, scope, one.level, one.key) is not None]


def find(connection: Connection, scope: Scope, level: Level, key: str) -> Subject | None:
    """A subject that somebody sees; None: there is none, or it is not theirs."""
    if level is Level.CITY:
        return Subject(level, "city") if key == "city" and scope.is_whole else None
    if level is Level.COUNTY:
        in_county = enterprise.c.county == key
        is_known = key in COUNTIES and _any(connection, scope, in_county)
        whole = scope.is_whole or (scope.kind is ScopeKind.COUNTIES and key in scope.keys)
        return Subject(level, key) if is_known and whole else None
    if level is Level.AREA:
        in_area = enterprise.c.functional_area == key
        is_known = key in FUNCTIONAL_AREAS and _any(connection, scope, in_area)
        whole = scope.is_whole or (scope.kind is ScopeKind.AREAS and key in scope.keys)
        return Subject(level, key) if is_known and whole else None
    if level is Level.INDUSTRY:
        in_industry = enterprise.c.industry == key
        is_known = scope.is_whole and _any(connection, scope, in_industry)
        return Subject(level, key) if is_known else None
    uscc = _owner(connection, scope, level, key)
    return None if uscc is None else Subject(level, key, uscc)


def _any(connection: Connection, scope: Scope, where: object) -> bool:
    query = select(enterprise.c.uscc).where(where, seen(scope)).limit(1)  # type: ignore[arg-type]
    return connection.scalar(query) is not None


def _owner(connection: Connection, scope: Scope, level: Level, key: str) -> str | None:
    """The enterprise that is, or has, a subject."""
    if level is Level.ENTERPRISE:
        query = select(enterprise.c.uscc).where(enterprise.c.uscc == key, seen(scope))
    elif level is Level.GATEWAY:
        own = (gateway.c.id == key, gateway.c.revoked_ms.is_(None))
        query = select(gateway.c.uscc).where(*own, owned(gateway.c.uscc, scope))
    elif not (key.isascii() and key.isdecimal() and len(key) < 19):  # noqa: PLR2004 - of 64 bits
        return None
    else:
        query = select(equipment.c.uscc).where(equipment.c.id == int(key))
        query = query.where(owned(equipment.c.uscc, scope))
    return connection.scalar(query)


def add(connection: Connection, by: Principal, level: Level, key: str, now_ms: int) -> None:
    """Put something on somebody's list; again changes nothing.

    Raises:
        WatchError: they see no such thing, or the list is full.
    """
    alone(connection, "watch")
    subject = find(connection, by.scope, level, key)
    if subject is None:
        raise WatchError("unknown")
    held = of(connection, by.name)
    if subject in held:
        return
    if len(held) >= MOST:
        raise WatchError("full")
    row = {"owner": by.name, "level": level.value, "subject": key, "uscc": subject.uscc}
    connection.execute(insert(watched).values(**row, since_ms=now_ms))
    note(connection, now_ms, by.name, Action.WATCHED, f"{level} {key}", "watched")


def remove(connection: Connection, by: Principal, level: Level, key: str, now_ms: int) -> None:
    """Take something off somebody's list, whether they still see it or not."""
    columns = watched.c
    own = (columns.owner == by.name, columns.level == level.value, columns.subject == key)
    if connection.execute(delete(watched).where(*own)).rowcount:
        note(connection, now_ms, by.name, Action.WATCHED, f"{level} {key}", "left")


def count(connection: Connection) -> int:
    """How many things are watched in all."""
    return connection.scalar(select(func.count()).select_from(watched)) or 0


def is_watched(subjects: Iterable[Subject], one: Alert) -> bool:
    """Whether an alert is of what somebody watches, or of what lies in it."""
    return any(_holds(subject, one) for subject in subjects)


def _holds(watched: Subject, one: Alert) -> bool:
    inside = {
        Level.CITY: "city",
        Level.COUNTY: one.county,
        Level.AREA: one.area,
        Level.INDUSTRY: one.industry,
        Level.ENTERPRISE: one.subject.uscc,
    }
    own = (watched.level, watched.key) == (one.subject.level, one.subject.key)
    return own or watched.key == inside.get(watched.level)
