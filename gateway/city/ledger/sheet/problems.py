"""What is wrong with a ledger file, by file, row and column. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """One mistake.

    Attributes:
        file: file name, with the sheet's name for a workbook.
        row: row number as a spreadsheet shows it, 1 is the header; 0: the whole file.
        column: header of the column as written; empty: the whole row.
        message: what is wrong and what would be right.
    """

    file: str
    row: int
    column: str
    message: str

    def __str__(self) -> str:
        place = [self.file]
        if self.row:
            place.append(f"row {self.row}")
        if self.column:
            place.append(f"column {self.column}")
        return f"{', '.join(place)}: {self.message}"


class LedgerError(Exception):
    """A ledger cannot be imported; its text is every problem, one a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))
