"""Rate tables and trends, for pages, files and the command line.

Every function takes a SQLAlchemy connection. Rates are per cent as exact fractions (0…100);
``compute.percent_text`` rounds them for display. A month that is frozen as final is shown as it
was stored; any other is computed from ledger and evidence.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import Connection, select

from gateway.city.db.tables import enterprise
from gateway.city.ledger.codes import Name, county_name, industry_name
from gateway.city.rates.compute import Cell, Dimension, cell, partition, score
from gateway.city.rates.definitions import builtin_definitions, definition_of
from gateway.city.rates.facts import Inquiry, Machine
from gateway.city.rates.model import Definition
from gateway.city.rates.period import Status, as_of_ms, first_day, next_month, period_of
from gateway.city.rates.plan import plan_on
from gateway.city.rates.stored import CITY, StoredTable, final_table
from gateway.city.rates.tallies import tallies_of
from gateway.core.books import day_start_ms


@dataclass(frozen=True, slots=True)
class RateCell:
    """One line of a table.

    Attributes:
        key: county code, industry class, USCC, or ``city``.
        name_zh: for Chinese readers.
        name_en: for English readers.
        networked: numerator K: machines, or enterprises for a ledger measure.
        equipment: denominator N.
        enterprises: those with ``N_e > 0``.
        pooled: 100 K / N, per cent, exact; None for N = 0.
        mean: mean of the enterprises' rates, per cent, exact; None without enterprises.
        score: points by the definition's bands, of a single enterprise only.
    """

    key: str
    name_zh: str
    name_en: str
    networked: int
    equipment: int
    enterprises: int
    pooled: Fraction | None
    mean: Fraction | None
    score: Fraction | None = None

    @property
    def name(self) -> Name:
        """Both names."""
        return Name(self.name_zh, self.name_en)


@dataclass(frozen=True, slots=True)
class RateTable:
    """A rate of one month, for the city and its parts.

    Attributes:
        definition: what is counted.
        month: ``YYYY-MM``.
        by: what the cells are.
        status: P provisional, F final (frozen).
        as_of_ms: the moment it is judged at, UTC milliseconds.
        computed_ms: when it was computed, UTC milliseconds.
        demonstration: synthetic machines count.
        city: the total; pooled over all enterprises, not the mean of the cells.
        cells: the parts, in order of their keys.
        vintage: number of the stored result; None: computed now.
    """

    definition: Definition
    month: str
    by: Dimension
    status: Status
    as_of_ms: int
    computed_ms: int
    demonstration: bool
    city: RateCell
    cells: tuple[RateCell, ...]
    vintage: int | None = None


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """The city's rate of one month beside the plan's path on the as-of day."""

    month: str
    status: Status
    city: RateCell
    plan: Fraction | None


Definitions = Mapping[str, Definition]


def rate_table(
    connection: Connection,
    definition_id: str,
    month: str | None,
    by: Dimension,
    now_ms: int,
    *,
    demonstration: bool,
    answering: AbstractSet[Machine] = frozenset(),
    definitions: Definitions | None = None,
) -> RateTable:
    """A rate of one month by county, industry or enterprise.

    Args:
        connection: the city's database.
        definition_id: as ``ENR-A``.
        month: ``YYYY-MM``; None: the running one.
        by: dimension of the cells.
        now_ms: UTC milliseconds.
        demonstration: synthetic evidence counts too.
        answering: machines that answer now, for the measure ``answering``.
        definitions: by id; default: the built-in ones.

    Raises:
        DefinitionError: no such definition.
        MonthError: no month, or one that has not begun.
        NotComputableError: an instantaneous rate of a past month.
    """
    definition = definition_of(definitions or builtin_definitions(), definition_id)
    inquiry = Inquiry(definition, period_of(month, now_ms), now_ms, demonstration, answering)
    stored = final_table(connection, definition_id, inquiry.period.month, (CITY, by), demonstration)
    if stored is not None:
        return _from_store(connection, definition, by, demonstration, stored)
    return _computed(connection, inquiry, by)


def _computed(connection: Connection, inquiry: Inquiry, by: Dimension) -> RateTable:
    tallies, places = tallies_of(connection, inquiry)
    parts = partition(tallies, by)
    names = {place.uscc: Name(place.name, place.name) for place in places.values()}
    return RateTable(
        definition=inquiry.definition,
        month=inquiry.period.month,
        by=by,
        status="P",
        as_of_ms=as_of_ms(inquiry.period, inquiry.now_ms),
        computed_ms=inquiry.now_ms,
        demonstration=inquiry.demonstration,
        city=_line(CITY, _CITY_NAME, cell(tallies)),
        cells=_lines(inquiry.definition, by, parts, names),
    )


def _from_store(
    connection: Connection,
    definition: Definition,
    by: Dimension,
    demonstration: bool,
    stored: StoredTable,
) -> RateTable:
    names = enterprise_names(connection) if by == "enterprise" else {}
    total = stored.cells[CITY][CITY]
    return RateTable(
        definition=definition,
        month=stored.month,
        by=by,
        status=stored.status,
        as_of_ms=day_start_ms(next_month(first_day(stored.month))),
        computed_ms=stored.computed_ms,
        demonstration=demonstration,
        city=_line(CITY, _CITY_NAME, total),
        cells=_lines(definition, by, stored.cells.get(by, {}), names),
        vintage=stored.vintage,
    )


_CITY_NAME = Name("全市", "Whole city")


def enterprise_names(connection: Connection) -> dict[str, Name]:
    """Names of all enterprises by USCC; an enterprise has one name in both languages."""
    rows = connection.execute(select(enterprise.c.uscc, enterprise.c.name))
    return {uscc: Name(name, name) for uscc, name in rows}


def _lines(
    definition: Definition, by: Dimension, parts: Mapping[str, Cell], names: Mapping[str, Name]
) -> tuple[RateCell, ...]:
    bands = definition.bands if by == "enterprise" else ()
    return tuple(
        _line(key, _name(by, key, names), part, score(bands, part.pooled))
        for key, part in parts.items()
    )


def _name(by: Dimension, key: str, names: Mapping[str, Name]) -> Name:
    if by == "county":
        return county_name(key)
    return industry_name(key) if by == "industry" else names.get(key, Name(key, key))


def _line(key: str, name: Name, part: Cell, points: Fraction | None = None) -> RateCell:
    return RateCell(
        key=key,
        name_zh=name.zh,
        name_en=name.en,
        networked=part.networked,
        equipment=part.equipment,
        enterprises=part.enterprises,
        pooled=part.pooled,
        mean=part.mean,
        score=points,
    )


def trend(
    connection: Connection,
    definition_id: str,
    months: Sequence[str],
    now_ms: int,
    *,
    demonstration: bool,
    answering: AbstractSet[Machine] = frozenset(),
    definitions: Definitions | None = None,
) -> tuple[TrendPoint, ...]:
    """The city's rate of several months; months for which a rate does not exist are left out.

    Args:
        connection: the city's database.
        definition_id: as ``ENR-A``.
        months: as ``period.recent_months(now_ms, 12)``.
        now_ms: UTC milliseconds.
        demonstration: synthetic evidence counts too.
        answering: machines that answer now.
        definitions: by id; default: the built-in ones.
    """
    known = definitions or builtin_definitions()
    running = period_of(None, now_ms).month
    if definition_of(known, definition_id).measure == "answering":
        months = [month for month in months if month == running]
    tables = (
        rate_table(
            connection,
            definition_id,
            month,
            "county",
            now_ms,
            demonstration=demonstration,
            answering=answering,
            definitions=known,
        )
        for month in months
    )
    return tuple(_point(table, now_ms) for table in tables)


def _point(table: RateTable, now_ms: int) -> TrendPoint:
    day = period_of(table.month, now_ms).as_of
    return TrendPoint(table.month, table.status, table.city, plan_on(day))
