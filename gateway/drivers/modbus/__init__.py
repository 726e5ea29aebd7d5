"""Modbus over TCP, UDP, TLS and serial lines: own codec and planner."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge_config.loading.resolved import ResolvedDevice
from gateway.drivers.api import Value
from gateway.drivers.frames import Frame
from gateway.drivers.modbus.address import Address, elements, kind, raw_type
from gateway.drivers.modbus.config import Connection, endpoint, key, unit
from gateway.drivers.modbus.notations.manuals import in_notation, noted, noted_fields, unclear
from gateway.drivers.modbus.reach.contradictions import conflicts, misfits, one_function, strays
from gateway.drivers.modbus.search.options import Options
from gateway.drivers.modbus.search.target import EXAMPLE, target
from gateway.drivers.modbus.types.overlaps import doubtful, extent
from gateway.drivers.modbus.types.parts import read_only
from gateway.drivers.search import Detective, InOrder, Probe
from gateway.drivers.spec import DriverSpec, Example, LinkSpec, SearchSpec

if TYPE_CHECKING:
    from gateway.drivers.modbus.driver import ModbusDriver
    from gateway.drivers.modbus.link import ModbusLink


def _link(connections: Sequence[Connection]) -> "ModbusLink":
    from gateway.drivers.modbus.link import ModbusLink  # noqa: PLC0415 - only when used

    return ModbusLink(connections)


def _doubts(devices: Sequence[ResolvedDevice]) -> Iterator[str]:
    from gateway.drivers.modbus.demand import doubts  # noqa: PLC0415 - only where it is checked

    yield from one_function(devices)
    yield from doubts(devices)


def _impossible(devices: Sequence[ResolvedDevice]) -> Iterator[str]:
    from gateway.drivers.modbus.demand import impossible  # noqa: PLC0415 - as above

    return impossible(devices)


def _share(devices: Sequence[ResolvedDevice]) -> float | None:
    from gateway.drivers.modbus.demand import share  # noqa: PLC0415 - only where it is looked at

    return share(devices)


def _explain(frame: Frame) -> str:
    from gateway.drivers.modbus.framing.explaining import explain  # noqa: PLC0415 - only to look

    return explain(frame)


def _make(connection: Connection) -> "ModbusDriver":
    return _link([connection]).driver(connection)


def _detective() -> Detective:
    from gateway.drivers.modbus.search.detective import ModbusDetective  # noqa: PLC0415 - as above

    return ModbusDetective()


def _held(connection: Connection, address: Address, value: Value) -> bytes | None:
    from gateway.drivers.modbus.search.registers import held  # noqa: PLC0415 - as above

    return held(connection, address, value)


def _in_orders(connection: Connection, address: Address, body: bytes) -> list[InOrder]:
    from gateway.drivers.modbus.search.registers import in_orders  # noqa: PLC0415 - as above

    return in_orders(connection, address, body)


def _probe() -> Probe:
    from gateway.drivers.modbus.search.probe import ModbusProbe  # noqa: PLC0415 - as above

    return ModbusProbe()


SPEC = DriverSpec(
    name="modbus",
    title_zh="Modbus",
    title_en="Modbus",
    connection=Connection,
    address=Address,
    kind=kind,
    noted=noted,
    noted_fields=noted_fields,
    doubtful=doubtful,
    elements=elements,
    extent=extent,
    raw_type=raw_type,
    strays=strays,
    read_only=read_only,
    make=_make,
    examples=(
        Example("holding:100:uint16", "保持寄存器 100，16 位无符号整数", "holding register 100"),
        Example("holding:100:float32:CDAB", "单精度浮点数，低字在前", "float, low word first"),
        Example("40101:int32", "手册中的 40101，32 位有符号整数", "40101 of a manual, 32 bits"),
        Example("holding:7.3", "保持寄存器 7 的第 3 位", "bit 3 of holding register 7"),
        Example(
            "holding:7.4-7", "保持寄存器 7 的第 4 至 7 位", "bits 4 to 7 of holding register 7"
        ),
        Example("holding:7.8:uint8", "保持寄存器 7 的高字节", "high byte of holding register 7"),
        Example("holding:100:uint32:bcd", "8 位 BCD 码", "eight decimal digits"),
        Example("holding:100:int16[8]", "8 个 16 位整数的数组", "array of eight integers"),
        Example("coil:5", "线圈 5", "coil 5"),
        Example("file4:7:float32", "文件 4 的记录 7，单精度", "record 7 of file 4, float"),
        Example("input:0x10:string[4]:gbk", "输入寄存器 16 起的 8 字节中文", "8 bytes of Chinese"),
    ),
    endpoint=endpoint,
    unit=unit,
    unit_name=lambda connection: f"unit {connection.unit}",
    misfits=misfits,
    in_notation=in_notation,
    unclear=unclear,
    explain=_explain,
    link=LinkSpec(key, _link, conflicts, _doubts, _impossible, _share),
    search=SearchSpec(target, EXAMPLE, _detective, _probe, Options, _held, _in_orders),
    sentences=Path(__file__).with_name("sentences.toml"),
)
