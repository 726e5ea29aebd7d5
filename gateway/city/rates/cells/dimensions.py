"""Into what cells a month is cut. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from gateway.city.ledger.codes import industry_section
from gateway.city.rates.cells.cell import Cell, full_cell
from gateway.city.rates.cells.tally import Tally

Dimension = Literal[
    "county",
    "industry",
    "industry3",
    "industry2",
    "section",
    "county-industry",
    "area",
    "size",
    "enterprise",
]
"""What cells stand for; industries are classes (4 digits), groups (3), divisions (2), sections."""

NO_SIZE = "unknown"
"""Key of enterprises whose size class nothing tells."""
BETWEEN = "/"
"""Between county and industry in the key of a cell of both."""

_KEYS: dict[Dimension, Callable[[Tally], str]] = {
    "county": lambda one: one.county,
    "industry": lambda one: one.industry,
    "industry3": lambda one: one.industry[:3],
    "industry2": lambda one: one.industry[:2],
    "section": lambda one: industry_section(one.industry),
    "county-industry": lambda one: one.county + BETWEEN + one.industry,
    "area": lambda one: one.area,
    "size": lambda one: one.size or NO_SIZE,
    "enterprise": lambda one: one.uscc,
}

DIMENSIONS = tuple(_KEYS)
NOT_OF_ALL: tuple[Dimension, ...] = ("section", "area")
"""Those that may have no cell, as not every enterprise is in one of theirs."""
PARTITIONS = tuple(by for by in DIMENSIONS if by not in NOT_OF_ALL)
"""Those whose cells make up the city. Functional areas overlap counties and are never added."""
SINCE_EVER: tuple[Dimension, ...] = ("county", "industry", "enterprise")
"""Those that the oldest results have, too."""

CITY = "city"
"""Dimension and key of the total."""

Cells = Mapping[str, Mapping[str, Cell]]
"""The rates of a month by dimension and key; the total under :data:`CITY`."""


def partition(tallies: Iterable[Tally], by: Dimension) -> Mapping[str, Cell]:
    """The rates of the parts that a dimension cuts the enterprises into, in order of the key.

    An enterprise that the dimension has no key for is in none of them.
    """
    key = _KEYS[by]
    parts: dict[str, list[Tally]] = defaultdict(list)
    for one in tallies:
        parts[key(one)].append(one)
    return {name: full_cell(parts[name]) for name in sorted(parts) if name}


def all_cells(tallies: Sequence[Tally]) -> Cells:
    """The total, pooled over all enterprises, and every dimension."""
    return {CITY: {CITY: full_cell(tallies)}, **{by: partition(tallies, by) for by in DIMENSIONS}}


def unknown(cells: Cells) -> Cells:
    """The machines without their rates: what nobody knows is not 0 %."""
    return {
        by: {key: without_rates(part) for key, part in parts.items()} for by, parts in cells.items()
    }


def without_rates(part: Cell) -> Cell:
    """A cell of which no rate is known."""
    told = part.statistics
    statistics = None if told is None else told.without_rates()
    return replace(part, pooled=None, mean=None, statistics=statistics)
