"""Rate tables, for pages, files and the command line.

Rates are per cent as exact fractions (0…100); ``shown.percent_text`` rounds them for display. A
month that is frozen as final is shown as it was stored; any other is computed from ledger and
evidence. A month in which the city received nothing has machines and no rates.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from gateway.city.ledger.codes import Name, area_name, county_name, industry_name
from gateway.city.ledger.size_class import SIZE_CLASSES
from gateway.city.rates.cells.cell import Cell
from gateway.city.rates.cells.dimensions import (
    BETWEEN,
    CITY,
    SINCE_EVER,
    Cells,
    Dimension,
)
from gateway.city.rates.cells.scores import score
from gateway.city.rates.cells.statistics import Bounds, Statistics
from gateway.city.rates.frozen.results import Correction
from gateway.city.rates.model import Approval, Definition
from gateway.city.rates.period import Status
from gateway.city.rates.reports.aims import Aim, aim
from gateway.core.days import day_of

_NO_SIZE = Name("规模不明", "Size unknown")
WHOLE_CITY = Name("全市", "Whole city")


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
        statistics: what else is told of its enterprises; None: it was not kept.
        bounds: between what the pooled rate lies; None: that cannot be told.
    """

    key: str
    name: Name
    networked: int
    equipment: int
    enterprises: int
    pooled: Fraction | None
    mean: Fraction | None
    score: Fraction | None = None
    statistics: Statistics | None = None
    bounds: Bounds | None = None

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
        of_which: functional areas beside counties; they overlap these and are never added.
        vintage: number of the stored result; None: computed now.
        correction: who published the vintage anew, and why.
        root: digest of the evidence that it rests on; None: it was not kept.
        unknown_years: years whose days of rest nobody has told; then the rate is unknown.
        only_rest: no day of the month has come yet that counts; then the rate is unknown.
        rest_changed: days of rest are arranged otherwise now than when it was stored.
        counties_whole: of each county all enterprises are seen.
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
    root: str | None = None
    unknown_years: tuple[int, ...] = ()
    only_rest: bool = False
    rest_changed: bool = False
    of_which: tuple[RateCell, ...] = ()
    counties_whole: bool = True

    @property
    def outdated(self) -> bool:
        """It was computed with a version of the definition that is not known any more."""
        return self.definition_hash != self.definition.hash

    @property
    def told_status(self) -> Literal["P", "F", "R"]:
        """P provisional, F final, R revised: a final month that was published anew."""
        return self.status if self.correction is None else "R"

    @property
    def approval(self) -> Approval | None:
        """Who approved the definition for this month; None: it is not approved (待批准)."""
        last_day = day_of(self.as_of_ms - 1)
        return None if self.outdated else self.definition.approval_on(last_day)

    @property
    def aims(self) -> dict[str, Aim]:
        """What is said of each county and its target, by county; empty unless it is by county."""
        day = day_of(self.as_of_ms - 1)
        return {
            cell.key: aim(
                self.definition.target_of(cell.key, day),
                self.lead(cell),
                is_whole=self.counties_whole,
            )
            for cell in (self.cells if self.by == "county" else ())
        }

    def lead(self, cell: RateCell) -> Fraction | None:
        """The figure that the definition puts first: pooled or mean."""
        return leading(self.definition, cell)

    @property
    def was_kept(self) -> bool:
        """Whether there can be cells: an older result has some dimensions only."""
        return self.vintage is None or self.by in SINCE_EVER or self.city.statistics is not None

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
    """A rate of one month with every dimension, of all enterprises; nobody is shown it as it is.

    Pages, files and programs get the :class:`PublishedMonth` that ``publish`` makes of it.
    Attributes as of :class:`RateTable`.

    Attributes:
        cells: by dimension and key.
        names: of enterprises by USCC.
        total_name: what the total is of.
        ledger_change: by which change of the ledger it was stored; None: it was computed now, or
            nobody wrote that.
        made: tables of it, which its readers share.
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
    root: str | None = None
    unknown_years: tuple[int, ...] = ()
    only_rest: bool = False
    rest_changed: bool = False
    total_name: Name = WHOLE_CITY
    ledger_change: int | None = None
    made: dict[Dimension, RateTable] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )


@dataclass(frozen=True, slots=True)
class PublishedMonth(RateMonth):
    """A month as one reader of rows may see it; ``publish`` alone makes one.

    Attributes:
        counties_whole: the reader sees all enterprises of each county, or of none.
        made: its tables so far; readers of the same month share them.
    """

    counties_whole: bool = True

    made: dict[Dimension, RateTable] = field(default_factory=dict, repr=False, compare=False)

    def table(self, by: Dimension) -> RateTable:
        """Its table by a dimension; of ten thousand enterprises it is made once."""
        return self.made.get(by) or self.made.setdefault(by, self._table(by))

    def _table(self, by: Dimension) -> RateTable:
        areas: tuple[Dimension, ...] = ("area",) if by == "county" else ()
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
            cells=self._lines(by),
            of_which=tuple(one for area in areas for one in self._lines(area)),
            vintage=self.vintage,
            correction=self.correction,
            root=self.root,
            unknown_years=self.unknown_years,
            only_rest=self.only_rest,
            rest_changed=self.rest_changed,
            counties_whole=self.counties_whole,
        )

    @property
    def city(self) -> RateCell:
        """The total."""
        return self._cell(CITY, self.total_name, self.cells[CITY][CITY])

    def _lines(self, by: Dimension) -> tuple[RateCell, ...]:
        parts = self.cells.get(by, {})
        if by != "enterprise":
            return tuple(self._cell(key, name_of(by, key), part) for key, part in parts.items())
        return tuple(self._firm(key, part) for key, part in parts.items())

    def _firm(self, uscc: str, part: Cell) -> RateCell:
        name = self.names.get(uscc, uscc)
        points = score(self.definition.bands, part.pooled)
        return self._cell(uscc, Name(name, name), part, points)

    def _cell(self, key: str, name: Name, part: Cell, points: Fraction | None = None) -> RateCell:
        told = part.statistics
        if told is not None and self.definition.measure == "ledger":
            # a ledger that is verified or not has no rate to speak of
            told = replace(told, spread=None)
        return RateCell(
            key,
            name,
            part.networked,
            part.equipment,
            part.enterprises,
            part.pooled,
            part.mean,
            points,
            told,
            part.bounds,
        )


def name_of(by: Dimension, key: str) -> Name:
    """What a cell stands for, but for enterprises."""
    if by == "county":
        return county_name(key)
    if by == "size":
        return SIZE_CLASSES.get(key, _NO_SIZE)
    if by == "area":
        return area_name(key)
    if by != "county-industry":
        return industry_name(key)
    code, class_code = key.split(BETWEEN)
    county, industry = county_name(code), industry_name(class_code)
    return Name(f"{county.zh} · {industry.zh}", f"{county.en} · {industry.en}")
