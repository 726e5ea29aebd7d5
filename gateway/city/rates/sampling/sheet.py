"""The sheet that people take along, and what they have written into it. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from edge_config.tables.written import WrittenColumn, WrittenSheet
from gateway.city.ledger.codes import Name
from gateway.city.ledger.sheet.columns.column import USCC, YES_NO, Column
from gateway.city.ledger.sheet.columns.tables import headers
from gateway.city.ledger.sheet.parsing import Record, parse_rows
from gateway.city.ledger.sheet.problems import LedgerError, Problem
from gateway.city.ledger.sheet.reading import LedgerSheet
from gateway.city.ledger.sheet.values import ledger_number, plain, prose, yes_no
from gateway.city.rates.sampling.design import Looked
from gateway.city.rates.sampling.drawing import Drawn

_ANSWER = Name("是或否", "yes or no")


class Seen(NamedTuple):
    """What somebody saw of a machine that was drawn.

    Attributes:
        draw: number of the draw of its enterprise.
        uscc: of the enterprise.
        site_no: site.
        asset_no: number in the ledger.
        expected: the month counts it as networked.
        found: it stands there.
        connected: it was connected when somebody looked.
        photo: file name or number; empty: none.
    """

    draw: int
    uscc: str
    site_no: str
    asset_no: str
    expected: bool
    found: bool
    connected: bool
    photo: str = ""

    @property
    def differs(self) -> bool:
        """It was found otherwise than the month counts it (不符)."""
        return self.connected != self.expected


def _draw(text: str, _today: date) -> int:
    digits = plain(text).removesuffix(".0")
    if not digits.isdecimal():
        raise ValueError(f"{text!r} is no number of a draw; leave the column as it was")
    return int(digits)


COLUMNS = (
    Column("draw", Name("抽样序号", "Draw"), _draw, Name("勿改", "leave it"), required=True),
    USCC,
    Column("enterprise", Name("企业", "Enterprise"), prose(200), Name("", "")),
    Column("site_no", Name("厂区", "Site"), ledger_number(16), Name("勿改", "leave it"), True),
    Column("asset_no", Name("资产编号", "Asset number"), ledger_number(64), Name("", ""), True),
    Column("name", Name("设备名称", "Machine"), prose(100), Name("", "")),
    Column("expected", Name("计为已联网", "Counted as networked"), yes_no, _ANSWER, True, YES_NO),
    Column("found", Name("现场找到", "Found"), yes_no, _ANSWER, True, YES_NO),
    Column("connected", Name("现场已联网", "Connected"), yes_no, _ANSWER, True, YES_NO),
    Column(
        "photo", Name("照片编号", "Photo"), prose(200), Name("文件名或编号", "name of the file")
    ),
)
TITLES = frozenset(headers(COLUMNS))


def sheet_of(drawn: Sequence[Drawn], month: str, seed: str) -> WrittenSheet:
    """The sheet to fill in; found, connected and photo are empty."""
    columns = [
        WrittenColumn(one.header.zh, one.note.zh, [name.zh for name in one.choices.values()])
        for one in COLUMNS
    ]
    rows = [
        [
            str(one.draw), one.uscc, one.enterprise, one.site_no, one.asset_no, one.name,
            "是" if one.expected else "否", "", "", "",
        ]
        for one in drawn
    ]  # fmt: skip
    above = [[f"设备联网现场核查抽样表 {month}", f"抽样种子 {seed}"]]
    return WrittenSheet("现场核查", columns, rows, above)


def looked_at(sheets: Iterable[LedgerSheet], drawn: Sequence[Drawn], today: date) -> list[Seen]:
    """What people have seen of each machine.

    Args:
        sheets: of the file.
        drawn: the machines of the sample: all of them and no others must be in the sheets.
        today: of the import.

    Raises:
        LedgerError: every mistake, by file, row and column; what is not filled in is one.
    """
    records, problems = parse_rows(sheets, COLUMNS, today)
    wanted = {(one.draw, one.uscc, one.site_no, one.asset_no): one for one in drawn}
    seen: dict[tuple[object, ...], Record] = {}
    for record in records:
        key = tuple(record.values.get(name) for name in ("draw", "uscc", "site_no", "asset_no"))
        if key not in wanted and None not in key:
            problems.append(record.problem("asset_no", "was not drawn; look for what was"))
        elif seen.setdefault(key, record) is not record:
            problems.append(record.problem("asset_no", "is in the sheet twice"))
        if is_contradiction(
            found=record.values.get("found") is not False,
            connected=record.values.get("connected") is True,
        ):
            problems.append(record.problem("connected", "was not found, so it is not connected"))
    lacking = [one for key, one in wanted.items() if key not in seen]
    if lacking and not problems:
        named = ", ".join(f"{one.uscc}/{one.site_no}/{one.asset_no}" for one in lacking[:5])
        message = f"machines of the sample that have no row: {len(lacking)}, as {named}"
        problems.append(Problem("", 0, "", f"{message}; who is left out would decide the rate"))
    if problems:
        raise LedgerError(problems)
    return [_seen(one) for one in seen.values()]


def is_contradiction(*, found: bool, connected: bool) -> bool:
    """Whether a machine is said to be connected that was not found."""
    return connected and not found


def _seen(one: Record) -> Seen:
    values = one.values
    number = values["draw"]
    assert isinstance(number, int)  # noqa: S101 - the column's converter made it
    uscc, site_no, asset_no = (str(values[name]) for name in ("uscc", "site_no", "asset_no"))
    expected, found, connected = (
        values[name] is True for name in ("expected", "found", "connected")
    )
    photo = str(values.get("photo") or "")
    return Seen(number, uscc, site_no, asset_no, expected, found, connected, photo)


def by_draw(seen: Iterable[Seen]) -> list[Looked]:
    """What was seen of each draw."""
    draws: dict[int, list[Seen]] = defaultdict(list)
    for one in seen:
        draws[one.draw].append(one)
    return [
        Looked(len(rows), sum(one.found for one in rows), sum(one.connected for one in rows))
        for rows in draws.values()
    ]
