"""A copy of a ledger sheet with the identifiers that nodes have confirmed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection

from edge_config.tables.csv_file import with_cells
from edge_config.tables.header import spelled
from edge_config.tables.sheet import TableError
from gateway.city.identifiers.issuing import Issuing
from gateway.city.identifiers.sheets.filling import filled
from gateway.city.identifiers.sheets.held import machines_of
from gateway.city.identifiers.sheets.rows import TITLES, SheetRow, code_of
from gateway.city.ledger.sheet.columns.tables import table_of
from gateway.city.ledger.sheet.problems import LedgerError, Problem
from gateway.city.ledger.sheet.reading import LedgerSheet, read_sheets
from gateway.durable import replace_file

HEADER = "标识编码"
"""Of the column that is added where a sheet has none."""
_MODE = 0o644
Place = tuple[str, int]
"""Label of the sheet and number of the row."""


def confirmed(
    connection: Connection, rows: Sequence[SheetRow], rules: Issuing, now_ms: int
) -> dict[Place, str]:
    """The identifiers of the rows' machines that a node has confirmed."""
    machines = machines_of(connection, [one.machine for one in rows], rules, now_ms)
    return {
        (one.file, one.row): machines[one.machine].shown
        for one in rows
        if one.machine in machines and machines[one.machine].shown
    }


def write_back(source: Path, target: Path, handles: Mapping[Place, str]) -> int:
    """Write identifiers into a copy; whatever else stands in it stays as it is.

    A cell that holds a code keeps it; words such as 待分配 make room for one.

    Args:
        source: the ledger file; may be an earlier copy.
        target: the copy; replaced as a whole.
        handles: by sheet and row.

    Returns:
        How many identifiers were written that did not stand there.

    Raises:
        LedgerError: the source cannot be read, or not be written as it is.
        OSError: the copy cannot be written.
    """
    sheets = read_sheets(source)
    cells = {sheet.title: _cells(sheet, handles) for sheet in sheets}
    number = sum(map(len, cells.values()))
    for sheet in sheets:
        column, is_new = _column(sheet)
        if is_new and cells[sheet.title]:
            cells[sheet.title][sheet.header.number] = {column: HEADER}
    try:
        body = source.read_bytes()
        written = filled(body, cells) if "" not in cells else with_cells(body, cells[""])
    except (TableError, ValueError) as error:
        raise LedgerError([Problem(source.name, 0, "", str(error))]) from error
    replace_file(target, written, _MODE)
    return number


def _cells(sheet: LedgerSheet, handles: Mapping[Place, str]) -> dict[int, dict[int, str]]:
    if table_of(sheet.header.cells) != "equipment":
        return {}
    column, _ = _column(sheet)
    return {
        row.number: {column: handles[sheet.label, row.number]}
        for row in sheet.rows
        if (sheet.label, row.number) in handles
        and not code_of(row.cell(column))
        and column not in row.odd
    }


def _column(sheet: LedgerSheet) -> tuple[int, bool]:
    """Where the identifiers of a sheet stand, and whether that column is a new one."""
    for place, title in enumerate(sheet.header.cells):
        column = TITLES.get(spelled(title)) if title else None
        if column is not None and column.key == "identifier":
            return place, False
    return max(len(row.cells) for row in (sheet.header, *sheet.rows)), True
