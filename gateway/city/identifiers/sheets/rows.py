"""The rows of ledger files as far as identifiers go: who is meant, and what code stands there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_config.tables.header import spelled
from gateway.city.ledger.check import name_of
from gateway.city.ledger.importer import read_tables
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.sheet.columns.equipment import EQUIPMENT
from gateway.city.ledger.sheet.columns.tables import headers
from gateway.city.ledger.sheet.hidden import Hidden
from gateway.city.ledger.sheet.parsing import Record, Tables
from gateway.city.ledger.sheet.problems import LedgerError, Problem
from gateway.identifier.codes.noise import clean

_READ = ("uscc", "site_no", "asset_no", "identifier")
"""Columns that matter here; what is wrong with others is for `qulink ledger import`."""
TITLES = headers([column for column in EQUIPMENT if column.key in _READ])
"""Of these columns, as ``spelled`` gives them."""
_NONE = frozenset(
    {
        *("无", "暂无", "没有", "待分配", "待赋码", "未分配", "未赋码"),
        *("none", "n/a", "na", "null", "/", "-", "--", "—", "——"),
    }
)
"""What people write where there is no identifier."""
_NO_ROW = "holds no row of equipment"


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One machine of a sheet.

    Attributes:
        file: label of its sheet.
        row: as a spreadsheet shows it.
        machine: its name.
        code: what stands in the column of identifiers, without what scanners and copying add;
            empty: nothing.
    """

    file: str
    row: int
    machine: MachineName
    code: str = ""

    def problem(self, message: str) -> Problem:
        """Something that is wrong with it."""
        return Problem(self.file, self.row, "", message)


@dataclass(frozen=True, slots=True)
class SheetRows:
    """What files hold.

    Attributes:
        rows: machines that are named.
        problems: rows and sheets that nobody can tell the machines of.
    """

    rows: Sequence[SheetRow]
    problems: Sequence[Problem]


def read_rows(files: Sequence[Path], now_ms: int, hidden: Hidden = Hidden.REFUSE) -> SheetRows:
    """Read ledger files, as untidy as the import of the ledger takes them.

    Args:
        files: CSV and XLSX.
        now_ms: UTC milliseconds.
        hidden: what becomes of rows and sheets that nobody sees.

    Raises:
        LedgerError: a file cannot be read, or none has a row of equipment.
    """
    tables = read_tables(files, now_ms, hidden)
    rows = [_row(one) for one in tables.equipment if one.values.get("asset_no")]
    problems = list(_of_these_columns(tables))
    if not rows:
        raise LedgerError(problems or [Problem(one.name, 0, "", _NO_ROW) for one in files])
    return SheetRows(rows, problems)


def code_of(cell: str) -> str:
    """The code in a cell of identifiers; empty: none, or words that say so."""
    code = clean(cell).text
    return "" if code.casefold() in _NONE else code


def _row(record: Record) -> SheetRow:
    code = code_of(str(record.values.get("identifier") or ""))
    return SheetRow(record.file, record.row, name_of(record), code)


def _of_these_columns(tables: Tables) -> Iterator[Problem]:
    of_machines = {one.file for one in tables.equipment}
    for one in tables.problems:
        if (not one.column and one.file not in of_machines) or (
            one.file in of_machines and (not one.column or spelled(one.column) in TITLES)
        ):
            yield one
