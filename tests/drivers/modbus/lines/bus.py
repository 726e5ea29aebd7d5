"""A serial bus of Modbus units on one end of a pseudo-terminal; they answer as they are told."""

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from edge_config.models.validation import validated
from gateway.drivers.modbus.config import Connection
from tests.support.serial_server import crc
from tests.support.terminals import Terminal

IDENTIFY = b"\x2b"
"""Function 43, whose request is a byte shorter than those that read."""
SIZES = {0x2B: 5, 0x16: 8, 0x14: 10}
"""Unit and PDU of requests that are not as long as those that read, by function."""

Answer = Callable[[int, bytes], bytes]
"""PDU of the answer of a unit to a PDU; nothing: it is silent."""


def registers(unit: int, pdu: bytes) -> bytes:
    """Each register holds unit and address, so that no value passes for another one."""
    address, count = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
    words = b"".join(bytes((unit, (address + i) & 0xFF)) for i in range(count))
    return bytes((pdu[0], 2 * count)) + words


def value(unit: int, address: int) -> int:
    """What :func:`registers` says."""
    return unit << 8 | address & 0xFF


class Bus:
    """Attributes: requests by unit; what is answered; for how long each answer is late, by
    request (counted from 0)."""

    def __init__(self, terminal: Terminal, *, is_ascii: bool, dead: tuple[int, ...] = ()) -> None:
        self.terminal = terminal
        self.asked: Counter[int] = Counter()
        self.dead = dead
        self.answer: Answer = registers
        self.late_s: dict[int, float] = {}
        self._is_ascii = is_ascii
        self._came = b""
        self._held: list[bytes] | None = None
        self._loop = asyncio.get_running_loop()
        self.listen()

    def listen(self) -> None:
        self._loop.add_reader(self.terminal.master, self._read)

    def pull_out(self) -> None:
        self._loop.remove_reader(self.terminal.master)
        self.terminal.pull_out()

    def plug_in(self) -> None:
        self.terminal.plug_in()
        self.listen()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            self._came += os.read(self.terminal.master, 4_096)
        while frame := self._cut():
            unit, pdu = frame[0], frame[1:]
            number = self.asked.total()
            self.asked[unit] += 1
            said = b"" if unit in self.dead else self.answer(unit, pdu)
            if said:
                self._loop.call_later(self.late_s.get(number, 0.0), self.say, bytes((unit,)) + said)

    def _cut(self) -> bytes:
        """Unit and PDU of the first whole request: reads, single writes, and 43/14."""
        if self._is_ascii:
            line, end, rest = self._came.partition(b"\r\n")
            if not end:
                return b""
            self._came = rest
            body = bytes.fromhex(line.removeprefix(b":").decode())
            assert sum(body) & 0xFF == 0
            return body[:-1]
        size = SIZES.get(self._came[1], 6) if len(self._came) > 1 else 6
        body, check = self._came[:size], self._came[size : size + 2]
        if len(check) < 2:
            return b""
        assert crc(body) == check
        self._came = self._came[size + 2 :]
        return body

    def say(self, body: bytes) -> None:
        text = (body + bytes((-sum(body) & 0xFF,))).hex().upper().encode()
        whole = b":" + text + b"\r\n" if self._is_ascii else body + crc(body)
        if self._held is not None:
            self._held.append(whole)
            return
        with contextlib.suppress(OSError):
            os.write(self.terminal.master, whole)

    async def stall(self) -> None:
        """Hold answers back, as a converter does."""
        self._held = []

    async def resume(self) -> None:
        """Let them through."""
        held, self._held = self._held or [], None
        for whole in held:
            os.write(self.terminal.master, whole)


@asynccontextmanager
async def bus(folder: Path, framing: str, **settings: Any) -> AsyncIterator[Bus]:
    """A bus whose port is ``folder/line``."""
    terminal = Terminal(folder / "line")
    made = Bus(terminal, is_ascii=framing == "ascii", **settings)
    try:
        yield made
    finally:
        if terminal.master >= 0:
            made.pull_out()


def on_line(path: Path, **options: Any) -> Connection:
    """A validated connection over a serial port."""
    return validated(Connection, {"serial": str(path), **options})
