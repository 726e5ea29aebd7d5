"""Electricity meters of a workshop on one serial line, by DL/T 645-2007."""

import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from simulators.hostile.frames import FRAMINGS
from simulators.line import meters
from simulators.servers.dlt645 import Held, Meter, MeterLine, clock, number
from simulators.servers.terminal import Terminal

PORT = 15_035
_PHASES = (1, 2, 3)
_RATED_KW = 40.0


class _Load:
    """What flows through a meter: a load that rises and falls, and the energy it has taken.

    Args:
        seed: equal seeds give equal loads.
    """

    def __init__(self, seed: str) -> None:
        dice = Random(seed)
        self._phase = dice.uniform(0, math.tau)
        self._energy = dice.uniform(1_000, 90_000)
        self._began = time.monotonic()

    def _passed(self) -> float:
        return time.monotonic() - self._began

    def volts(self, phase: int) -> float:
        """Of one phase."""
        return 229.0 + 2 * math.sin(self._passed() / 7 + phase)

    def kilowatts(self) -> float:
        """Of all three phases."""
        return _RATED_KW * (0.6 + 0.3 * math.sin(self._passed() / 30 + self._phase))

    def amperes(self, phase: int) -> float:
        """Of one phase."""
        return self.kilowatts() / 3 / self.volts(phase) * 1_000 / 0.95

    def energy(self) -> float:
        """Since it was installed, kWh."""
        return self._energy + 0.6 * _RATED_KW * self._passed() / 3_600


def meter(address: str, seed: int) -> Meter:
    """A meter with three phases."""
    load = _Load(f"{seed}/{address}")
    held: dict[str, Held] = {
        **clock(),
        "00010000": lambda: number(load.energy(), 4, 2),
        "02030000": lambda: number(load.kilowatts(), 3, 4, is_signed=True),
        "02060000": number(0.95, 2, 3, is_signed=True),
        "02800002": number(50.0, 2, 2),
        "04000402": bytes.fromhex(address)[::-1],
        "04000501": bytes(2),
        "0201FF00": lambda: b"".join(number(load.volts(at), 2, 1) for at in _PHASES),
        "0202FF00": lambda: b"".join(
            number(load.amperes(at), 3, 3, is_signed=True) for at in _PHASES
        ),
    }
    for at in _PHASES:
        held[f"02010{at}00"] = lambda at=at: number(load.volts(at), 2, 1)  # type: ignore[misc]
        held[f"02020{at}00"] = lambda at=at: number(  # type: ignore[misc]
            load.amperes(at), 3, 3, is_signed=True
        )
    return Meter(address, held)


@asynccontextmanager
async def serving(host: str, port: int, serial: Path | None, seed: int) -> AsyncIterator[str]:
    """Answer while the block runs: behind a serial server, or on a serial port; gives where.

    Args:
        host: address of the serial server.
        port: its TCP port.
        serial: path of a serial port, which is made; None: the serial server.
        seed: equal seeds give equal loads.

    Raises:
        PortInUseError: the port cannot be listened on, or made.
    """
    line = MeterLine(*(meter(address, seed) for address in meters()))
    if serial is not None:
        with Terminal(serial, FRAMINGS["dlt645"], line.answered):
            yield f"dlt645={serial}"
        return
    await line.start(host, port)
    try:
        yield f"dlt645={host}:{line.port}"
    finally:
        await line.stop()
