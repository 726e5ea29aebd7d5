"""A SIMATIC controller: python-snap7 serves, the machine is in its data blocks."""

import asyncio
import logging
from collections.abc import Iterable

from snap7.error import S7Error
from snap7.server import Server
from snap7.type import SrvArea

from simulators.manual import Cell, Unit
from simulators.servers.registers import raw_bytes
from simulators.servers.serving import port_in_use

BLOCK_BYTES = 512
"""Of each data block and area."""
_AREAS = {"M": SrvArea.MK, "I": SrvArea.PE, "Q": SrvArea.PA}


class SimaticController:
    """One controller: shows its machine in its data blocks, as its program would."""

    def __init__(self, host: str, port: int, unit: Unit) -> None:
        self._at = (host, port)
        self._unit = unit
        self._server: Server | None = None
        self._blocks: dict[str, bytearray] = {
            block: bytearray(BLOCK_BYTES) for block in (*_AREAS, *_data_blocks(unit))
        }

    async def start(self) -> None:
        """Listen.

        Raises:
            PortInUseError: the port cannot be listened on.
        """
        logging.getLogger("snap7").setLevel(logging.CRITICAL)
        await self.refresh()
        server = Server(log=False)
        for block, data in self._blocks.items():
            area = _AREAS.get(block, SrvArea.DB)
            server.register_area(area, 0 if block in _AREAS else int(block[2:]), data)
        try:
            server.start_to(self._at[0], self._at[1])
        except (S7Error, OSError) as error:
            raise port_in_use(*self._at, "S7 communication") from error
        self._server = server

    async def refresh(self) -> None:
        """Show the machine as it is now."""
        for entry in self._unit.manual.entries:
            if isinstance(entry.place, Cell):
                self._show(entry.place, self._unit.raw(entry))

    def _show(self, place: Cell, value: float | bool | str) -> None:
        block = self._blocks[place.block]
        if place.type == "bool":
            mask = 1 << (place.bit or 0)
            kept = block[place.start] & ~mask
            block[place.start] = kept | (mask if value else 0)
            return
        raw = raw_bytes(value, place.type, place.length, "big")
        if place.type == "string":
            text = raw.rstrip(b"\0")
            raw = bytes((len(raw), len(text))) + raw
        block[place.start : place.start + len(raw)] = raw

    async def stop(self) -> None:
        """Close the port and every connection; the library waits for its threads."""
        server, self._server = self._server, None
        if server is not None:
            await asyncio.to_thread(server.stop)


def _data_blocks(unit: Unit) -> Iterable[str]:
    places = (entry.place for entry in unit.manual.entries)
    return {place.block for place in places if isinstance(place, Cell)} - _AREAS.keys()
