"""Modbus TCP: own codec and planner; functions 1–6, 15 and 16."""

from typing import TYPE_CHECKING

from gateway.drivers.api import DriverSpec
from gateway.drivers.modbus.config import Address, Connection, endpoint, kind, misfits

if TYPE_CHECKING:
    from gateway.drivers.modbus.driver import ModbusDriver


def _make(connection: Connection) -> "ModbusDriver":
    from gateway.drivers.modbus.driver import ModbusDriver  # noqa: PLC0415 - only when used

    return ModbusDriver(connection)


SPEC = DriverSpec(
    name="modbus",
    title_zh="Modbus TCP",
    title_en="Modbus TCP",
    connection=Connection,
    address=Address,
    kind=kind,
    make=_make,
    endpoint=endpoint,
    misfits=misfits,
)
