"""Devices that write down what they really answered, and when: the judge's only witness.

A process of its own, which no fault of the campaign touches: Modbus TCP on one port, each unit a
device. Every answer has a number that no other answer of the unit has, so that a stored value can
be traced to the answer that it came from.
"""

import asyncio
import json
import os
import random
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NUMBER, STATE, LEVEL, CONSTANT = "number", "state", "level", "constant"
TAGS = {NUMBER: 0, STATE: 2, LEVEL: 3, CONSTANT: 4}
"""Registers of the tags; the number has two, the others one. Noise comes behind them."""

FIRST_NOISE = 5
MOST_NOISE = 110
"""All registers of a unit fit one request, so that a stored row is one answer."""

DEADBAND = 5
"""Of the level: what moved by no more need not be sent."""

STATE_CHANGES = 1 / 25
"""A state stays for seconds: report-by-exception holds it back at most polls."""

_REQUEST = struct.Struct(">HHHBBHH")
_HEAD = struct.Struct(">HHHBBB")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a unit answered.

    Attributes:
        time_ms: true time, UTC milliseconds.
        unit: which unit.
        values: by tag.
    """

    time_ms: int
    unit: int
    values: dict[str, int]


def read_log(path: Path) -> Iterator[Answer]:
    """What was written down; a last line that is still being written is left out."""
    for line in path.read_text().splitlines(keepends=True):
        if line.endswith("\n"):
            yield Answer(*json.loads(line))


class Unit:
    """One device: counts its answers, changes its state now and then, drifts."""

    def __init__(self, number: int, noise: int) -> None:
        self._chance = random.Random(number)
        self._noise = noise
        self._answers = self._state = 0
        self._level = 1_000

    def answer(self) -> dict[str, int]:
        """The values of the next answer."""
        chance = self._chance
        self._answers += 1
        self._state += chance.random() < STATE_CHANGES
        self._level = min(max(self._level + chance.randint(-3, 3), 0), 65_535)
        noise = {f"n{at}": chance.getrandbits(16) for at in range(self._noise)}
        values = {NUMBER: self._answers, STATE: self._state, LEVEL: self._level, CONSTANT: 7}
        return values | noise


class Connection(asyncio.Protocol):
    """One connection of the gateway; all units behind it."""

    def __init__(self, units: dict[int, Unit], log: int) -> None:
        self._units, self._log = units, log
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while len(self._waiting) >= _REQUEST.size:
            request, self._waiting = (
                self._waiting[: _REQUEST.size],
                self._waiting[_REQUEST.size :],
            )
            transaction, _, _, unit, function, first, count = _REQUEST.unpack(request)
            values = self._units[unit].answer()
            registers = struct.pack(f">I{len(values) - 1}H", *values.values())
            part = registers[2 * first : 2 * (first + count)]
            head = _HEAD.pack(transaction, 0, 3 + len(part), unit, function, len(part))
            line = json.dumps([time.time_ns() // 1_000_000, unit, values])
            os.write(self._log, f"{line}\n".encode())
            self._transport.write(head + part)


async def main(port: int, log: Path, units: int, noise: int) -> None:
    """Serve until killed."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    plant = {number: Unit(number, noise) for number in range(1, units + 1)}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(plant, file), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
