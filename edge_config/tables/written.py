"""What is to be written as a table, whatever kind of file it is to stand in. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from edge_config.tables.formats import GENERAL, number_text


class WrittenColumn(NamedTuple):
    """One column.

    Attributes:
        title: what its header says.
        note: what belongs into it, for people.
        choices: what may stand in it; empty: anything.
        is_open: whether anything else may, too.
        is_required: whether a row needs it.
        is_number: whether a spreadsheet may take its cells for numbers.
    """

    title: str
    note: str = ""
    choices: Sequence[str] = ()
    is_open: bool = False
    is_required: bool = False
    is_number: bool = False


class WrittenSheet(NamedTuple):
    """One table.

    Attributes:
        title: of the sheet; a CSV file has none.
        columns: from left to right.
        rows: texts, as many a row as there are columns.
        above: rows over the header.
    """

    title: str
    columns: Sequence[WrittenColumn]
    rows: Sequence[Sequence[str]]
    above: Sequence[Sequence[str]] = ()


def number_of(text: str) -> float | None:
    """The number that a spreadsheet shows in exactly these characters; None: it has none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if number_text(value, GENERAL, from_1904=False) == text else None
