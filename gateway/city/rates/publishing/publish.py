"""The one door through which rates go out: whole, or withheld in part. Pure.

There are two planes. Readers of rows see the rows of their scope, whole. To the public a cell is
shown whole – K, N, enterprises, both rates – or not at all, and nothing says why: a reason would
tell how many enterprises there are. *Withheld* is neither *none* (nobody is in the cell) nor 0.00.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Literal, overload

from gateway.city.access.principal import EVERYTHING, Scope, ScopeError, ScopeKind
from gateway.city.rates.cells.cell import Cell, cell
from gateway.city.rates.cells.tally import Place, Tally
from gateway.city.rates.period import Status
from gateway.city.rates.publishing.grid import TOTAL, Key
from gateway.city.rates.publishing.withholding import NOTHING_WITHHELD, Withheld
from gateway.city.rates.reports.part import part_of
from gateway.city.rates.reports.table import PublishedMonth, RateMonth


class Audience(StrEnum):
    """The plane that a table is of; files say it."""

    OPERATIONAL = "operational"  # rows of their own scope, all figures
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Public:
    """Everybody.

    Attributes:
        withheld: what they are not shown of the month.
    """

    withheld: Withheld = NOTHING_WITHHELD


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who sees the rows of a scope.

    Attributes:
        scope: of the principal who asks.
        places: of the enterprises of the scope, by USCC; None: the scope is everything.
        rows: USCCs of those whose own figures are shown; None: of all of them.
    """

    scope: Scope
    places: Mapping[str, Place] | None = None
    rows: AbstractSet[str] | None = None

    def __post_init__(self) -> None:
        """Refuse a reader of whom it is not said what they see.

        Raises:
            ScopeError: a part without its enterprises, or everything with some.
        """
        if self.scope.is_whole != (self.places is None):
            raise ScopeError(f"what {self.scope} sees is not said by its enterprises")

    @classmethod
    def in_month(
        cls, scope: Scope, now: Mapping[str, Place], then: Mapping[str, Place]
    ) -> "Reader":
        """Who sees a part, of a month in which some enterprises were elsewhere.

        Figures count who was in the scope then, as those of the whole city do: a county's past is
        the same to its officer. Rows of an enterprise are of who sees it now, and only of them.

        Args:
            scope: not of everything.
            now: places of the enterprises that are in the scope now, by USCC.
            then: places in that month of all enterprises that may have been elsewhere.
        """
        places = {
            uscc: one
            for uscc, one in {**now, **then}.items()
            if scope.covers(uscc, one.county, one.area)
        }
        return cls(scope, places, now.keys() & places.keys())


WHOLE = Reader(EVERYTHING)
"""Who sees all rows: officers of the city, and commands."""


@dataclass(frozen=True, slots=True)
class MonthTable:
    """A rate of one month, by enterprise.

    Attributes:
        definition: id, as ``ENR-A``.
        month: ``YYYY-MM``.
        status: P provisional, F final.
        vintage: of the stored result.
        tallies: numerator and denominator of every enterprise.
        definition_hash: of the record that it was computed with.
    """

    definition: str
    month: str
    status: Status
    vintage: int
    tallies: Sequence[Tally]
    definition_hash: str = ""


@dataclass(frozen=True, slots=True)
class CountedTable:
    """A rate of one month, by cell, before it goes out: nothing of it is withheld.

    Attributes:
        table: what it was made of; ``tallies`` are empty here.
        cells: by county and industry, as of :class:`PublishedTable`.
    """

    table: MonthTable
    cells: Mapping[Key, Cell]


@dataclass(frozen=True, slots=True)
class PublishedCell:
    """A cell as it goes out.

    Attributes:
        figures: None where they are withheld.
        obs_status: SDMX CL_OBS_STATUS: A normal, P provisional, Q suppressed, M cannot exist.
        conf_status: SDMX CL_CONF_STATUS: F free, N not for publication.
    """

    figures: Cell | None
    obs_status: Literal["A", "P", "Q", "M"]
    conf_status: Literal["F", "N"] = "F"

    @property
    def withheld(self) -> bool:
        """Whether somebody is in it who is not shown."""
        return self.figures is None


_NONE = PublishedCell(Cell(0, 0, 0, None, None), "M")
_WITHHELD = PublishedCell(None, "Q", "N")


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """A table as it goes out.

    Attributes:
        table: what it was made of; ``tallies`` are empty here.
        audience: who may have it.
        cells: by county and industry, either of them or both may be ``""`` for the total; a cell
            that nobody is in is not there.
    """

    table: MonthTable
    audience: Audience
    cells: Mapping[Key, PublishedCell]

    def at(self, county: str = TOTAL, industry: str = TOTAL) -> PublishedCell:
        """A cell; one that nobody is in, too."""
        return self.cells.get((county, industry), _NONE)


def counted(table: MonthTable) -> CountedTable:
    """The cells of a month, which are much less than its enterprises."""
    parts = _parts(table.tallies)
    cells = {key: cell(parts[key]) for key in sorted(parts)}
    return CountedTable(replace(table, tallies=()), cells)


@overload
def publish(table: MonthTable | CountedTable, audience: Public) -> PublishedTable: ...
@overload
def publish(table: RateMonth, audience: Reader) -> PublishedMonth: ...
def publish(
    table: MonthTable | CountedTable | RateMonth, audience: Public | Reader
) -> PublishedTable | PublishedMonth:
    """Rates of a month for somebody to read.

    Args:
        table: of all enterprises.
        audience: who reads it.
    """
    if isinstance(table, RateMonth) and isinstance(audience, Reader):
        return _for_reader(table, audience)
    assert not isinstance(table, RateMonth)  # noqa: S101 - there is no other overload
    assert isinstance(audience, Public)  # noqa: S101
    own = counted(table) if isinstance(table, MonthTable) else table
    return _for_all(own, audience.withheld)


def _for_reader(month: RateMonth, reader: Reader) -> PublishedMonth:
    seen = month if reader.places is None else part_of(month, reader.places, reader.rows)
    own = {one.name: getattr(seen, one.name) for one in fields(RateMonth)}
    if reader.places is not None and month.correction is not None:
        own["correction"] = month.correction.in_part
    is_of_counties = reader.scope.is_whole or reader.scope.kind is ScopeKind.COUNTIES
    return PublishedMonth(**own, counties_whole=is_of_counties)


def _for_all(counts: CountedTable, withheld: Withheld) -> PublishedTable:
    status = counts.table.status
    cells = {
        key: _WITHHELD if withheld.hides(key) else operational(one, status)
        for key, one in counts.cells.items()
    }
    return PublishedTable(counts.table, Audience.PUBLIC, cells)


def operational(shown: Cell, status: Status) -> PublishedCell:
    """A cell for a reader of rows, whose scope it is of already: nothing of it is withheld."""
    return PublishedCell(shown, "A" if status == "F" else "P")


def _parts(tallies: Sequence[Tally]) -> Mapping[Key, list[Tally]]:
    """Enterprises with machines by every cell that they are in."""
    parts: dict[Key, list[Tally]] = defaultdict(list)
    for one in tallies:
        if one.equipment > 0:
            for county in (one.county, TOTAL):
                for industry in (one.industry, TOTAL):
                    parts[county, industry].append(one)
    return parts
