"""Cells whose text may not be what the person who filled them means. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence

from edge_config.tables.sheet import Odd, Oddity, Row, row_list
from gateway.city.ledger.sheet.columns.column import Column
from gateway.city.ledger.sheet.problems import Problem
from gateway.city.ledger.sheet.reading import LedgerSheet
from gateway.city.ledger.sheet.values import (
    commissioning_day,
    computed,
    day,
    effective_day,
    is_serial_day,
    past_day,
    serial_day,
)

_DAYS = (day, past_day, commissioning_day, effective_day)
_CODES = frozenset({"asset_no", "formerly", "serial_no", "site_no", "category"})
"""Columns of codes, in which a zero in front or behind counts."""
_MACHINES = frozenset({"asset_no", "formerly"})
"""Codes that name a machine: a zero that is lost makes another machine of it."""
_WHOLE = re.compile(r"-?\d+|.*E\+\d+")
"""Whole numbers; the long ones are refused as codes that lost digits."""
_ZERO_IN_FRONT = re.compile(r"0\d+")
_DECIMAL = re.compile(r"\d+\.0")
_HELP = "format the column as text and write them again"


class OddCells:
    """What is odd about the cells of one sheet, by what its columns hold.

    Attributes:
        problems: mistakes of whole columns.
        notes: what may be meant, and may be a mistake.
    """

    def __init__(self, sheet: LedgerSheet, layout: Sequence[tuple[int, Column]]) -> None:
        self._from_1904 = sheet.counts_from_1904
        self._told: set[tuple[int, Oddity]] = set()
        self.problems: list[Problem] = list(_merged_titles(sheet))
        self.notes: list[Problem] = []
        for place, column in layout:
            if column.key in _MACHINES:
                self._look_for_lost_zeros(sheet, place)
            if column.key in _CODES:
                self.problems.extend(_decimals(sheet, place))

    def text(self, row: Row, place: int, column: Column) -> str | None:
        """The text of a cell; None if what is wrong with it was said in a row above.

        Raises:
            ValueError: nobody knows what it holds.
        """
        text, odd = row.cell(place), row.odd.get(place)
        if odd is not None and _is_wrong(odd, column):
            if odd.kind is Odd.MERGED and (place, odd) in self._told:
                return None
            self._told.add((place, odd))
            raise ValueError(str(odd))
        if self._from_1904 and column.convert in _DAYS and is_serial_day(text):
            return serial_day(text, from_1904=True).isoformat()
        return computed(text)

    def _look_for_lost_zeros(self, sheet: LedgerSheet, place: int) -> None:
        """Numbers among codes: a spreadsheet has made 123 of 000123, if that was typed."""
        numbers = [row.number for row in sheet.rows if _kind(row.odd, place) is Odd.NUMBER]
        if not numbers:
            return
        listed = (
            f"rows {row_list(numbers)} hold numbers, of which a spreadsheet drops zeros in front"
        )
        coded = (row.cell(place) for row in sheet.rows if place not in row.odd)
        example = next(filter(_ZERO_IN_FRONT.fullmatch, coded), None)
        title = sheet.header.cell(place)
        if example:
            said = f"{listed}, and others texts such as {example}; {_HELP}"
            self.problems.append(Problem(sheet.label, numbers[0], title, said))
        else:
            said = f"{listed}; if any began with 0, {_HELP}"
            self.notes.append(Problem(sheet.label, numbers[0], title, said))


def _kind(odd: Mapping[int, Oddity], place: int) -> Odd | None:
    return odd[place].kind if place in odd else None


def _is_wrong(odd: Oddity, column: Column) -> bool:
    if odd.kind is Odd.DATE:
        return column.convert not in _DAYS
    if odd.kind is Odd.FORMATTED:  # what was typed as 12E3 or 7号 is 12000 or 7 to us
        return column.key in _CODES
    if odd.kind is Odd.NUMBER:  # 1.10 has become 1.1, 1E-5 has become 0.00001
        return column.key in _CODES and not _WHOLE.fullmatch(odd.detail)
    return True


def _decimals(sheet: LedgerSheet, place: int) -> Iterator[Problem]:
    """Codes that all end in .0: a program took them for decimals, and 1.0 is another one than 1."""
    written = [(row.number, row.cell(place)) for row in sheet.rows if row.cell(place)]
    if written and all(_DECIMAL.fullmatch(text) for _, text in written):
        numbers, example = [number for number, _ in written], written[0][1]
        said = f"rows {row_list(numbers)} hold decimals such as {example}, as programs write codes"
        advice = f"write {example.removesuffix('.0')}, or what stands on the machine"
        yield Problem(sheet.label, numbers[0], sheet.header.cell(place), f"{said}; {advice}")


def _merged_titles(sheet: LedgerSheet) -> Iterator[Problem]:
    """A title that belongs to several columns or rows names none."""
    for place, odd in sheet.header.odd.items():
        if odd.kind is Odd.MERGED and sheet.header.cell(place):
            yield Problem(sheet.label, sheet.header.number, sheet.header.cell(place), str(odd))
