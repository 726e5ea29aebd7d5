"""Merged cells: a file holds the value of the first one only, a person sees it for all. Pure."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from edge_config.tables.cells import column_of
from edge_config.tables.sheet import Odd, Oddity, Row, TableError

_RANGE = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7}):\$?([A-Z]{1,3})\$?([0-9]{1,7})")


class Area(NamedTuple):
    """Rows and columns of a reference, first and last; columns from 0."""

    first_row: int
    last_row: int
    first_column: int
    last_column: int
    reference: str


def mark_merged(rows: list[Row], references: Sequence[str], columns: int) -> None:
    """Note in every row which of its cells are merged; those of empty areas lose nothing.

    Args:
        rows: in ascending order; replaced where something is noted.
        references: the merged areas, as ``C2:C4``.
        columns: most cells in a row.

    Raises:
        TableError: areas overlap, which no spreadsheet allows.
    """
    waiting = sorted(filter(None, map(area_of, references)), reverse=True)
    open_areas: list[Area] = []
    texts: dict[Area, str] = {}
    for at, row in enumerate(rows):
        while waiting and waiting[-1].first_row <= row.number:
            area = waiting.pop()
            texts[area] = row.cell(area.first_column) if row.number == area.first_row else ""
            open_areas.append(area)
        open_areas = [area for area in open_areas if area.last_row >= row.number]
        if len(open_areas) > columns:
            raise TableError("has merged cells that overlap", row.number)
        odd = dict(_marks((area for area in open_areas if texts[area]), columns))
        if odd:
            rows[at] = row._replace(odd={**row.odd, **odd})


def area_of(reference: str) -> Area | None:
    """The cells that ``C2:C4`` means; none: it is no such reference."""
    found = _RANGE.fullmatch(reference)
    if found is None:
        return None
    left, top, right, bottom = found.groups()
    return Area(int(top), int(bottom), column_of(left), column_of(right), reference)


def _marks(areas: Iterator[Area], columns: int) -> Iterator[tuple[int, Oddity]]:
    for area in areas:
        mark = Oddity(Odd.MERGED, area.reference)
        for position in range(area.first_column, min(area.last_column + 1, columns)):
            yield position, mark
