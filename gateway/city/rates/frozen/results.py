"""Results as they were published: append-only rows with vintages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select

from gateway.city.db.schema.daymaps import evidence_taking
from gateway.city.db.schema.rates import rate_correction, rate_result
from gateway.city.ledger.codes import Name
from gateway.city.rates.cells.cell import Cell, percent
from gateway.city.rates.cells.dimensions import CITY, NOT_OF_ALL, SINCE_EVER, Cells
from gateway.city.rates.cells.excused import Excused
from gateway.city.rates.cells.spread import Spread
from gateway.city.rates.cells.statistics import Statistics
from gateway.city.rates.frozen.jobs import CALENDAR, note_job
from gateway.city.rates.period import Status

CORRECTIONS: Mapping[str, Name] = {
    "late_data": Name("迟到数据", "late data"),
    "ledger": Name("台账更正", "ledger correction"),
    "definition": Name("口径变更", "definition change"),
    "calendar": Name("休息日安排变更", "days of rest arranged otherwise"),
    "roster": Name("名录变更", "roster change"),
    "error": Name("差错更正", "error"),
}
"""Why a frozen month is published anew."""


@dataclass(frozen=True, slots=True)
class Correction:
    """Who published a frozen month anew, and why.

    Attributes:
        reason: one of :data:`CORRECTIONS`.
        note: what happened, for the reader; empty: they are not told.
        corrected_by: who answers for it; empty as above.
    """

    reason: str
    note: str
    corrected_by: str

    @property
    def in_part(self) -> "Correction":
        """What is told to who sees a part: the note may name enterprises that are not theirs."""
        return Correction(self.reason, "", "")


@dataclass(frozen=True, slots=True)
class StoredTable:
    """One vintage of a month.

    Attributes:
        month: ``YYYY-MM``.
        vintage: 1, 2, …; a correction is a new one.
        status: P provisional, F final.
        definition_hash: of the record it was computed with.
        computed_ms: UTC milliseconds.
        cells: by dimension and key.
        correction: None for a vintage of the calendar.
        taking: of the day maps it rests on; None: on none, or it is older than they are.
        root: digest of these maps, 64 hex digits, once they are stored.
        ledger_change: newest change of the ledger that it knew; None: it is older than the
            ledger's history.
        rest_days: digest of the days of rest that it left out; None: none, or it is older.
    """

    month: str
    vintage: int
    status: Status
    definition_hash: str
    computed_ms: int
    cells: Cells
    correction: Correction | None = None
    taking: int | None = None
    root: str | None = None
    ledger_change: int | None = None
    rest_days: str | None = None


@dataclass(frozen=True, slots=True)
class Vintage:
    """The newest vintage of a month; number 0 if there is none."""

    number: int
    status: Status | None
    synthetic: bool

    def satisfies(self, status: Status, demonstration: bool) -> bool:
        """Whether the calendar's wish is fulfilled; final stays final."""
        return self.synthetic == demonstration and self.status in (status, "F")


