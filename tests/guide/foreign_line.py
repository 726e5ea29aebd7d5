"""The line of the integrator's guide: two units of another library on a pseudo-terminal.

As a process: its argument is a folder, in which it makes ``by-id/`` with the port.
"""

import asyncio
import struct
import sys
from pathlib import Path

from pymodbus.framer import FramerType
from pymodbus.pdu import ModbusPDU
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tests.support.terminals import Cable

PORT = "usb-FTDI_FT232R_A1-if00-port0"
METER, OVEN = 7, 3


def _floats(*values: float) -> list[int]:
    return list(struct.unpack(f">{2 * len(values)}H", struct.pack(f">{len(values)}f", *values)))


def _table(*values: int) -> list[SimData]:
    return [SimData(0, values=list(values), datatype=DataType.REGISTERS)]


def _unit(number: int, holding: list[SimData], inputs: list[SimData]) -> SimDevice:
    bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    return SimDevice(number, (bits, bits, holding, inputs))


def _meter() -> SimDevice:
    """Looks like an SDM630: float32 in input registers."""
    words = [0] * 80
    for at, value in {0: 229.4, 2: 230.1, 4: 228.7, 6: 18.25, 52: 12040.0, 70: 49.98}.items():
        words[at : at + 2] = _floats(value)
    words[72:74] = _floats(48211.5)
    return _unit(METER, _table(0, 0), _table(*words))


def _oven() -> SimDevice:
    """Known to nobody: tenths of a degree, and a count with its low word first."""
    words = [0] * 40
    words[10:13] = [1853, 1850, 440]
    words[20:22] = [1234, 7]
    words[30] = 3
    return _unit(OVEN, _table(*words), [SimData(0, datatype=DataType.INVALID)])


def _heard(sending: bool, pdu: ModbusPDU) -> ModbusPDU:
    """Other units are silent, as on a real line; pymodbus answers nothing to nothing."""
    return pdu if sending or pdu.dev_id in (METER, OVEN) else None  # type: ignore[return-value]


async def _serve(folder: Path) -> None:
    wires, names = folder / "wires", folder / "by-id"
    for one in (wires, names):
        one.mkdir(parents=True)
    cable = Cable(wires)
    server = ModbusSerialServer(
        [_meter(), _oven()],
        framer=FramerType.RTU,
        port=str(cable.far.link),
        baudrate=9_600,
        trace_pdu=_heard,
    )
    await server.serve_forever(background=True)
    (names / PORT).symlink_to(cable.near.link)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
