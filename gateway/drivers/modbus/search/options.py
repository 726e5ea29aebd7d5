"""What a person may say of a search for Modbus units. Pure."""

from typing import Annotated

from edge_config.models.settings import Field, Rule
from gateway.drivers.modbus.codec import ADDRESSES, Table
from gateway.drivers.modbus.search.mapping import numbers
from gateway.drivers.search import SearchOptions

MOST_UNIT = 255


def _units(text: str) -> str:
    list(numbers(text, MOST_UNIT))
    return text


def _addresses(text: str) -> str:
    list(numbers(text, ADDRESSES - 1))
    return text


def _tables(text: str) -> str:
    names = text.replace("，", ",").replace(" ", "").split(",")
    strange = [name for name in names if name not in SEARCHED]
    if strange:
        raise ValueError(f"there is no table {strange[0]!r}; there are {', '.join(SEARCHED)}")
    return ",".join(names)


SEARCHED = (Table.HOLDING, Table.INPUT, Table.COIL, Table.DISCRETE)


class Options(SearchOptions):
    """How to look for units, and at what."""

    unit: Annotated[str, Rule(_units)] = Field(
        default="1-247",
        description="unit ids to ask, as 1-10,20",
        title_zh="站号",
        title_en="Units",
    )
    tables: Annotated[str, Rule(_tables)] = Field(
        default="holding,input",
        description="tables to map; also coil and discrete",
        title_zh="寄存器类型",
        title_en="Tables",
    )
    addresses: Annotated[str, Rule(_addresses)] = Field(
        default="0-255",
        description="addresses to map, as on the wire, besides those of known machine profiles",
        title_zh="地址范围",
        title_en="Addresses",
    )
    map: bool = Field(
        default=True,
        description="find out which addresses each unit has",
        title_zh="找出可读的地址",
        title_en="Find what can be read",
    )
    requests: int = Field(
        default=800,
        ge=1,
        le=200_000,
        description="most requests to map one table of one unit",
        title_zh="每站每类最多请求数",
        title_en="Most requests a table",
    )
    timeout_ms: int = Field(
        default=500,
        ge=20,
        le=60_000,
        description="longest wait for one answer",
        title_zh="应答超时（毫秒）",
        title_en="Time-out (ms)",
    )
