"""The table of data agreements: its columns, and rows that were read. Pure but for the files."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from gateway.city.ledger.agreements.agreement import Agreement, read_points
from gateway.city.ledger.codes import Name
from gateway.city.ledger.sheet.columns.column import USCC, Column
from gateway.city.ledger.sheet.hidden import Hidden, visible_part
from gateway.city.ledger.sheet.parsing import Record, Tables, records
from gateway.city.ledger.sheet.problems import LedgerError, Problem
from gateway.city.ledger.sheet.reading import read_sheets
from gateway.city.ledger.sheet.values import Value, day, prose


def _points(text: str, _today: date) -> Value:
    return read_points(text)


COLUMNS = (
    USCC,
    Column("agreement", Name("协议编号", "Agreement"), prose(64), Name("", ""), required=True),
    Column(
        "document",
        Name("依据文件", "Document"),
        prose(200),
        Name("文号或档案号", "its number"),
        required=True,
    ),
    Column("purposes", Name("数据用途", "Purposes"), prose(200), Name("", ""), required=True),
    Column(
        "agreed_from",
        Name("协议起始日期", "Agreed from"),
        day,
        Name("首日", "first day"),
        required=True,
    ),
    Column(
        "agreed_to",
        Name("协议终止日期", "Agreed to"),
        day,
        Name("末日；空：直至另行终止", "last day; empty: until it is ended"),
    ),
    Column(
        "points",
        Name("采集点位", "Points"),
        _points,
        Name(
            "机型/点名，如 grinder/*；* 为任意字符；以空格或逗号分隔",
            "profile/tag, as grinder/*; parted by blanks or commas",
        ),
        required=True,
    ),
    Column("said_by", Name("填报人", "Said by"), prose(100), Name("", ""), required=True),
)


def read_agreements(files: Sequence[Path], today: date) -> list[tuple[Record, Agreement]]:
    """The rows of all files.

    Raises:
        LedgerError: every mistake, by file, row and column.
    """
    tables = Tables([], [], [], [])
    for file in files:
        try:
            sheets = read_sheets(file)
        except LedgerError as error:
            tables.problems.extend(error.problems)
            continue
        for sheet in sheets:
            visible = visible_part(sheet, Hidden.REFUSE, tables.problems, tables.notes)
            if visible is not None:
                tables.equipment.extend(records(visible, COLUMNS, today, tables))
    tables.problems.extend(_contradictions(tables.equipment))
    if not tables.equipment and not tables.problems:
        none = "holds no row of agreements"
        tables.problems.extend(Problem(one.name, 0, "", none) for one in files)
    if tables.problems:
        raise LedgerError(tables.problems)
    return [(row, _agreement(row)) for row in tables.equipment]


def _contradictions(rows: Sequence[Record]) -> list[Problem]:
    found, seen = [], set[tuple[Value, Value]]()
    for row in rows:
        first, last = row.values.get("agreed_from"), row.values.get("agreed_to")
        if isinstance(first, date) and isinstance(last, date) and last < first:
            found.append(row.problem("agreed_to", f"{last} is before {first}, on which it begins"))
        key = row.values.get("uscc"), row.values.get("agreement")
        if None not in key and key in seen:
            found.append(
                row.problem("agreement", f"agreement {key[1]} of {key[0]} stands here twice")
            )
        seen.add(key)
    return found


def _agreement(row: Record) -> Agreement:
    values = row.values
    first, last, points = values["agreed_from"], values.get("agreed_to"), values["points"]
    assert isinstance(first, date) and isinstance(points, tuple)  # noqa: S101 - required
    return Agreement(
        str(values["uscc"]),
        str(values["agreement"]),
        str(values["document"]),
        str(values["purposes"]),
        first,
        last if isinstance(last, date) else None,
        points,
        str(values["said_by"]),
    )
