"""Modbus TCP and RTU over TCP: own codec and planner; functions 1–6, 15 and 16."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from edge_config.loading.resolved import ResolvedDevice
from gateway.drivers.modbus.address import Address, in_notation, kind, unclear
from gateway.drivers.modbus.config import Connection, conflicts, endpoint, misfits, unit
from gateway.drivers.spec import DriverSpec, LinkSpec

if TYPE_CHECKING:
    from gateway.drivers.modbus.driver import ModbusDriver
    from gateway.drivers.modbus.link import ModbusLink


def _link(connections: Sequence[Connection]) -> "ModbusLink":
    from gateway.drivers.modbus.link import ModbusLink  # noqa: PLC0415 - only when used

    return ModbusLink(connections)


def _doubts(devices: Sequence[ResolvedDevice]) -> Iterator[str]:
    from gateway.drivers.modbus.demand import doubts  # noqa: PLC0415 - only where it is checked

    return doubts(devices)


def _make(connection: Connection) -> "ModbusDriver":
    return _link([connection]).driver(connection)


SPEC = DriverSpec(
    name="modbus",
    title_zh="Modbus TCP",
    title_en="Modbus TCP",
    connection=Connection,
    address=Address,
    kind=kind,
    make=_make,
    endpoint=endpoint,
    unit=unit,
    misfits=misfits,
    in_notation=in_notation,
    unclear=unclear,
    link=LinkSpec(key=endpoint, make=_link, conflicts=conflicts, doubts=_doubts),
)
