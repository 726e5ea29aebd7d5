"""Mitsubishi MELSEC controllers by MC protocol (SLMP), 3E and 4E frames. See docs/drivers/mc.md.

The codec is our own; no protocol library is needed.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge_config.loading.resolved import ResolvedDevice
from gateway.drivers.api import Driver
from gateway.drivers.frames import Frame
from gateway.drivers.mc.address import Address, extent, kind, read_only
from gateway.drivers.mc.config import Connection, endpoint, key, misfits, unit
from gateway.drivers.mc.search.target import EXAMPLE, target
from gateway.drivers.search import Probe
from gateway.drivers.spec import DriverSpec, Example, LinkSpec, SearchSpec

if TYPE_CHECKING:
    from gateway.drivers.mc.link import McLink


def _link(connections: Sequence[Connection]) -> "McLink":
    from gateway.drivers.mc.link import McLink  # noqa: PLC0415 - only when used

    return McLink(connections)


def _make(connection: Connection) -> Driver:
    return _link([connection]).driver(connection)


def _doubts(devices: Sequence[ResolvedDevice]) -> Iterator[str]:
    from gateway.drivers.mc.plan import doubts  # noqa: PLC0415 - only where it is checked

    return doubts(devices)


def _probe() -> Probe:
    from gateway.drivers.mc.search.probe import McProbe  # noqa: PLC0415 - only to look

    return McProbe()


def _explain(frame: Frame) -> str:
    from gateway.drivers.mc.explaining import explain  # noqa: PLC0415 - only to look

    return explain(frame)


SPEC = DriverSpec(
    name="mc",
    title_zh="三菱 MELSEC（MC/SLMP）",
    title_en="Mitsubishi MELSEC (MC protocol, SLMP)",
    connection=Connection,
    address=Address,
    kind=kind,
    extent=extent,
    read_only=read_only,
    make=_make,
    examples=(
        Example("D100:int16", "数据寄存器 D100，16 位有符号整数", "data register D100"),
        Example("D102:float32", "D102 起的单精度浮点数", "float in D102 and D103"),
        Example("D104:uint32", "D104 起的 32 位无符号整数", "32 bits in D104 and D105"),
        Example("D100.F", "数据寄存器 D100 的第 15 位", "bit 15 of D100"),
        Example("M0", "内部继电器 M0", "internal relay M0"),
        Example("X1F", "输入 X1F（十六进制）", "input X1F, hexadecimal"),
        Example("W1A:uint16", "链接寄存器 W1A（十六进制）", "link register W1A, hexadecimal"),
        Example("CN3:int16", "计数器 C3 的当前值", "present value of counter C3"),
        Example("D200:string[10]:gbk", "D200 起的 10 字节中文", "10 bytes of Chinese from D200"),
    ),
    endpoint=endpoint,
    unit=unit,
    misfits=misfits,
    link=LinkSpec(key, _link, doubts=_doubts),
    explain=_explain,
    search=SearchSpec(target, EXAMPLE, probe=_probe),
    sentences=Path(__file__).with_name("sentences.toml"),
)
