"""Tables from files: the one place where CSV and XLSX are opened."""

from pathlib import Path

from edge_config.tables.csv_file import read_csv
from edge_config.tables.sheet import Limits, Progress, Sheet, TableError, unheard
from edge_config.tables.workbook import read_workbook

_WORKBOOKS = (".xlsx", ".xlsm")
_TEXTS = (".csv", ".txt", ".tsv")


def read_sheets(path: Path, limits: Limits, tell: Progress = unheard) -> list[Sheet]:
    """Every table of a file.

    Args:
        path: a workbook (``.xlsx``, ``.xlsm``) or a text (``.csv``, ``.txt``, ``.tsv``).
        limits: what it may hold.
        tell: is told how much is read, a hundred times at most.

    Raises:
        TableError: unreadable, too large, or neither of the two.
    """
    ending = path.suffix.lower()
    if ending not in (*_WORKBOOKS, *_TEXTS):
        raise TableError("is no table; it must end in .csv or .xlsx")
    body = _read(path, limits.file_bytes)
    # Some programs give a workbook the name of a text; its first bytes tell.
    if ending in _WORKBOOKS or body.startswith(b"PK\x03\x04"):
        return read_workbook(body, limits, tell)
    return [read_csv(body, limits, tell)]


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            body = file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise TableError(f"cannot be read: {reason}") from error
    if len(body) > limit:
        raise TableError(f"is larger than {limit // 1_048_576} MiB; split it")
    return body
