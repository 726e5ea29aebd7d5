"""Modbus units whose registers tell what they are, whose, and of when: an oracle for drivers.

In each ten addresses the first four hold the unit's clock, microseconds as uint64, high word
first; each of the others holds ``1000 × unit + address``, in the input registers with the highest
bit set. So a value of another unit, table or address shows, and one of another time too: the
clock is ``CLOCK_MONOTONIC`` of the machine, which a test in another process reads as well.
"""

import time

from simulators.hostile.frames import Framing
from simulators.servers.answering import AnsweringServer

SPAN = 10
"""Addresses after which the next clock begins."""
CLOCK = 4
"""Registers of a clock."""
SIZE = 1_000
"""Addresses of a table; beyond is exception 2."""
UNITS = 31
"""Most units: the code of the last one still fits."""
_HOLDING, _INPUT = 3, 4


def code(unit: int, address: int, *, is_input: bool = False) -> int:
    """What a register holds that is no part of a clock."""
    return (1_000 * unit + address) | (0x8000 if is_input else 0)


def now_us() -> int:
    """The time of every unit's clock."""
    return time.monotonic_ns() // 1_000


def registers(unit: int, address: int, count: int, clock_us: int, *, is_input: bool) -> bytes:
    """Registers as they go on the wire. Pure."""
    clock = clock_us.to_bytes(2 * CLOCK, "big")
    return b"".join(
        clock[2 * (at % SPAN) : 2 * (at % SPAN) + 2]
        if at % SPAN < CLOCK
        else code(unit, at, is_input=is_input).to_bytes(2, "big")
        for at in range(address, address + count)
    )


def answer(unit: int, pdu: bytes, clock_us: int) -> bytes:
    """The PDU that a unit answers with. Pure."""
    if len(pdu) != 5 or pdu[0] not in (_HOLDING, _INPUT):
        return bytes((pdu[0] | 0x80, 1))
    address, count = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
    if not 1 <= count <= 125:
        return bytes((pdu[0] | 0x80, 3))
    if address + count > SIZE:
        return bytes((pdu[0] | 0x80, 2))
    data = registers(unit, address, count, clock_us, is_input=pdu[0] == _INPUT)
    return bytes((pdu[0], len(data))) + data


class Clockwork(AnsweringServer):
    """A server of such units; others are silent.

    Args:
        units: 1…31: units 1 to this one exist.
        framing: Modbus TCP or RTU over TCP.
    """

    def __init__(self, units: int, framing: Framing) -> None:
        super().__init__(framing, self._answered, "Modbus")
        self._units, self._frames = units, framing

    def _answered(self, frame: bytes) -> bytes:
        unit, pdu = self._frames.unit(frame), self._frames.pdu(frame)
        if not 1 <= unit <= self._units or not pdu:
            return b""
        return self._frames.with_pdu(frame, answer(unit, pdu, now_us()))
