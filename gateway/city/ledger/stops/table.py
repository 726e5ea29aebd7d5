"""The table of planned stops: its columns, and what one of them says. Pure."""

from dataclasses import dataclass
from datetime import date

from gateway.city.ledger.codes import Name
from gateway.city.ledger.sheet.columns.column import USCC, Column
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