def latest_vintage(connection: Connection, definition_id: str, month: str) -> Vintage:
    """The newest vintage of a month."""
    query = (
        select(rate_result.c.vintage, rate_result.c.status, rate_result.c.synthetic)
        .where(rate_result.c.definition == definition_id, rate_result.c.month == month)
        .order_by(rate_result.c.vintage.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return Vintage(*row) if row else Vintage(0, None, synthetic=False)


def final_table(
    connection: Connection,
    definition_id: str,
    month: str,
    dimensions: Iterable[str],
    demonstration: bool,
) -> StoredTable | None:
    """The newest final vintage of a month; None if it is not frozen.

    A result that synthetic machines went into is never shown as a real one, nor the reverse.
    """
    own = (*_of(definition_id, month, demonstration), rate_result.c.status == "F")
    newest = connection.scalar(select(func.max(rate_result.c.vintage)).where(*own))
    if newest is None:
        return None
    return vintage_table(connection, definition_id, month, newest, dimensions, demonstration)


def _of(definition_id: str, month: str, demonstration: bool) -> tuple[ColumnElement[bool], ...]:
    columns = rate_result.c
    synthetic = columns.synthetic.is_(demonstration)
    return columns.definition == definition_id, columns.month == month, synthetic


def vintage_table(
    connection: Connection,
    definition_id: str,
    month: str,
    vintage: int,
    dimensions: Iterable[str],
    demonstration: bool,
) -> StoredTable | None:
    """One vintage of a month, provisional or final; None if there is none of that number."""
    own, asked = _of(definition_id, month, demonstration), list(dimensions)
    query = select(rate_result).where(
        *own, rate_result.c.vintage == vintage, rate_result.c.dimension.in_(asked)
    )
    rows = connection.execute(query.order_by(rate_result.c.cell)).all()
    if not rows:
        return None
    found = _table(rows, _correction(connection, definition_id, month, vintage))
    # A month without any enterprise has no rows but the total's; it lacks nothing all the same.
    # Nor does one of whose enterprises none is in a functional area.
    total = found.cells.get(CITY, {}).get(CITY)
    is_old = total is None or total.statistics is None
    empty = SINCE_EVER if is_old else (*SINCE_EVER, *NOT_OF_ALL)
    cells: Cells = {by: {} for by in empty if by in asked} | dict(found.cells)
    root = _root(connection, month, demonstration, found.taking)
    return replace(found, cells=cells, root=root)


def _root(connection: Connection, month: str, synthetic: bool, taking: int | None) -> str | None:
    columns = evidence_taking.c
    query = select(columns.root).where(
        columns.month == month, columns.synthetic.is_(synthetic), columns.number == taking
    )
    return None if taking is None else connection.scalar(query)


def _correction(
    connection: Connection, definition_id: str, month: str, vintage: int
) -> Correction | None:
    columns = rate_correction.c
    query = select(columns.reason, columns.note, columns.corrected_by).where(
        columns.definition == definition_id, columns.month == month, columns.vintage == vintage
    )
    row = connection.execute(query).first()
    return Correction(*row) if row else None


def _table(rows: Sequence[Row[Any]], correction: Correction | None) -> StoredTable:
    cells: dict[str, dict[str, Cell]] = {}
    for row in rows:
        cells.setdefault(row.dimension, {})[row.cell] = Cell(
            networked=row.numerator,
            equipment=row.denominator,
            enterprises=row.enterprise_count,
            pooled=percent(row.numerator, row.denominator),
            mean=_fraction(row.mean),
            statistics=_statistics(row),
        )
    first = rows[0]
    return StoredTable(
        first.month,
        first.vintage,
        first.status,
        first.definition_hash,
        first.computed_ms,
        cells,
        correction,
        first.taking,
        ledger_change=first.ledger_change,
        rest_days=first.rest_days,
    )


def append(
    connection: Connection, table: StoredTable, definition_id: str, demonstration: bool
) -> None:
    """Store a vintage; rows are only ever added."""
    rows = [
        {
            "definition": definition_id,
            "definition_hash": table.definition_hash,
            "month": table.month,
            "dimension": dimension,
            "cell": key,
            "vintage": table.vintage,
            "status": table.status,
            "numerator": part.networked,
            "denominator": part.equipment,
            "enterprise_count": part.enterprises,
            "mean": _fraction_text(part.mean),
            **_told(part.statistics),
            "synthetic": demonstration,
            "computed_ms": table.computed_ms,
            "ledger_change": table.ledger_change,
            "rest_days": table.rest_days,
            "taking": table.taking,
        }
        for dimension, parts in table.cells.items()
        for key, part in parts.items()
    ]
    connection.execute(insert(rate_result), rows)
    started_by = table.correction.corrected_by if table.correction else CALENDAR
    note_job(connection, definition_id, table.month, table.vintage, started_by)
    if table.correction is not None:
        vintage = {"definition": definition_id, "month": table.month, "vintage": table.vintage}
        connection.execute(insert(rate_correction), [vintage | asdict(table.correction)])


def _told(one: Statistics | None) -> dict[str, Any]:
    if one is None:
        return {}
    p25, median, p75 = one.spread or (None, None, None)
    return {
        "p25": _fraction_text(p25),
        "median": _fraction_text(median),
        "p75": _fraction_text(p75),
        "in_scope": one.in_scope,
        "verified": one.verified,
        "missing": one.missing,
        "assumed": _fraction_text(one.assumed),
        "undetermined": one.undetermined,
        **dict(zip(_EXCUSED, one.excused or (None,) * len(_EXCUSED), strict=True)),
    }


def _statistics(row: Row[Any]) -> Statistics | None:
    if row.in_scope is None:
        return None
    quartiles = [Fraction(one) for one in (row.p25, row.median, row.p75) if one is not None]
    return Statistics(
        spread=Spread(*quartiles) if quartiles else None,
        in_scope=row.in_scope,
        verified=row.verified,
        missing=row.missing,
        assumed=_fraction(row.assumed),
        undetermined=row.undetermined,
        excused=None
        if row.machine_days is None
        else Excused(row.machine_days, row.days_rest, row.days_stopped, row.days_late),
    )


_EXCUSED = ("machine_days", "days_rest", "days_stopped", "days_late")
"""Columns of :class:`Excused`."""


def _fraction_text(value: Fraction | None) -> str | None:
    # Exact: a float could put a rate on the other side of a band's edge when it is read back.
    return None if value is None else f"{value.numerator}/{value.denominator}"


def _fraction(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)
