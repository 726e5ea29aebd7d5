"""The table of planned stops: its columns, and rows that were read. Pure but for the files."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from gateway.city.ledger.codes import Name
from gateway.city.ledger.sheet.columns.column import USCC, Column
from gateway.city.ledger.sheet.parsing import Record, parse_rows
from gateway.city.ledger.sheet.problems import LedgerError, Problem
from gateway.city.ledger.sheet.reading import LedgerSheet, read_sheets
from gateway.city.ledger.sheet.values import choice, day, ledger_number, prose

REASONS = {
    "overhaul": Name("检修", "overhaul"),
    "heat": Name("高温假", "heat holiday"),
    "holiday": Name("厂休", "works holiday"),
    "halt": Name("停产", "production halted"),
    "power": Name("限电", "power rationed"),
    "order": Name("停工令", "ordered to stop"),
}
"""Why machines stop by plan; a machine that broke down did not."""
MAX_DAYS = 366
SHEET = Name("计划停机", "Planned stops")

COLUMNS = (
    USCC,
    Column(
        "site_no",
        Name("厂区编号", "Site number"),
        ledger_number(16),
        Name("空：全部厂区", "empty: all"),
    ),
    Column("workshop", Name("车间", "Workshop"), prose(100), Name("空：全部车间", "empty: all")),
    Column("line", Name("产线", "Line"), prose(100), Name("空：全部产线", "empty: all")),
    Column(
        "asset_no",
        Name("资产编号", "Asset number"),
        ledger_number(64),
        Name("空：全部设备", "empty: all"),
    ),
    Column(
        "stop_from",
        Name("停机起始日期", "Stop from"),
        day,
        Name("首日", "first day"),
        required=True,
    ),
    Column(
        "stop_to",
        Name("停机终止日期", "Stop to"),
        day,
        Name("末日；空：直至撤销", "last day; empty: until withdrawn"),
    ),
    Column(
        "stop_reason",
        Name("停机原因", "Reason"),
        choice(REASONS, "reason"),
        Name("", ""),
        required=True,
        choices=REASONS,
    ),
    Column(
        "document",
        Name("依据文件", "Document"),
        prose(200),
        Name("文号或计划编号", "its number"),
        required=True,
    ),
    Column("said_by", Name("填报人", "Said by"), prose(100), Name("", ""), required=True),
)


@dataclass(frozen=True, slots=True)
class Stop:
    """A planned stop as it is said.

    Attributes:
        uscc: of the enterprise.
        site_no: this and the next three narrow it down; empty: all.
        workshop: as the ledger has it.
        line: as the ledger has it.
        asset_no: of a single machine.
        first_day: Asia/Shanghai day.
        last_day: inclusive; None: until it is withdrawn.
        reason: key of :data:`REASONS`.
        document: by which it is so.
        said_by: who says so.
    """

    uscc: str
    site_no: str
    workshop: str
    line: str
    asset_no: str
    first_day: date
    last_day: date | None
    reason: str
    document: str
    said_by: str


def read_stops(files: Sequence[Path], today: date) -> list[tuple[Record, Stop]]:
    """The rows of all files.

    Raises:
        LedgerError: every mistake, by file, row and column.
    """
    return [(row, _stop(row)) for row in read_rows(files, COLUMNS, today, _contradictions)]


def read_rows(
    files: Sequence[Path],
    columns: Sequence[Column],
    today: date,
    check: Callable[[Record], Iterable[Problem]],
) -> list[Record]:
    """The rows of files of one table.

    Args:
        files: CSV or XLSX.
        columns: of the table.
        today: of the import.
        check: what contradicts itself in a row.

    Raises:
        LedgerError: every mistake, by file, row and column; that there is no row is one.
    """
    problems, sheets = list[Problem](), list[LedgerSheet]()
    for file in files:
        try:
            sheets.extend(read_sheets(file))
        except LedgerError as error:
            problems.extend(error.problems)
    rows, wrong = parse_rows(sheets, columns, today)
    problems += wrong + [one for row in rows for one in check(row)]
    if not rows and not problems:
        problems.extend(Problem(one.name, 0, "", "holds no row that is filled") for one in files)
    if problems:
        raise LedgerError(problems)
    return rows


def _contradictions(row: Record) -> list[Problem]:
    first, last = row.values.get("stop_from"), row.values.get("stop_to")
    if not (isinstance(first, date) and isinstance(last, date)):
        return []
    if last < first:
        return [row.problem("stop_to", f"{last} is before {first}, on which the stop begins")]
    if (last - first).days >= MAX_DAYS:
        return [row.problem("stop_to", f"the stop is longer than {MAX_DAYS} days; mistyped?")]
    return []


def _stop(row: Record) -> Stop:
    values = row.values
    text = {
        key: str(values.get(key) or "")
        for key in ("uscc", "site_no", "workshop", "line", "asset_no")
    }
    first, last = values["stop_from"], values.get("stop_to")
    assert isinstance(first, date)  # noqa: S101 - the column is required
    return Stop(
        **text,
        first_day=first,
        last_day=last if isinstance(last, date) else None,
        reason=str(values["stop_reason"]),
        document=str(values["document"]),
        said_by=str(values["said_by"]),
    )
