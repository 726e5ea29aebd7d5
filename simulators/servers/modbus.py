"""The Modbus TCP server of a line: pymodbus serves, each machine is a unit."""

import logging
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import cast

from pymodbus.pdu import ModbusPDU
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from pymodbus.simulator.simcore import SimCore

from simulators.manual import Unit
from simulators.servers.registers import Image, write
from simulators.servers.serving import port_in_use

Block = tuple[int, int, list[int], list[int]]
"""First address, count, registers and flags of a table inside pymodbus."""
_GAP = 16
"""A data block of a controller lets unused registers of up to this many be read, as 0."""
_NOTHING = cast(ModbusPDU, None)
"""pymodbus answers nothing to it."""
_BLOCKS = {"coil": "c", "discrete": "d", "holding": "h", "input": "i"}
"""Names of the tables here and inside pymodbus."""


def _bits(table: Mapping[int, int]) -> list[SimData]:
    """One block of bits from address 0; pymodbus wants a block for every table."""
    count = (max(table, default=0) // 16 + 1) * 16
    values = [bool(table.get(address, 0)) for address in range(count)]
    return [SimData(0, values=values, datatype=DataType.BITS)]


def _words(table: Mapping[int, int]) -> list[SimData]:
    """Blocks of registers, small gaps included; any other address is illegal."""
    if not table:
        return [SimData(0, datatype=DataType.INVALID)]
    kind = DataType.REGISTERS
    return [
        SimData(block[0], values=[table.get(at, 0) for at in block], datatype=kind, readonly=True)
        for block in blocks(sorted(table))
    ]


def blocks(addresses: Sequence[int]) -> list[range]:
    """Ascending addresses as ranges; nearer than ``_GAP`` they belong together."""
    found = [range(addresses[0], addresses[0] + 1)]
    for address in addresses[1:]:
        near = address - found[-1].stop < _GAP
        start = found.pop().start if near else address
        found.append(range(start, address + 1))
    return found


class ModbusLine:
    """A Modbus TCP server whose units are machines.

    Unknown and dead units stay silent, as behind a serial gateway.
    """

    def __init__(
        self, host: str, port: int, units: Mapping[int, Unit], dead: AbstractSet[int] = frozenset()
    ) -> None:
        self._at = (host, port)
        self._units = units
        self._silent = dead
        self._images: dict[int, Image] = {number: _image(unit) for number, unit in units.items()}
        self._server: ModbusTcpServer | None = None
        self._core: SimCore | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            PortInUseError: the port cannot be listened on.
        """
        # The library logs what clients do wrong, and here they do it on purpose.
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
        devices = [_device(number, image) for number, image in self._images.items()]
        server = ModbusTcpServer(devices, address=self._at, trace_pdu=self._heard)
        if not await server.listen():
            raise port_in_use(*self._at, "Modbus TCP")
        self._server, self._core = server, cast(SimCore, server.context)

    def _heard(self, sending: bool, pdu: ModbusPDU) -> ModbusPDU:
        """What pymodbus is to believe it heard: nothing, if the unit is silent."""
        answers = pdu.dev_id in self._units and pdu.dev_id not in self._silent
        return pdu if sending or answers else _NOTHING

    async def refresh(self) -> None:
        """Show the machines as they are now."""
        if self._core is None:
            return
        for number, unit in self._units.items():
            if unit.frozen:
                continue
            image = self._images[number]
            write(unit, image)
            # In place: a new block for each refresh would cost more than serving does.
            blocks = self._core.devices[number].block
            for table, name in _BLOCKS.items():
                _copy(image[table], blocks[name], bits=table in ("coil", "discrete"))

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            await self._server.shutdown()
            self._server = None


def _image(unit: Unit) -> Image:
    image: Image = {table: {} for table in _BLOCKS}
    write(unit, image)
    return image


def _device(number: int, image: Image) -> SimDevice:
    blocks = (
        _bits(image["coil"]),
        _bits(image["discrete"]),
        _words(image["holding"]),
        _words(image["input"]),
    )
    return SimDevice(number, simdata=blocks)


def _copy(table: Mapping[int, int], block: Block, *, bits: bool) -> None:
    start, _, registers, _ = block
    if not bits:
        for address, word in table.items():
            registers[address - start] = word
        return
    for address, bit in table.items():
        mask, at = 1 << address % 16, address // 16 - start
        registers[at] = registers[at] & ~mask | (mask if bit else 0)
