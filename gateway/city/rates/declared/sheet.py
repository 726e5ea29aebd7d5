"""The file of declared values: its columns, and rows with every mistake at once. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from gateway.city.ledger.codes import Name
from gateway.city.ledger.sheet.columns.column import Column
from gateway.city.ledger.sheet.parsing import Record, parse_rows
from gateway.city.ledger.sheet.problems import LedgerError, Problem
from gateway.city.ledger.sheet.reading import LedgerSheet
from gateway.city.ledger.sheet.values import credit_code, plain, prose
from gateway.city.rates.period import month_of

_DAY = r"[-/.](?:0?[1-9]|[12][0-9]|3[01])"
_MONTH = re.compile(rf"([1-9][0-9]{{3}})[-/.年]?(0?[1-9]|1[0-2])(?:月|{_DAY})?")
_COUNT = re.compile(r"[0-9]{1,6}")
_MOST = 1_000_000


def month(text: str, today: date) -> str:
    """``2026-10``, ``2026年10月``, ``202610`` or a day of the month; not a month to come."""
    found = _MONTH.fullmatch(plain(text).split(" ")[0])
    if found is None:
        raise ValueError(f"{text!r} is no month; write YYYY-MM, as 2026-10")
    name = f"{found[1]}-{int(found[2]):02d}"
    if name > month_of(today):
        raise ValueError(f"{name} has not begun; today is {today}")
    return name


def count(text: str, _today: date) -> int:
    """Machines: a whole number; 台 behind it and commas in it are taken off."""
    digits = plain(text).removesuffix("台").replace(",", "").strip()
    digits = digits.removesuffix(".0")
    if _COUNT.fullmatch(digits) is None or int(digits) > _MOST:
        raise ValueError(f"{text!r} is no number of machines; write a whole number, as 120")
    return int(digits)


_USCC_NOTE = Name("18 位", "18 characters")
COLUMNS = (
    Column(
        "uscc", Name("统一社会信用代码", "USCC"), credit_code, Name("18 位", "18 characters"), True
    ),
    Column("month", Name("月份", "Month"), month, Name("如 2026-10", "as 2026-10"), True),
    Column(
        "networked",
        Name("申报联网台数", "Declared networked"),
        count,
        Name("已联网设备台数", "networked machines"),
        True,
        also=("实现联网的生产设备数量", "联网台数"),
    ),
    Column(
        "equipment",
        Name("申报设备台数", "Declared equipment"),
        count,
        Name("设备总台数", "all machines"),
        True,
        also=("生产设备数量", "设备台数", "设备总数"),
    ),
    Column("declared_by", Name("申报人", "Declared by"), prose(100), Name("姓名", "name"), True),
    Column("source", Name("来源", "Source"), prose(300), Name("如 问卷", "as survey"), True),
)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What an enterprise declares of a month.

    Attributes:
        uscc: of the enterprise.
        month: ``YYYY-MM``.
        networked: K, at most N.
        equipment: N.
        declared_by: who declares it.
        source: where, as a questionnaire.
    """

    uscc: str
    month: str
    networked: int
    equipment: int
    declared_by: str
    source: str


def declarations(
    sheets: Iterable[LedgerSheet], today: date, known: frozenset[str]
) -> list[Declaration]:
    """The rows of all sheets.

    Args:
        sheets: of all files.
        today: of the import.
        known: USCCs of the ledger.

    Raises:
        LedgerError: every mistake, by file, row and column.
    """
    records, problems = parse_rows(sheets, COLUMNS, today)
    first: dict[tuple[object, object], Record] = {}
    for record in records:
        problems.extend(_wrong(record, known, first))
    if not records and not problems:
        problems.append(Problem("", 0, "", "there are no rows; a row is an enterprise and month"))
    if problems:
        raise LedgerError(problems)
    return [Declaration(**{key: record.values[key] for key in _KEYS}) for record in records]  # type: ignore[arg-type]


_KEYS = tuple(column.key for column in COLUMNS)


def _wrong(
    record: Record, known: frozenset[str], first: dict[tuple[object, object], Record]
) -> Iterator[Problem]:
    uscc, about = record.values.get("uscc"), record.values.get("month")
    if uscc not in known:
        yield record.problem("uscc", f"{uscc} is not in the ledger; import the enterprise first")
    networked, equipment = record.values.get("networked"), record.values.get("equipment")
    if isinstance(networked, int) and isinstance(equipment, int) and networked > equipment:
        yield record.problem("networked", f"{networked} of {equipment} cannot be networked")
    if about is None:
        return
    before = first.setdefault((uscc, about), record)
    if before is not record:
        place = f"row {before.row} of {before.file}"
        yield record.problem("month", f"{about} of this enterprise is in {place} already")
