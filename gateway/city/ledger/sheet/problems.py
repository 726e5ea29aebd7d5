"""What is wrong with a ledger file, by file, row and column. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from edge_config.tables.sheet import row_list


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


def gathered(notes: Iterable[Problem]) -> list[Problem]:
    """One sentence for all rows of a file of which the same is to be told, in order."""
    rows = defaultdict[Problem, list[int]](list)
    for note in notes:
        rows[replace(note, row=0)].append(note.row)
    return sorted(_of_rows(note, sorted(numbers)) for note, numbers in rows.items())


def _of_rows(note: Problem, rows: list[int]) -> Problem:
    if len(rows) == 1:
        return replace(note, row=rows[0])
    return replace(note, row=rows[0], message=f"rows {row_list(rows)}: {note.message}")


class LedgerError(Exception):
    """A ledger cannot be imported; its text is every problem, one a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))
