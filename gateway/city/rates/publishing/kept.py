"""What is published, in a form that outlives a process. Pure.

It holds what the public is shown and nothing else: cells that are withheld have no figures here,
either. What was made by another program, by other rules or of other results is not taken up.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import msgspec

from gateway.city.rates.cells.cell import Cell, percent
from gateway.city.rates.period import Status
from gateway.city.rates.publishing.publish import (
    Audience,
    MonthTable,
    PublishedCell,
    PublishedTable,
)
from gateway.city.rates.publishing.stored import Publication

Origin = Sequence[str]
"""What decides a publication: equal ones make equal publications."""


class _Cell(msgspec.Struct, array_like=True):
    """A cell; ``figures`` are networked, machines and enterprises, ``mean`` an exact fraction."""

    county: str
    industry: str
    figures: tuple[int, int, int] | None
    mean: str | None
    obs_status: Literal["A", "P", "Q", "M"]
    conf_status: Literal["F", "N"]


class _Table(msgspec.Struct):
    """Attributes as of :class:`MonthTable`."""

    definition: str
    month: str
    status: Status
    vintage: int
    definition_hash: str
    stored_ms: int
    cells: list[_Cell]


class KeptPublication(msgspec.Struct):
    """A publication as it is kept.

    Attributes:
        origin: of what and by what it was made.
        tables: newest final vintages.
        unplaced: definition and month of what nobody can place.
    """

    origin: tuple[str, ...]
    tables: list[_Table]
    unplaced: list[tuple[str, str]]


def kept(public: Publication, origin: Origin) -> KeptPublication:
    """A publication as it is kept."""
    tables = [_kept_table(one, public.stored_ms[key]) for key, one in public.tables.items()]
    return KeptPublication(tuple(origin), tables, sorted(public.unplaced))


def recalled(body: bytes, origin: Origin) -> Publication | None:
    """A publication that was kept; None if it must be worked out anew.

    Args:
        body: JSON of a :class:`KeptPublication`.
        origin: of what and by what it would be made now.
    """
    try:
        one = msgspec.json.decode(body, type=KeptPublication)
        if one.origin != tuple(origin):
            return None
        tables = {(each.definition, each.month): _table(each) for each in one.tables}
    except (ValueError, ZeroDivisionError):  # no JSON, of another form, or no fraction
        return None
    stored_ms = {(each.definition, each.month): each.stored_ms for each in one.tables}
    return Publication(tables, frozenset(one.unplaced), stored_ms)


def _kept_table(shown: PublishedTable, stored_ms: int) -> _Table:
    table = shown.table
    cells = [_kept_cell(*key, one) for key, one in shown.cells.items()]
    own = table.definition, table.month, table.status, table.vintage, table.definition_hash
    return _Table(*own, stored_ms, cells)


def _kept_cell(county: str, industry: str, one: PublishedCell) -> _Cell:
    shown, figures, mean = one.figures, None, None
    if shown is not None:
        figures = shown.networked, shown.equipment, shown.enterprises
        mean = None if shown.mean is None else str(shown.mean)
    return _Cell(county, industry, figures, mean, one.obs_status, one.conf_status)


def _table(one: _Table) -> PublishedTable:
    table = MonthTable(one.definition, one.month, one.status, one.vintage, (), one.definition_hash)
    cells = {(each.county, each.industry): _cell(each) for each in one.cells}
    return PublishedTable(table, Audience.PUBLIC, cells)


def _cell(one: _Cell) -> PublishedCell:
    if one.figures is None:
        return PublishedCell(None, one.obs_status, one.conf_status)
    networked, equipment, enterprises = one.figures
    mean = None if one.mean is None else Fraction(one.mean)
    figures = Cell(networked, equipment, enterprises, percent(networked, equipment), mean)
    return PublishedCell(figures, one.obs_status, one.conf_status)
