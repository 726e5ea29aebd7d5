"""The columns of the two ledger tables: one list for import, template and help. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from edge_config.models.ledger_number import MAX_ASSET_NO, MAX_SITE_NO
from edge_config.tables.header import spelled
from gateway.city.ledger.codes import (
    COUNTIES,
    EQUIPMENT_CLASSES,
    FUNCTIONAL_AREAS,
    STATUSES,
    Name,
)
from gateway.city.ledger.sheet.values import (
    Converter,
    amount,
    choice,
    code,
    commissioning_day,
    county,
    credit_code,
    day,
    industry,
    ledger_number,
    past_day,
    prefix_part,
    prose,
    rosters,
    yes_no,
)
from gateway.identifier.codes.handle import MAX_HANDLE

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


_USCC = Column(
    "uscc",
    Name("统一社会信用代码", "Unified social credit code"),
    credit_code,
    Name("18 位，末位为校验码", "18 characters, the last is the check digit"),
    required=True,
)

ENTERPRISE = (
    _USCC,
    Column(
        "name",
        Name("企业名称", "Enterprise name"),
        prose(200),
        Name("营业执照上的名称", "as on the business licence"),
        required=True,
    ),
    Column(
        "county",
        Name("县（市、区）", "County"),
        county,
        Name("经营所在地，GB/T 2260", "where it operates, GB/T 2260"),
        required=True,
        choices=COUNTIES,
    ),
    Column(
        "industry",
        Name("行业代码", "Industry"),
        industry,
        Name("GB/T 4754-2017 小类，4 位数字", "GB/T 4754-2017 class, four digits"),
        required=True,
    ),
    Column(
        "functional_area",
        Name("功能区", "Functional area"),
        choice(FUNCTIONAL_AREAS, "functional area"),
        Name("不在功能区则留空", "empty if in none"),
        choices=FUNCTIONAL_AREAS,
    ),
    Column(
        "above_scale",
        Name("规上", "Above scale"),
        yes_no,
        Name("是否规模以上工业企业", "whether an industrial enterprise above designated size"),
        required=True,
        choices=YES_NO,
    ),
    Column(
        "ledger_verified_by",
        Name("台账核实人", "Ledger verified by"),
        prose(100),
        Name("与核实日期同时填写", "together with the date"),
    ),
    Column(
        "ledger_verified_on",
        Name("台账核实日期", "Ledger verified on"),
        past_day,
        Name("未核实的企业不进入重点企业联网率", "without it the headline rate leaves it out"),
    ),
    Column(
        "identifier_code",
        Name("标识企业代码", "Identifier code"),
        prefix_part,
        Name("标识前缀中的企业部分，由二级节点分配", "enterprise part of its identifier prefix"),
    ),
    Column(
        "roster",
        Name("名录", "Roster"),
        rosters,
        Name(
            "重点工业企业填 KEY，多个用分号隔开；留空不改变原有名录",
            "KEY for key enterprises, several with semicolons; empty changes nothing",
        ),
    ),
    Column(
        "roster_from",
        Name("名录起始日期", "Roster from"),
        day,
        Name("首次列入时必填", "required when it joins"),
    ),
    Column(
        "roster_to",
        Name("名录终止日期", "Roster to"),
        day,
        Name("退出名录的第一天", "first day outside"),
    ),
    Column(
        "roster_approved_by",
        Name("名录批准人", "Roster approved by"),
        prose(100),
        Name("批准文件或批准人", "who approved it"),
    ),
)

EQUIPMENT = (
    _USCC,
    Column(
        "site_no",
        Name("厂区编号", "Site no"),
        ledger_number(MAX_SITE_NO),
        Name("只有一个厂区填 1；留空为 1", "1 for a single site; empty means 1"),
    ),
    Column(
        "asset_no",
        Name("资产编号", "Asset no"),
        ledger_number(MAX_ASSET_NO),
        Name("企业台账编号，同一厂区内唯一", "the enterprise's own number, unique in a site"),
        required=True,
    ),
    Column(
        "name",
        Name("设备名称", "Equipment name"),
        prose(100),
        Name("一台（套）一行", "one row a machine"),
        required=True,
    ),
    Column("workshop", Name("车间", "Workshop"), prose(100), Name("", "")),
    Column("line", Name("产线", "Line"), prose(100), Name("", "")),
    Column("model", Name("型号", "Model"), prose(100), Name("铭牌型号", "as on the nameplate")),
    Column("maker", Name("生产厂家", "Maker"), prose(100), Name("", "")),
    Column("serial_no", Name("出厂编号", "Serial no"), code(64), Name("", "")),
    Column(
        "category",
        Name("分类代码", "Category"),
        code(32),
        Name("GB/T 14885 固定资产分类代码", "GB/T 14885 code"),
    ),
    Column(
        "equipment_class",
        Name("设备类别", "Equipment class"),
        choice(EQUIPMENT_CLASSES, "equipment class"),
        Name("空压机、锅炉、泵等为辅助设备", "compressors, boilers, pumps are auxiliary"),
        required=True,
        choices=EQUIPMENT_CLASSES,
    ),
    Column(
        "key_equipment",
        Name("关键设备", "Key equipment"),
        yes_no,
        Name("留空为否", "empty means no"),
        choices=YES_NO,
    ),
    Column(
        "digital",
        Name("数字化设备", "Digital"),
        yes_no,
        Name("留空为否", "empty means no"),
        choices=YES_NO,
    ),
    Column(
        "controller", Name("控制器", "Controller"), prose(100), Name("品牌和型号", "make, type")
    ),
    Column(
        "interfaces",
        Name("通信接口", "Interfaces"),
        prose(200),
        Name("如 Modbus TCP、OPC UA", "as Modbus TCP, OPC UA"),
    ),
    Column(
        "commissioned_on",
        Name("投用日期", "Commissioned on"),
        commissioning_day,
        Name("次月起计入", "counts from the next month"),
    ),
    Column(
        "status",
        Name("状态", "Status"),
        choice(STATUSES, "status"),
        Name("在用、备用计入，其余不计", "in use and standby count, the others do not"),
        required=True,
        choices=STATUSES,
    ),
    Column(
        "status_since",
        Name("状态起始日期", "Status since"),
        past_day,
        Name("留空：新设备取投用日期，状态变更取导入当日", "empty: commissioning, or today"),
    ),
    Column("original_value_yuan", Name("原值（元）", "Original value"), amount, Name("", "")),
    Column("entered_by", Name("录入人", "Entered by"), prose(100), Name("", "")),
    Column(
        "verified_by",
        Name("核实人", "Verified by"),
        prose(100),
        Name("与核实日期同时填写", "together with the date"),
    ),
    Column("verified_on", Name("核实日期", "Verified on"), past_day, Name("", "")),
    Column(
        "formerly",
        Name("原资产编号", "Former asset no"),
        ledger_number(MAX_ASSET_NO),
        Name(
            "同一台设备换了编号时填写旧编号，数据和标识随设备保留",
            "of a machine that got a new number: the old one; its data and identifier stay",
        ),
    ),
    Column(
        "identifier",
        Name("标识编码", "Identifier"),
        prose(MAX_HANDLE),
        Name("由 qulink id import 读取和回填", "qulink id import reads and fills it in"),
        also=("标识", "标识码", "工业互联网标识", "handle"),
    ),
)

TABLES: Mapping[str, tuple[Column, ...]] = {"enterprise": ENTERPRISE, "equipment": EQUIPMENT}
SHEET_NAMES = {
    "enterprise": Name("企业", "Enterprises"),
    "equipment": Name("设备", "Equipment"),
    "notes": Name("说明", "Notes"),
}


def headers(columns: Sequence[Column]) -> dict[str, Column]:
    """Every accepted spelling of the columns' headers."""
    return {
        spelled(text): column
        for column in columns
        for text in (column.key, column.header.zh, column.header.en, *column.also)
    }


TITLES = frozenset(title for columns in TABLES.values() for title in headers(columns))
"""Every title of both tables, as ``spelled`` gives it."""


def table_of(header: Sequence[str]) -> str | None:
    """Which table a header belongs to; None if it is neither."""
    found = {spelled(text) for text in header}
    if not found & {spelled(text) for text in ("uscc", _USCC.header.zh, _USCC.header.en)}:
        return None
    asset = next(column for column in EQUIPMENT if column.key == "asset_no")
    marks = {spelled(text) for text in (asset.key, asset.header.zh, asset.header.en)}
    return "equipment" if found & marks else "enterprise"


def meant(header: str, columns: Sequence[Column]) -> str:
    """``; did you mean '…'?`` when a known header is near, else nothing."""
    near = get_close_matches(spelled(header), list(headers(columns)), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
