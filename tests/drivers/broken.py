"""A Modbus driver that stands alone, for tests of the kit to take apart."""

from gateway.drivers.modbus import driver as modbus
from gateway.drivers.modbus.config import Connection
from gateway.drivers.modbus.link import ModbusLink


class ModbusDriver(modbus.ModbusDriver):
    """Not broken: a unit on a link of its own."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(ModbusLink([connection]), connection)
