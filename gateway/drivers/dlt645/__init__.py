"""Electricity meters by DL/T 645-2007, over serial ports and serial servers. Own codec."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge_config.loading.resolved import ResolvedDevice
from gateway.drivers.dlt645.address import Address, kind, read_only
from gateway.drivers.dlt645.config import Connection, conflicts, endpoint, key, misfits, unit
from gateway.drivers.dlt645.explain import explain
from gateway.drivers.dlt645.search.target import EXAMPLE, target
from gateway.drivers.search import Probe
from gateway.drivers.spec import DriverSpec, Example, LinkSpec, SearchSpec

if TYPE_CHECKING:
    from gateway.drivers.dlt645.driver import DltDriver
    from gateway.drivers.dlt645.link import DltLink


def _link(connections: Sequence[Connection]) -> "DltLink":
    from gateway.drivers.dlt645.link import DltLink  # noqa: PLC0415 - only when used

    return DltLink(connections)


def _doubts(devices: Sequence[ResolvedDevice]) -> Iterator[str]:
    from gateway.drivers.dlt645.demand import doubts  # noqa: PLC0415 - only where it is checked

    return doubts(devices)


def _impossible(devices: Sequence[ResolvedDevice]) -> Iterator[str]:
    from gateway.drivers.dlt645.demand import impossible  # noqa: PLC0415 - as above

    return impossible(devices)


def _share(devices: Sequence[ResolvedDevice]) -> float:
    from gateway.drivers.dlt645.demand import share  # noqa: PLC0415 - only where it is looked at

    return share(devices)


def _probe() -> Probe:
    from gateway.drivers.dlt645.search.probe import DltProbe  # noqa: PLC0415 - only to look

    return DltProbe()


def _make(connection: Connection) -> "DltDriver":
    return _link([connection]).driver(connection)


SPEC = DriverSpec(
    name="dlt645",
    title_zh="DL/T 645-2007 电能表",
    title_en="DL/T 645-2007 electricity meter",
    connection=Connection,
    address=Address,
    kind=kind,
    read_only=read_only,
    make=_make,
    examples=(
        Example("02010100", "A相电压", "voltage of phase A"),
        Example("00010000", "正向有功总电能", "forward active energy"),
        Example("02030000", "总有功功率", "active power"),
        Example("0202FF00[2]", "电流数据块的第 2 个值（B相）", "second value of the current block"),
        Example("04000501.3", "运行状态字 1 的第 3 位", "bit 3 of state word 1"),
        Example("04000101", "日期", "date of the meter"),
        Example("02800002:XX.XX", "带格式的数据标识", "an identifier with its format"),
    ),
    endpoint=endpoint,
    unit=unit,
    unit_name=lambda connection: f"meter {connection.meter}",
    misfits=misfits,
    link=LinkSpec(key, _link, conflicts, _doubts, _impossible, _share),
    explain=explain,
    search=SearchSpec(target, EXAMPLE, probe=_probe),
    sentences=Path(__file__).with_name("sentences.toml"),
)
