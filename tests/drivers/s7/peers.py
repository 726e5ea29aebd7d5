"""A controller by others: the server of python-snap7."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from snap7.server import Server
from snap7.type import SrvArea

from tests.support.peers import free_port


@dataclass(frozen=True)
class Controller:
    """A running server and its memory."""

    port: int
    db: bytearray
    memory: bytearray
    inputs: bytearray
    timers: bytearray
    counters: bytearray


@contextmanager
def snap7_server() -> Iterator[Controller]:
    """DB1 and DB10 with 600 bytes, M, I, Q, timers and counters."""
    server = Server(log=False)
    areas = [bytearray(600) for _ in range(6)]
    db, memory, inputs, outputs, timers, counters = areas
    server.register_area(SrvArea.DB, 10, db)
    server.register_area(SrvArea.DB, 1, bytearray(600))
    for area, data in (
        (SrvArea.MK, memory),
        (SrvArea.PE, inputs),
        (SrvArea.PA, outputs),
        (SrvArea.TM, timers),
        (SrvArea.CT, counters),
    ):
        server.register_area(area, 0, data)
    port = free_port()
    server.start(tcp_port=port)
    try:
        yield Controller(port, db, memory, inputs, timers, counters)
    finally:
        server.stop()
