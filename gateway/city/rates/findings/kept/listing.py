"""Findings that are kept, for who may see them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
    true,
)

from gateway.city.access.principal import Scope, ScopeKind
from gateway.city.access.scoping import owned, seen
from gateway.city.db.schema.checking.findings import finding, finding_said, finding_seen
from gateway.city.db.tables import enterprise
from gateway.city.rates.findings.kept.keeping import State, foreign_of, last_said
from gateway.city.rates.findings.model import Kind

HIDDEN = "…"
"""In place of a machine of an enterprise that who asks does not see."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which findings are asked for; empty fields ask for all.

    Attributes:
        scope: of who asks.
        synthetic: of a demonstration.
        state: where they stand.
        kind: which pattern.
        county: code, of the enterprise's county as it is now.
        enterprise: USCC, or a part of the name.
        machine: site and asset number, ``1/BR-001``.
        number: only this one; None: all.
    """

    scope: Scope
    synthetic: bool
    state: str = ""
    kind: str = ""
    county: str = ""
    enterprise: str = ""
    machine: str = ""
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What an officer said of a finding.

    Attributes:
        id: of it.
        explains: false: it is open again.
        reason, document: as given.
        at_ms: UTC milliseconds.
        made_by: who.
        month: up to which it holds.
    """

    id: int
    explains: bool
    reason: str
    document: str
    at_ms: int
    made_by: str
    month: str


@dataclass(frozen=True, slots=True)
class KeptFinding:
    """A finding, and where it stands.

    Attributes:
        id: its number.
        kind: which pattern.
        uscc: of the enterprise; empty: it is of a county.
        enterprise: its name.
        county: code.
        part: which counts of a county.
        state: where it stands.
        month: the last one in which it is there, or was.
        machines: site and asset numbers; of another enterprise with its USCC before.
        numbers: by name in its sentences.
        first_ms: when it was seen first, UTC milliseconds.
        last_ms: when it was there last.
        seen_id: what was seen newest.
        said: last; None: nothing was.
    """

    id: int
    kind: Kind
    uscc: str
    enterprise: str
    county: str
    part: str
    state: State
    month: str
    machines: Sequence[str]
    numbers: Mapping[str, int]
    first_ms: int
    last_ms: int
    seen_id: int
    said: Said | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """How a finding was seen once.

    Attributes:
        month: that was looked at.
        at_ms: UTC milliseconds.
        there: false: no longer.
        machines: as of :class:`KeptFinding`.
        numbers: likewise.
    """

    month: str
    at_ms: int
    there: bool
    machines: Sequence[str]
    numbers: Mapping[str, int]


def listed(
    connection: Connection, wanted: Wanted, limit: int, offset: int = 0
) -> list[KeptFinding]:
    """Findings that somebody sees, open ones first, of each state the last seen first."""
    columns = finding.c
    order = (
        columns.state.desc(),  # open, gone, explained
        columns.last_ms.desc(),
        columns.id.desc(),
    )
    query = _query(wanted).order_by(*order).limit(limit).offset(offset)
    rows = connection.execute(query).all()
    said = last_said(connection, [row.id for row in rows])
    hidden = _hidden(connection, wanted.scope, rows)
    return [_kept(row, said.get(row.id), hidden) for row in rows]


def count(connection: Connection, wanted: Wanted) -> int:
    """How many of :func:`listed` there are."""
    return connection.scalar(select(func.count()).select_from(_query(wanted).subquery())) or 0


def count_open(connection: Connection, scope: Scope, *, synthetic: bool) -> int:
    """How many wait for an explanation."""
    return count(connection, Wanted(scope, synthetic, State.OPEN))


def counties(connection: Connection, scope: Scope) -> list[str]:
    """Codes of the counties of the enterprises that somebody sees."""
    query = select(enterprise.c.county).where(seen(scope)).distinct()
    return list(connection.scalars(query.order_by(enterprise.c.county)))


