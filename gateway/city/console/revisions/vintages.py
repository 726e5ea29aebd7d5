"""Every stored vintage of every month, and what each changed. Reading, and a pure part."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Select, func, select

from gateway.city.access.principal import Scope
from gateway.city.access.scoping import owned
from gateway.city.db.schema.daymaps import evidence_taking
from gateway.city.db.schema.rates import rate_correction, rate_result
from gateway.city.rates.cells.cell import percent
from gateway.city.rates.cells.dimensions import CITY
from gateway.city.rates.frozen.jobs import Job, jobs_of
from gateway.city.rates.frozen.results import Correction
from gateway.city.rates.period import Status

LATEST = 24
"""So many months are shown; a month in the address is shown whatever its age."""


@dataclass(frozen=True, slots=True)
class Vintage:
    """One stored result of a month, as far as the asking scope sees it.

    Attributes:
        number: counts up from 1.
        pooled: per cent, exact; None: no machines.
        points: how the rate differs from the vintage before, percentage points; None: it is the
            first, or one of them has no rate.
        networked_change, equipment_change: how K and N differ from the vintage before.
        correction: why it was published; None: the calendar asked for it.
        is_redefined: another version of the definition than the vintage before.
        ledger_change: newest change of the ledger that it knew; None: older than its history.
        root: digest of the evidence; empty: none was kept.
        job: by what it was computed; None: it is older than jobs are kept.
    """

    month: str
    number: int
    status: Status
    computed_ms: int
    networked: int
    equipment: int
    pooled: Fraction | None
    points: Fraction | None
    networked_change: int
    equipment_change: int
    definition_hash: str
    is_redefined: bool
    ledger_change: int | None
    root: str
    correction: Correction | None
    job: Job | None


def vintages(
    connection: Connection, definition: str, month: str | None, scope: Scope, demonstration: bool
) -> list[Vintage]:
    """The vintages of one month, or of the latest; the newest month first, each in its order."""
    rows = connection.execute(_stored(definition, month, scope, demonstration)).all()
    months = sorted({row.month for row in rows}, reverse=True)[:LATEST]
    reasons = _corrections(connection, definition, scope)
    roots = _roots(connection, months, demonstration)
    jobs = jobs_of(connection, definition, names=scope.is_whole)
    return in_order([row for row in rows if row.month in months], reasons, roots, jobs)


def in_order(
    rows: Iterable[Any],
    reasons: Mapping[tuple[str, int], Correction],
    roots: Mapping[tuple[str, int | None], str],
    jobs: Mapping[tuple[str, int], Job],
) -> list[Vintage]:
    """Rows of vintages with what each changed. Pure."""
    found: list[Vintage] = []
    ordered = sorted(rows, key=lambda row: row.vintage)
    ordered.sort(key=lambda row: row.month, reverse=True)
    for _, own in groupby(ordered, key=lambda row: row.month):
        before: Vintage | None = None
        for row in own:
            before = _vintage(row, before, reasons, roots, jobs)
            found.append(before)
    return found


def _vintage(
    row: Any,
    before: Vintage | None,
    reasons: Mapping[tuple[str, int], Correction],
    roots: Mapping[tuple[str, int | None], str],
    jobs: Mapping[tuple[str, int], Job],
) -> Vintage:
    networked, equipment = int(row.networked), int(row.equipment)
    pooled, old = percent(networked, equipment), before.pooled if before else None
    return Vintage(
        row.month,
        row.vintage,
        row.status,
        row.computed_ms,
        networked,
        equipment,
        pooled,
        None if pooled is None or old is None else pooled - old,
        networked - before.networked if before else 0,
        equipment - before.equipment if before else 0,
        row.definition_hash,
        before is not None and before.definition_hash != row.definition_hash,
        row.ledger_change,
        roots.get((row.month, row.taking), ""),
        reasons.get((row.month, row.vintage)),
        jobs.get((row.month, row.vintage)),
    )


def _stored(
    definition: str, month: str | None, scope: Scope, demonstration: bool
) -> Select[tuple[Any, ...]]:
    """Rows of the city, or the sums of the enterprises that are seen."""
    columns = rate_result.c
    by = CITY if scope.is_whole else "enterprise"
    same = (
        columns.month,
        columns.vintage,
        columns.status,
        columns.computed_ms,
        columns.definition_hash,
        columns.taking,
        columns.ledger_change,
    )
    query = (
        select(*same)
        .add_columns(func.sum(columns.numerator).label("networked"))
        .add_columns(func.sum(columns.denominator).label("equipment"))
        .where(columns.definition == definition, columns.synthetic.is_(demonstration))
        .where(columns.dimension == by)
        .group_by(*same)
    )
    if not scope.is_whole:
        query = query.where(owned(columns.cell, scope))
    return query if month is None else query.where(columns.month == month)


def _corrections(
    connection: Connection, definition: str, scope: Scope
) -> dict[tuple[str, int], Correction]:
    columns = rate_correction.c
    query = select(rate_correction).where(columns.definition == definition)
    made = {
        (row.month, row.vintage): Correction(row.reason, row.note, row.corrected_by)
        for row in connection.execute(query)
    }
    return made if scope.is_whole else {key: one.in_part for key, one in made.items()}


def _roots(
    connection: Connection, months: Sequence[str], demonstration: bool
) -> dict[tuple[str, int | None], str]:
    columns = evidence_taking.c
    query = select(columns.month, columns.number, columns.root).where(
        columns.month.in_(months), columns.synthetic.is_(demonstration)
    )
    return {(row.month, row.number): row.root or "" for row in connection.execute(query)}
