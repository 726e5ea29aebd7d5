"""The metadata template of a machine: which values are kept beside its identifier. Pure.

Names follow the IDTA Digital Nameplate and OPC UA Machinery. An index is never reused; new items
are added at the end.
"""

from collections.abc import Mapping
from dataclasses import dataclass

FIRST_INDEX = 2000
"""Items begin here; 1000 and 1001 are the node's own."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a template: a text of bounded length.

    Attributes:
        index: ``idIndex``, at least 2000.
        type: ``idType``, English name.
        name: Chinese name.
        required: a registration without it is refused.
        minimum: fewest characters.
        maximum: most characters, at most 255.
    """

    index: int
    type: str
    name: str
    required: bool
    minimum: int
    maximum: int


EQUIPMENT_ITEMS = (
    Item(2000, "equipName", "设备名称", True, 1, 100),
    Item(2001, "equipModel", "设备型号", True, 1, 100),
    Item(2002, "manufacturer", "生产厂家", True, 1, 100),
    Item(2003, "serialNo", "出厂编号", True, 1, 64),
    Item(2004, "enterpriseUscc", "所属企业统一社会信用代码", True, 18, 18),
    Item(2005, "equipClass", "设备分类代码", False, 1, 32),
    Item(2006, "assetNo", "资产/台账编号", False, 0, 64),
    Item(2007, "productionDate", "出厂日期", False, 10, 10),
    Item(2008, "installDate", "投用日期", False, 10, 10),
    Item(2009, "location", "安装位置", False, 0, 128),
    Item(2010, "accessProtocol", "接入协议", False, 0, 64),
    Item(2011, "gatewayId", "接入网关标识", False, 0, 255),
    Item(2012, "runStatus", "设备状态", False, 0, 16),
    Item(2013, "ratedParams", "额定参数", False, 0, 255),
    Item(2014, "softwareVersion", "软硬件版本", False, 0, 64),
    Item(2015, "dataUrl", "数据服务地址", False, 0, 255),
    Item(2016, "otherIds", "其他编码", False, 0, 255),
    Item(2017, "updateTime", "更新时间", False, 19, 19),
)
WITHDRAWAL_REASON = Item(2018, "withdrawalReason", "撤销原因", False, 0, 255)
"""Why an identifier was taken back; machines that are there have none."""
TEMPLATE_ITEMS = (*EQUIPMENT_ITEMS, WITHDRAWAL_REASON)
"""What the template at a node holds; one that was made before an item was added gets it."""

NAME = "工业设备"
INDUSTRY = {
    "industryCategory": "C",
    "industrySpecific": "34",
    "industryTrade": "349",
    "industrySubclass": "3499",
}
"""GB/T 4754, manufacturing of other general equipment: where nodes list the template."""

UNKNOWN = "未知"
"""Stands for a required value that the ledger does not hold."""


def equipment_values(texts: Mapping[str, str]) -> dict[int, str]:
    """Values by index from texts by ``idType``; cut to length, empty optional ones left out.

    Args:
        texts: by ``idType``; may lack any.
    """
    values: dict[int, str] = {}
    for item in EQUIPMENT_ITEMS:
        text = texts.get(item.type, "").strip()[: item.maximum]
        if not text and item.required:
            text = UNKNOWN
        if text:
            values[item.index] = text
    return values


ITEMS_BY_TYPE = {item.type: item for item in TEMPLATE_ITEMS}
TYPES = {item.index: item.type for item in EQUIPMENT_ITEMS}
"""``idType`` by index."""
