"""Rate tables, for pages, files and the command line.

Every function takes a SQLAlchemy connection. Rates are per cent as exact fractions (0…100);
``compute.percent_text`` rounds them for display. A month that is frozen as final is shown as it
was stored; any other is computed from ledger and evidence. A month in which the city received
nothing has machines and no rates.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from fractions import Fraction

from sqlalchemy import Connection, select

from gateway.city.db.operation import began_on
from gateway.city.db.tables import enterprise
from gateway.city.ledger.codes import Name, county_name, industry_name
from gateway.city.ledger.names import MachineName
from gateway.city.rates.compute import (
    CITY,
    DIMENSIONS,
    Cell,
    Cells,
    Dimension,
    all_cells,
    score,
)
from gateway.city.rates.definitions import builtin_definitions, definition_of
from gateway.city.rates.frozen.results import Correction, StoredTable, final_table
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.model import Definition
from gateway.city.rates.period import Status, as_of_ms, period_of
from gateway.city.rates.tallies import is_known, tallies_of


@dataclass(frozen=True, slots=True)
class RateCell:
    """One line of a table.

    Attributes:
        key: county code, industry class, USCC, or ``city``.
        name: for Chinese and for English readers.
        networked: numerator K: machines, or enterprises for a ledger measure.
        equipment: denominator N.
        enterprises: those with ``N_e > 0``.
        pooled: 100 K / N, per cent, exact; None for N = 0.
        mean: mean of the enterprises' rates, per cent, exact; None without enterprises.
        score: points by the definition's bands, of a single enterprise only.
    """

    key: str
    name: Name
    networked: int
    equipment: int
    enterprises: int
    pooled: Fraction | None
    mean: Fraction | None
    score: Fraction | None = None

    @property
    def known_networked(self) -> int | None:
        """The numerator for a reader: None, never 0, where nothing is known of the month."""
        return None if self.pooled is None else self.networked


@dataclass(frozen=True, slots=True)
class RateTable:
    """A rate of one month, for the city and its parts.

    Attributes:
        definition: what is counted.
        definition_hash: of the record it was computed with.
        month: ``YYYY-MM``.
        by: what the cells are.
        status: P provisional, F final (frozen).
        as_of_ms: the moment it is judged at, UTC milliseconds.
        computed_ms: when it was computed, UTC milliseconds.
        demonstration: synthetic machines count.
        city: the total; pooled over all enterprises, not the mean of the cells.
        cells: the parts, in order of their keys.
        vintage: number of the stored result; None: computed now.
        correction: who published the vintage anew, and why.
    """

    definition: Definition
    definition_hash: str
    month: str
    by: Dimension
    status: Status
    as_of_ms: int
    computed_ms: int
    demonstration: bool
    city: RateCell
    cells: tuple[RateCell, ...]
    vintage: int | None = None
    correction: Correction | None = None

    @property
    def outdated(self) -> bool:
        """It was computed with a version of the definition that is not known any more."""
        return self.definition_hash != self.definition.hash

    def lead(self, cell: RateCell) -> Fraction | None:
        """The figure that the definition puts first: pooled or mean."""
        return leading(self.definition, cell)

    def ranked(self) -> list[RateCell]:
        """The highest rate first, those without a rate last; equal rates by key."""

        def place(cell: RateCell) -> tuple[bool, Fraction, str]:
            rate = self.lead(cell)
            return rate is None, -(rate or Fraction(0)), cell.key

        return sorted(self.cells, key=place)


def leading(definition: Definition, cell: RateCell) -> Fraction | None:
    """The figure that a definition puts first."""
    return cell.mean if definition.aggregate == "mean" else cell.pooled


@dataclass(frozen=True, slots=True)
class RateMonth:
    """A rate of one month with every dimension; attributes as of :class:`RateTable`.

    Attributes:
        cells: by dimension and key.
        names: of enterprises by USCC.
    """

    definition: Definition
    definition_hash: str
    month: str
    status: Status
    as_of_ms: int
    computed_ms: int
    demonstration: bool
    cells: Cells
    names: Mapping[str, str]
    vintage: int | None = None
    correction: Correction | None = None

    def table(self, by: Dimension) -> RateTable:
        """Its table by county, industry or enterprise."""
        return RateTable(
            definition=self.definition,
            definition_hash=self.definition_hash,
            month=self.month,
            by=by,
            status=self.status,
            as_of_ms=self.as_of_ms,
            computed_ms=self.computed_ms,
            demonstration=self.demonstration,
            city=self.city,
            cells=tuple(self._line(by, key, part) for key, part in self.cells.get(by, {}).items()),
            vintage=self.vintage,
            correction=self.correction,
        )

    @property
    def city(self) -> RateCell:
        """The total."""
        return _cell(CITY, _CITY_NAME, self.cells[CITY][CITY])

    def _line(self, by: Dimension, key: str, part: Cell) -> RateCell:
        if by == "county":
            return _cell(key, county_name(key), part)
        if by == "industry":
            return _cell(key, industry_name(key), part)
        name = self.names.get(key, key)
        return _cell(key, Name(name, name), part, score(self.definition.bands, part.pooled))


_CITY_NAME = Name("全市", "Whole city")


def _cell(key: str, name: Name, part: Cell, points: Fraction | None = None) -> RateCell:
    return RateCell(
        key,
        name,
        part.networked,
        part.equipment,
        part.enterprises,
        part.pooled,
        part.mean,
        points,
    )


Definitions = Mapping[str, Definition]


def rate_month(
    connection: Connection,
    definition_id: str,
    month: str | None,
    now_ms: int,
    *,
    demonstration: bool,
    answering: AbstractSet[MachineName] = frozenset(),
    definitions: Definitions | None = None,
    dimensions: Iterable[Dimension] = DIMENSIONS,
) -> RateMonth:
    """A rate of one month.

    Args:
        connection: the city's database.
        definition_id: as ``ENR-A``.
        month: ``YYYY-MM``; None: the running one.
        now_ms: UTC milliseconds.
        demonstration: synthetic evidence counts too.
        answering: machines that answer now, for the measure ``answering``.
        definitions: by id; default: the built-in ones.
        dimensions: what to read of a stored month, beside the total.

    Raises:
        DefinitionError: no such definition.
        MonthError: no month, one that has not begun, or one before the city began.
        NotComputableError: an instantaneous rate of a past month.
    """
    definition = definition_of(definitions or builtin_definitions(), definition_id)
    period = period_of(month, now_ms, began_on(connection))
    inquiry = Inquiry(definition, period, now_ms, demonstration, answering)
    month = inquiry.period.month
    stored = final_table(connection, definition_id, month, (CITY, *dimensions), demonstration)
    return _computed(connection, inquiry) if stored is None else _read(connection, inquiry, stored)


def _computed(connection: Connection, inquiry: Inquiry) -> RateMonth:
    tallies, enterprises = tallies_of(connection, inquiry)
    cells = all_cells(tallies)
    return RateMonth(
        definition=inquiry.definition,
        definition_hash=inquiry.definition.hash,
        month=inquiry.period.month,
        status="P",
        as_of_ms=as_of_ms(inquiry.period, inquiry.now_ms),
        computed_ms=inquiry.now_ms,
        demonstration=inquiry.demonstration,
        cells=cells if is_known(connection, inquiry) else _unknown(cells),
        names={uscc: one.name for uscc, one in enterprises.items()},
    )


def _unknown(cells: Cells) -> Cells:
    """The machines without their rates: what nobody knows is not 0 %."""
    return {
        by: {key: replace(part, pooled=None, mean=None) for key, part in parts.items()}
        for by, parts in cells.items()
    }


def _read(connection: Connection, inquiry: Inquiry, stored: StoredTable) -> RateMonth:
    # A city's own record may have replaced the one that the month was frozen by.
    known = (inquiry.definition, builtin_definitions().get(inquiry.definition.id))
    own = (one for one in known if one is not None and one.hash == stored.definition_hash)
    return RateMonth(
        definition=next(own, inquiry.definition),
        definition_hash=stored.definition_hash,
        month=stored.month,
        status=stored.status,
        as_of_ms=as_of_ms(inquiry.period, inquiry.now_ms),
        computed_ms=stored.computed_ms,
        demonstration=inquiry.demonstration,
        cells=stored.cells,
        names=enterprise_names(connection) if "enterprise" in stored.cells else {},
        vintage=stored.vintage,
        correction=stored.correction,
    )


def enterprise_names(connection: Connection) -> dict[str, str]:
    """Names of all enterprises by USCC."""
    rows = connection.execute(select(enterprise.c.uscc, enterprise.c.name))
    return {row.uscc: row.name for row in rows}


def rate_table(
    connection: Connection,
    definition_id: str,
    month: str | None,
    by: Dimension,
    now_ms: int,
    *,
    demonstration: bool,
    answering: AbstractSet[MachineName] = frozenset(),
    definitions: Definitions | None = None,
) -> RateTable:
    """A rate of one month by county, industry or enterprise; see :func:`rate_month`."""
    return rate_month(
        connection,
        definition_id,
        month,
        now_ms,
        demonstration=demonstration,
        answering=answering,
        definitions=definitions,
        dimensions=(by,),
    ).table(by)
