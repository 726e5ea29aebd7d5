"""The table of data agreements: its columns. Pure."""

from datetime import date

from gateway.city.ledger.agreements.agreement import read_points
from gateway.city.ledger.codes import Name
from gateway.city.ledger.sheet.columns.column import USCC, Column
from gateway.city.ledger.sheet.values import Value, day, prose

SHEET = Name("数据协议", "Data agreements")


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
