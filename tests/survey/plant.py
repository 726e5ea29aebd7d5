"""A Modbus server of another library with holes and units, and the command line."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

from pymodbus import ModbusDeviceIdentification
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tests.support.peers import free_port

Registers = Mapping[int, list[int]]
"""First address → values; what is not there is exception 2."""


def device(unit: int, holding: Registers, inputs: Registers) -> SimDevice:
    bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]

    def table(registers: Registers) -> list[SimData]:
        return [
            SimData(at, values=values, datatype=DataType.REGISTERS)
            for at, values in registers.items()
        ]

    return SimDevice(unit, (bits, bits, table(holding), table(inputs)))


@asynccontextmanager
async def serving(*devices: SimDevice, **identity: str) -> AsyncIterator[int]:
    port = free_port()
    names = ModbusDeviceIdentification(info_name=dict(identity))
    server = ModbusTcpServer(list(devices), address=("127.0.0.1", port), identity=names)
    await server.serve_forever(background=True)
    try:
        yield port
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


_INTERRUPTIBLE = (
    "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "runpy.run_module('gateway', run_name='__main__', alter_sys=True)"
)


@contextmanager
def command(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """``qulink`` as a process of its own, which can be interrupted.

    A shell lets what runs in the background ignore interrupts, and children inherit that.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTIBLE, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
