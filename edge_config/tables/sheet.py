"""What is read of a table, whatever kind of file it stands in. Pure."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class Odd(StrEnum):
    """Why the text of a cell may not be what the person who filled it means."""

    MERGED = "merged"
    UNCOMPUTED = "uncomputed"
    ERROR = "error"
    DATE = "date"
    NUMBER = "number"
    FORMATTED = "formatted"


class Oddity(NamedTuple):
    """What is odd about a cell.

    Attributes:
        kind: see :class:`Odd`. A DATE, NUMBER or FORMATTED (a number that is shown with more
            than its digits) is harmless where one is wanted.
        detail: of a merged cell the range, as ``C2:C4``; else the text of the cell.
    """

    kind: Odd
    detail: str

    @property
    def is_fault(self) -> bool:
        """Whether no column can take the cell."""
        return self.kind in (Odd.MERGED, Odd.UNCOMPUTED, Odd.ERROR)

    def __str__(self) -> str:
        return _SENTENCES[self.kind].format(self.detail)


_SENTENCES = {
    Odd.MERGED: "the cells {} are merged; split them and write the value into each",
    Odd.UNCOMPUTED: "holds a formula without a result; open the file in Excel or WPS and save "
    "it, or paste the formulas as values",
    Odd.ERROR: "{} is an error of the spreadsheet; write the value",
    Odd.DATE: "is the day {} to the spreadsheet, perhaps because a code such as 3-12 was typed; "
    "format the column as text and write it again",
    Odd.NUMBER: "is the number {} to the spreadsheet, which drops zeros at the ends; "
    "format the column as text and write it again",
    Odd.FORMATTED: "is the number {} to the spreadsheet, which shows it in another form; "
    "format the column as text and write it again",
}

NOTHING_ODD: Mapping[int, Oddity] = MappingProxyType({})


class Row(NamedTuple):
    """One row that is not empty.

    Attributes:
        number: as a spreadsheet shows it; the first is 1.
        cells: texts without blanks around them, as a person would have typed them; truths are
            ``true`` and ``false``, days ``2024-05-31``.
        odd: by position in ``cells``; most have none.
        is_hidden: by hand or by a filter.
    """

    number: int
    cells: Sequence[str]
    odd: Mapping[int, Oddity] = NOTHING_ODD
    is_hidden: bool = False

    def cell(self, position: int) -> str:
        """The text at a position; empty beyond the last one."""
        return self.cells[position] if position < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table.

    Attributes:
        title: name of the sheet; empty for CSV.
        rows: those that are not empty.
        is_hidden: a person who opens the workbook does not see it.
        counts_from_1904: day numbers count from 1904-01-01, not from 1899-12-30.
        hidden_columns: positions of columns that nobody sees.
    """

    title: str
    rows: Sequence[Row]
    is_hidden: bool = False
    counts_from_1904: bool = False
    hidden_columns: AbstractSet[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may hold; a larger one is refused before it costs time or memory.

    Attributes:
        file_bytes: size of the file.
        unpacked_bytes: size of what a workbook unpacks to.
        rows: highest number of a row that is not empty.
        columns: most cells in a row.
        cells: most cells that are not empty, all sheets together.
    """

    file_bytes: int
    unpacked_bytes: int
    rows: int
    columns: int
    cells: int


Progress = Callable[[int, int], None]
"""Is called with how much of a file is read, and of how much: bytes, or characters of a text."""


def unheard(_done: int, _total: int) -> None:
    """Nobody waits for a file."""


class TableError(Exception):
    """A file that cannot be read as a table.

    Attributes:
        message: continues the name of the file: ``is larger than 16 MiB``.
        row: where; 0: the file as a whole.
    """

    def __init__(self, message: str, row: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.row = row


INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
"""Characters of no width, which come along when cells are copied from pages and chats."""
_AROUND = " \t\r\n\v\f\x1c\x1d\x1e\x1f\x85\xa0\u2002\u2003\u2009\u202f\u3000" + INVISIBLE


def bare(text: str) -> str:
    """A text without blanks and invisible characters around it."""
    return text.strip(_AROUND)


_LISTED = 10


def row_list(numbers: Sequence[int]) -> str:
    """Row numbers for a message: ``4–6, 9``; of many the first ones.

    Args:
        numbers: ascending.
    """
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    words = [str(low) if low == high else f"{low}–{high}" for low, high in spans]
    return ", ".join(words[:_LISTED]) + (" …" if len(words) > _LISTED else "")
