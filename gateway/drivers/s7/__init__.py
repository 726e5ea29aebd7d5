"""Siemens SIMATIC controllers by S7 communication (PUT/GET). See docs/drivers/s7.md.

``address``, ``codec``, ``config``, ``plan`` and ``values`` know nothing of the protocol library;
it is imported with ``driver``, when a configured device needs it.
"""

from pathlib import Path

from gateway.drivers.api import Driver
from gateway.drivers.frames import Frame
from gateway.drivers.s7.address import Address, extent, kind, read_only
from gateway.drivers.s7.config import Connection, endpoint, misfits, unit
from gateway.drivers.s7.search.target import EXAMPLE, target
from gateway.drivers.search import Probe
from gateway.drivers.spec import DriverSpec, Example, SearchSpec, installed


def _make(connection: Connection) -> Driver:
    with installed("s7"):
        from gateway.drivers.s7.driver import S7Driver  # noqa: PLC0415 - loads the library
    return S7Driver(connection)


def _probe() -> Probe:
    with installed("s7"):
        from gateway.drivers.s7.search.probe import S7Probe  # noqa: PLC0415 - loads the library
    return S7Probe()


def _explain(frame: Frame) -> str:
    from gateway.drivers.s7.explaining import explain  # noqa: PLC0415 - only to look

    return explain(frame)


SPEC = DriverSpec(
    name="s7",
    title_zh="西门子 S7",
    title_en="Siemens S7 (S7 communication)",
    connection=Connection,
    address=Address,
    kind=kind,
    extent=extent,
    read_only=read_only,
    make=_make,
    examples=(
        Example("DB10.DBD8:real", "数据块 10 第 8 字节起的实数", "REAL at byte 8 of DB10"),
        Example("DB10.DBW4:int", "数据块 10 第 4 字节起的整数", "INT at byte 4 of DB10"),
        Example("DB1.DBX0.3", "数据块 1 第 0 字节第 3 位", "bit 3 of byte 0 of DB1"),
        Example("MW10", "标志字 MW10", "memory word 10"),
        Example("I0.0", "输入 I0.0（E0.0 亦可）", "input 0.0, E0.0 in German"),
        Example("Q0.1", "输出 Q0.1（A0.1 亦可）", "output 0.1, A0.1 in German"),
        Example("DB1.DBB20:string[16]", "声明为 STRING[16] 的文本", "a STRING[16]"),
        Example("DB1.DBB40:dtl", "日期时间 DTL", "a DTL"),
        Example("T5", "定时器 T5，单位为秒", "timer 5, seconds"),
        Example("C3", "计数器 C3", "counter 3"),
    ),
    endpoint=endpoint,
    unit=unit,
    misfits=misfits,
    explain=_explain,
    search=SearchSpec(target, EXAMPLE, probe=_probe),
    sentences=Path(__file__).with_name("sentences.toml"),
)
