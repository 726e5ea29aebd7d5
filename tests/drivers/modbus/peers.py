"""Modbus servers made by others, on loopback."""

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tests.support.peers import (
    FOREIGN,
    foreign_script,
    free_port,
    missing,
    node,
    program,
    wait_for_port,
)
from tests.support.server import ServerProcess

SIZE = 1_000
"""Addresses of each table that every one of these servers has; beyond is exception 2."""


class _Process(ServerProcess):
    """A server whose last argument is its port."""

    def __init__(self, *command: str) -> None:
        self.port = free_port()
        self._command = [*command, str(self.port)]

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        wait_for_port(self.port)


@contextmanager
def modbus_serial() -> Iterator[int]:
    """The npm ``modbus-serial`` server; all tables writable through coils and holding."""
    with _Process(node(), str(foreign_script("modbus_server.js"))) as server:
        yield server.port


def compiled_libmodbus(folder: Path) -> Path:
    """A program of the C library; its first argument is a TCP port, or a serial port and a unit."""
    compiler = program("gcc", "gcc")
    if not Path("/usr/include/modbus/modbus.h").exists():
        missing("libmodbus", "apt-get install libmodbus-dev")
    binary = folder / "libmodbus_server"
    source = FOREIGN / "libmodbus_server.c"
    subprocess.run([compiler, "-o", str(binary), str(source), "-lmodbus"], check=True, timeout=50)
    return binary


@contextmanager
def libmodbus(folder: Path) -> Iterator[int]:
    """The C library; serves one connection at a time."""
    with _Process(str(compiled_libmodbus(folder))) as server:
        yield server.port


@asynccontextmanager
async def pymodbus() -> AsyncIterator[int]:
    """The Python library with four separate tables."""
    bits = DataType.BITS
    tables = (
        [SimData(0, values=[False] * SIZE, datatype=bits)],
        [SimData(0, values=[i % 3 == 0 for i in range(SIZE)], datatype=bits)],
        [SimData(0, count=SIZE, values=0, datatype=DataType.REGISTERS)],
        [SimData(0, values=[i * 7 for i in range(SIZE)], datatype=DataType.REGISTERS)],
    )
    port = free_port()
    server = ModbusTcpServer(SimDevice(1, tables), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield port
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]
