"""The alerts there are: written as they begin and end, acknowledged, read for who may see them."""

import json
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    bindparam,
    case,
    cast,
    delete,
    false,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from gateway.city.access.audit import Action, note
from gateway.city.access.principal import Principal, Scope, ScopeKind
from gateway.city.access.scoping import owned
from gateway.city.alerts.model import Changes, Condition, GoingOn, Kind, Level, Subject, changes
from gateway.city.db.schema.alerting.alerts import alert
from gateway.city.db.schema.alerting.messages import alert_message_part
from gateway.city.db.tables import enterprise, equipment
from gateway.relational.database import alone

LOCK = "alerts"
INSPECTING = frozenset({ScopeKind.ALL, ScopeKind.COUNTIES})
"""Scopes of the roles that see findings: nobody is told by what they are looked at themselves."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert, and what its subject is called now.

    Attributes:
        id: its number.
        kind: what is wrong.
        subject: of what.
        since_ms: since when it is wrong, UTC milliseconds.
        began_ms: when the alert began.
        ended_ms: when it ended; None: it goes on.
        detail: as of its condition.
        acknowledged_ms: when somebody said that it is seen to; None: nobody has.
        acknowledged_by: who.
        enterprise: name; empty: it is of none.
        county: code of the enterprise's county.
        area: code of the enterprise's functional area; empty: it is in none.
        industry: class of the enterprise.
        machine: name, site and asset number of a machine; None: it is none, or has left the ledger.
    """

    id: int
    kind: Kind
    subject: Subject
    since_ms: int
    began_ms: int
    ended_ms: int | None
    detail: Mapping[str, Any]
    acknowledged_ms: int | None
    acknowledged_by: str | None
    enterprise: str
    county: str
    area: str
    industry: str
    machine: tuple[str, str, str] | None

    @property
    def goes_on(self) -> bool:
        """Whether it has not ended."""
        return self.ended_ms is None


def judge(
    connection: Connection,
    conditions: Sequence[Condition],
    judged: AbstractSet[Kind],
    now_ms: int,
    steady_ms: int,
) -> Changes:
    """What the facts make of the alerts there are; writes nothing, see :func:`write`."""
    return changes(_going_on(connection), conditions, judged, now_ms, steady_ms)


def write(
    connection: Connection,
    conditions: Sequence[Condition],
    judged: AbstractSet[Kind],
    now_ms: int,
    steady_ms: int,
) -> Changes:
    """Begin and end alerts by the facts; two processes that do so begin none twice."""
    alone(connection, LOCK)
    found = judge(connection, conditions, judged, now_ms, steady_ms)
    if found.begin:
        connection.execute(insert(alert), [_row(one, now_ms) for one in found.begin])
    for some, values in (
        (found.back, {"clear_ms": None}),
        (found.clear, {"clear_ms": now_ms}),
        (found.end, {"ended_ms": now_ms}),
    ):
        if some:
            one = update(alert).where(alert.c.id == bindparam("one"))
            connection.execute(one.values(**values), [{"one": each.id} for each in some])
    return found


def _going_on(connection: Connection) -> list[GoingOn]:
    columns = alert.c
    query = select(columns.id, columns.kind, columns.key, columns.clear_ms)
    return [
        GoingOn(row.id, Kind(row.kind), row.key, row.clear_ms)
        for row in connection.execute(query.where(columns.ended_ms.is_(None)))
    ]


def _row(one: Condition, now_ms: int) -> dict[str, object]:
    subject = one.subject
    return {
        "key": one.key,
        "kind": one.kind.value,
        "level": subject.level.value,
        "subject": subject.key,
        "uscc": subject.uscc,
        "since_ms": one.since_ms,
        "began_ms": now_ms,
        "detail": json.dumps(dict(one.detail)),
    }


_PLACES = {ScopeKind.COUNTIES: Level.COUNTY, ScopeKind.AREAS: Level.AREA}


