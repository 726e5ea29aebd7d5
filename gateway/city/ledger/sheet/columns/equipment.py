"""The columns of the table of equipment. Pure."""

from edge_config.models.ledger_number import MAX_ASSET_NO, MAX_SITE_NO
from gateway.city.ledger.codes import EQUIPMENT_CLASSES, STATUSES, Name
from gateway.city.ledger.sheet.amounts import amount
from gateway.city.ledger.sheet.columns.column import USCC, VALID_FROM, YES_NO, Column
from gateway.city.ledger.sheet.values import (
    choice,
    code,
    commissioning_day,
    ledger_number,
    past_day,
    prose,
    yes_no,
)
from gateway.identifier.codes.handle import MAX_HANDLE

EQUIPMENT = (
    USCC,
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
        "documents",
        Name("凭证", "Documents"),
        prose(300),
        Name(
            "发票号、铭牌照片编号，或存放位置",
            "number of the invoice or of a photo of the nameplate, or where they are kept",
        ),
    ),
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
    VALID_FROM,
)