def sightings(connection: Connection, scope: Scope, number: int, limit: int) -> list[Sighting]:
    """How a finding was seen, the newest first."""
    columns = finding_seen.c
    query = select(finding_seen).where(columns.finding_id == number)
    rows = connection.execute(query.order_by(columns.id.desc()).limit(limit)).all()
    hidden = _hidden(connection, scope, rows)
    return [
        Sighting(
            row.month,
            row.at_ms,
            row.there,
            _machines(row.machines, hidden),
            json.loads(row.numbers),
        )
        for row in rows
    ]


def sayings(connection: Connection, number: int) -> list[Said]:
    """What was said of a finding, the newest first."""
    said, of = finding_said, finding_seen.c
    query = select(said, of.month).join(finding_seen, of.id == said.c.seen_id)
    query = query.where(said.c.finding_id == number).order_by(said.c.id.desc())
    return [_said(row) for row in connection.execute(query)]


def _query(wanted: Wanted) -> Select[Any]:
    columns, of = finding.c, finding_seen.c
    county = func.coalesce(enterprise.c.county, columns.county).label("whose_county")
    query = (
        select(finding, of.machines, of.numbers, of.part, enterprise.c.name, county)
        .join(finding_seen, of.id == columns.seen_id)
        .outerjoin(enterprise, enterprise.c.uscc == columns.uscc)
        .where(columns.synthetic.is_(wanted.synthetic), _is_seen(wanted.scope))
    )
    if wanted.number is not None:
        query = query.where(columns.id == wanted.number)
    if wanted.state:
        query = query.where(columns.state == wanted.state)
    if wanted.kind:
        query = query.where(columns.kind == wanted.kind)
    if wanted.county:
        query = query.where(county == wanted.county)
    if wanted.enterprise:
        query = query.where(_is_of(wanted.enterprise))
    if wanted.machine:
        name = json.dumps(wanted.machine, ensure_ascii=False)
        query = query.where(of.machines.contains(name, autoescape=True))
    if other := foreign_of(wanted.machine):  # what is hidden is not found by guessing either
        shown = select(enterprise.c.uscc).where(seen(wanted.scope)).correlate(None)
        query = query.where(literal(other).in_(shown))
    return query


def _is_of(text: str) -> ColumnElement[bool]:
    named = enterprise.c.name.contains(text, autoescape=True)
    return or_(finding.c.uscc == text.upper(), and_(finding.c.uscc != "", named))


def _is_seen(scope: Scope) -> ColumnElement[bool]:
    """Those of an enterprise as its rows are, those of a county by who sees all of it."""
    if scope.is_whole:
        return true()
    columns = finding.c
    own = (columns.uscc != "") & owned(columns.uscc, scope)
    if scope.kind is not ScopeKind.COUNTIES:
        return own
    return or_(own, columns.county.in_(sorted(scope.keys)))


def _hidden(connection: Connection, scope: Scope, rows: Iterable[Row[Any]]) -> set[str]:
    """Other enterprises that findings name and who asks does not see."""
    if scope.is_whole:
        return set()
    named = {foreign_of(one) for row in rows for one in json.loads(row.machines)} - {""}
    query = select(enterprise.c.uscc).where(enterprise.c.uscc.in_(sorted(named)), seen(scope))
    return named - set(connection.scalars(query))


def _machines(text: str, hidden: set[str]) -> list[str]:
    return [HIDDEN if foreign_of(one) in hidden else one for one in json.loads(text)]


def _kept(row: Row[Any], said: Row[Any] | None, hidden: set[str]) -> KeptFinding:
    return KeptFinding(
        id=row.id,
        kind=Kind(row.kind),
        uscc=row.uscc,
        enterprise=row.name or "",
        county=row.whose_county or "",
        part=row.part,
        state=State(row.state),
        month=row.month,
        machines=_machines(row.machines, hidden),
        numbers=json.loads(row.numbers),
        first_ms=row.first_ms,
        last_ms=row.last_ms,
        seen_id=row.seen_id,
        said=_said(said) if said else None,
    )


def _said(row: Row[Any]) -> Said:
    return Said(row.id, row.explains, row.reason, row.document, row.at_ms, row.made_by, row.month)
