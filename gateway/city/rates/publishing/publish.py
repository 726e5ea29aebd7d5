"""The one door through which rates go out: whole, or withheld in part. Pure.

To the public a cell is shown whole – K, N, enterprises, both rates – or not at all, and nothing
says why: a reason would tell how many enterprises there are. *Withheld* is neither *none* (nobody
is in the cell) nor 0.00.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from gateway.city.rates.cells.cell import Cell, cell
from gateway.city.rates.cells.tally import Tally
from gateway.city.rates.period import Status
from gateway.city.rates.publishing.grid import TOTAL, Key
from gateway.city.rates.publishing.withholding import NOTHING_WITHHELD, Withheld


class Audience(StrEnum):
    """Who reads a table."""

    OPERATIONAL = "operational"  # rows of their own scope, all figures
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class MonthTable:
    """A rate of one month, by enterprise.

    Attributes:
        definition: id, as ``ENR-A``.
        month: ``YYYY-MM``.
        status: P provisional, F final.
        vintage: of the stored result.
        tallies: numerator and denominator of every enterprise that the reader's scope has.
    """

    definition: str
    month: str
    status: Status
    vintage: int
    tallies: Sequence[Tally]


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


def publish(
    table: MonthTable, audience: Audience, withheld: Withheld = NOTHING_WITHHELD
) -> PublishedTable:
    """A table for somebody to read.

    Args:
        table: of all enterprises for the public; of the reader's scope for an operational reader.
        audience: who reads it.
        withheld: what the public is not shown of the month.
    """
    parts = _parts(table.tallies)
    hides = withheld.hides if audience is Audience.PUBLIC else _nothing
    return PublishedTable(
        MonthTable(table.definition, table.month, table.status, table.vintage, ()),
        audience,
        {key: _WITHHELD if hides(key) else _shown(table, parts[key]) for key in sorted(parts)},
    )


def operational(shown: Cell, status: Status) -> PublishedCell:
    """A cell for a reader of rows, whose scope it is of already: nothing of it is withheld."""
    return PublishedCell(shown, "A" if status == "F" else "P")


def _nothing(key: Key) -> bool:  # noqa: ARG001 - it is asked as Withheld.hides is
    return False


def _shown(table: MonthTable, tallies: Sequence[Tally]) -> PublishedCell:
    return operational(cell(tallies), table.status)


def _parts(tallies: Sequence[Tally]) -> Mapping[Key, list[Tally]]:
    """Enterprises with machines by every cell that they are in."""
    parts: dict[Key, list[Tally]] = defaultdict(list)
    for one in tallies:
        if one.equipment > 0:
            for county in (one.county, TOTAL):
                for industry in (one.industry, TOTAL):
                    parts[county, industry].append(one)
    return parts
