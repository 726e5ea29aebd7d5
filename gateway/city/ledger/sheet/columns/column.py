"""What a column of the ledger's tables is, and the one that both have. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.city.ledger.codes import Name
from gateway.city.ledger.sheet.values import Converter, credit_code, effective_day

YES_NO = {"yes": Name("是", "yes"), "no": Name("否", "no")}


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        key: name in the database and English header.
        header: Chinese and English header.
        convert: from text to value.
        note: what to write, for the explanation sheet.
        required: an empty cell is a mistake.
        choices: codes for the drop-down list.
        also: further headers that are known.
    """

    key: str
    header: Name
    convert: Converter
    note: Name
    required: bool = False
    choices: Mapping[str, Name] = field(default_factory=dict)
    also: tuple[str, ...] = ()


USCC = Column(
    "uscc",
    Name("统一社会信用代码", "Unified social credit code"),
    credit_code,
    Name("18 位，末位为校验码", "18 characters, the last is the check digit"),
    required=True,
)

VALID_FROM = Column(
    "valid_from",
    Name("变更生效日期", "Change effective from"),
    effective_day,
    Name(
        "本行所改内容从哪天起如此；留空为导入当日；新设备、新企业不看此列",
        "since when what the row changes is so; empty: the day of import; not for new rows",
    ),
)
