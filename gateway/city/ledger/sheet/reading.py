"""The tables of ledger files: where each begins, and what nobody who opens the file sees."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edge_config.tables import reading
from edge_config.tables.header import header_at, header_of
from edge_config.tables.sheet import Limits, Row, Sheet, TableError
from gateway.city.ledger.sheet.columns.tables import TITLES
from gateway.city.ledger.sheet.problems import LedgerError, Problem
from gateway.city.ledger.sheet.progress import Tell, silent

LIMITS = Limits(
    file_bytes=64 * 1024 * 1024,
    unpacked_bytes=512 * 1024 * 1024,
    rows=1_048_576,
    columns=200,
    cells=10_000_000,
)
"""10^5 machines take some 20 MB and 2.4 million cells."""


@dataclass(frozen=True, slots=True)
class LedgerSheet:
    """One table.

    Attributes:
        label: file name, with the sheet's name for a workbook.
        title: the sheet's name; empty for CSV.
        header: the row that names the columns; titles may stand above it.
        rows: those below it that are not empty.
        is_hidden: a person who opens the workbook does not see the sheet.
        counts_from_1904: its day numbers count from 1904-01-01.
        hidden_columns: positions of columns that nobody sees.
    """

    label: str
    title: str
    header: Row
    rows: Sequence[Row]
    is_hidden: bool
    counts_from_1904: bool
    hidden_columns: AbstractSet[int]


def read_sheets(
    path: Path, titles: AbstractSet[str] = TITLES, tell: Tell = silent
) -> list[LedgerSheet]:
    """Every table of a file that is not empty.

    Args:
        path: the file.
        titles: by which the header is found, as ``spelled`` gives them.
        tell: is told how many per cent of the file are read.

    Raises:
        LedgerError: the file cannot be read as CSV or XLSX.
    """
    try:
        sheets = reading.read_sheets(path, LIMITS, partial(_tell_share, tell))
    except TableError as error:
        raise LedgerError([Problem(path.name, error.row, "", error.message)]) from error
    return [_begun(path.name, sheet, titles) for sheet in sheets if sheet.rows]


def _tell_share(tell: Tell, done: int, total: int) -> None:
    tell("read", 100 * done // max(total, 1), 100)


def _begun(file: str, sheet: Sheet, titles: AbstractSet[str]) -> LedgerSheet:
    at = header_at(sheet.rows, titles.__contains__) or 0
    header, behind = header_of(sheet.rows, at)
    label = f"{file}[{sheet.title}]" if sheet.title else file
    return LedgerSheet(
        label,
        sheet.title,
        header,
        sheet.rows[behind:],
        sheet.is_hidden,
        sheet.counts_from_1904,
        sheet.hidden_columns,
    )