def seen_alerts(scope: Scope) -> ColumnElement[bool]:
    """Whether an alert is seen: those of an enterprise as its rows are, others by whom they are of.

    What is of the whole city, and of an industry in it, is for who sees all of it.
    """
    if scope.is_whole:
        return true()
    columns = alert.c
    own = (columns.uscc != "") & owned(columns.uscc, scope)
    if scope.kind not in INSPECTING:
        own &= columns.kind != Kind.FINDING.value
    places: ColumnElement[bool] = false()
    if scope.kind in _PLACES:
        places = (columns.level == _PLACES[scope.kind]) & columns.subject.in_(sorted(scope.keys))
    return or_(own, places)


def listed(
    connection: Connection,
    scope: Scope,
    *,
    limit: int,
    offset: int = 0,
    ended: bool | None = None,
    kind: str = "",
    ids: Collection[int] | None = None,
) -> list[Alert]:
    """Alerts that somebody sees, the newest first.

    Args:
        connection: the city's database.
        scope: of who asks.
        limit: most of them.
        offset: how many newer ones are left out.
        ended: only those that have ended, or that have not; None: all.
        kind: only of this kind; empty: all.
        ids: only these; None: all.
    """
    query = (
        select(alert)
        .add_columns(enterprise.c.name, enterprise.c.county, enterprise.c.industry)
        .add_columns(enterprise.c.functional_area)
        .add_columns(equipment.c.name.label("machine"), equipment.c.site_no, equipment.c.asset_no)
        .outerjoin(enterprise, enterprise.c.uscc == alert.c.uscc)
        .outerjoin(equipment, equipment.c.id == _machine_id())
        .where(*_wanted(scope, ended, kind))
    )
    if ids is not None:
        query = query.where(alert.c.id.in_(sorted(ids)))
    newest = query.order_by(alert.c.began_ms.desc(), alert.c.id.desc())
    return [_alert(row) for row in connection.execute(newest.limit(limit).offset(offset))]


def _machine_id() -> ColumnElement[int]:
    """The machine of an alert; null for others, whose subject is no number."""
    return case((alert.c.level == Level.MACHINE, cast(alert.c.subject, BigInteger)), else_=None)


def count(connection: Connection, scope: Scope, ended: bool | None = None, kind: str = "") -> int:
    """How many of :func:`listed` there are."""
    query = select(func.count()).select_from(alert).where(*_wanted(scope, ended, kind))
    return connection.scalar(query) or 0


def _wanted(scope: Scope, ended: bool | None, kind: str) -> list[ColumnElement[bool]]:
    found = [seen_alerts(scope)]
    if ended is not None:
        found.append(alert.c.ended_ms.is_not(None) if ended else alert.c.ended_ms.is_(None))
    if kind:
        found.append(alert.c.kind == kind)
    return found


def _alert(row: Row[Any]) -> Alert:
    machine = None if row.machine is None else (row.machine, row.site_no, row.asset_no)
    return Alert(
        id=row.id,
        kind=Kind(row.kind),
        subject=Subject(Level(row.level), row.subject, row.uscc),
        since_ms=row.since_ms,
        began_ms=row.began_ms,
        ended_ms=row.ended_ms,
        detail=json.loads(row.detail),
        acknowledged_ms=row.acknowledged_ms,
        acknowledged_by=row.acknowledged_by,
        enterprise=row.name or "",
        county=row.county or "",
        area=row.functional_area or "",
        industry=row.industry or "",
        machine=machine,
    )


def acknowledge(connection: Connection, by: Principal, number: int, now_ms: int) -> bool:
    """Note who sees to an alert; the first who says so stays. False: they see no such alert."""
    found = listed(connection, by.scope, limit=1, ids={number})
    if not found:
        return False
    own = update(alert).where(alert.c.id == number, alert.c.acknowledged_ms.is_(None))
    done = own.values(acknowledged_ms=now_ms, acknowledged_by=by.name[:100])
    if connection.execute(done).rowcount:
        subject = f"{found[0].kind} {found[0].subject.key}"
        note(connection, now_ms, by.name, Action.ALERT_SEEN, subject)
    return True


def trim(connection: Connection, before_ms: int) -> int:
    """Delete alerts that ended before a time; what was sent of them goes with them."""
    old = select(alert.c.id).where(alert.c.ended_ms < before_ms)
    connection.execute(delete(alert_message_part).where(alert_message_part.c.alert_id.in_(old)))
    return connection.execute(delete(alert).where(alert.c.ended_ms < before_ms)).rowcount
