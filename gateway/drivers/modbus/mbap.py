"""Modbus TCP framing and the matching of answers to requests, without I/O. Pure.

Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, sections 3.1.3 and 4.4.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.drivers.modbus.codec import EXCEPTION_BIT, GATEWAY_PATH, GATEWAY_TARGET, Request

Answer = bytes | int
"""Data of a right answer (after its head), or the code of an exception."""

UNIT_GONE = frozenset({GATEWAY_PATH, GATEWAY_TARGET})
_SHORTEST = 9  # an exception; every right answer is longer
_BODY = 7  # of an ADU: transaction, protocol, length, unit


class ProtocolError(Exception):
    """Bytes came that no right answer to an open request has. The connection is worthless."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A request with its MBAP header, but for the transaction id, and the answer it allows.

    Attributes:
        tail: what is sent after the transaction id.
        head: what a right answer has after the transaction id.
        refusal: what an exception has after the transaction id, up to its code.
        size: length of a right answer, transaction id included.
    """

    tail: bytes
    head: bytes
    refusal: bytes
    size: int


def frame(unit: int, request: Request) -> Frame:
    """Address a request to a unit (0…255)."""
    function = request.pdu[0]
    return Frame(
        tail=_header(unit, len(request.pdu)) + request.pdu,
        head=_header(unit, request.size) + request.head,
        refusal=_header(unit, 2) + bytes((function | EXCEPTION_BIT,)),
        size=_BODY + request.size,
    )


def _header(unit: int, size: int) -> bytes:
    return b"\0\0" + (size + 1).to_bytes(2, "big") + bytes((unit,))


class Transactions:
    """The open requests of one connection.

    Every request has a new transaction id, answers may come in any order and in any pieces, and
    at most ``window`` requests are under way. Whatever is not exactly a right answer or an
    exception to an open request raises :class:`ProtocolError`.

    Attributes:
        answers: of the series begun last, in the order of its requests.
        missing: how many of them have not come.
    """

    __slots__ = ("_flight", "_frames", "_last", "_rest", "_sent", "_window", "answers", "missing")

    def __init__(self, window: int = 1, last: int = 0) -> None:
        self._window = window
        self._last = last
        self._flight: dict[bytes, int] = {}
        self._frames: Sequence[Frame] = ()
        self._sent = 0
        self._rest = b""
        self.answers: list[Answer] = []
        self.missing = 0

    def begin(self, frames: Sequence[Frame]) -> bytes:
        """Start a series of requests; returns the bytes to send."""
        self._frames = frames
        self.answers = [b""] * len(frames)
        self.missing = len(frames)
        self._sent = 0
        return self._fill(self._window)

    def receive(self, data: bytes) -> bytes:
        """Take what came; returns the bytes to send next.

        Raises:
            ProtocolError: it is not what was asked for.
        """
        if self._rest:
            data = self._rest + data
        at, end, free = 0, len(data), 0
        while end - at >= _SHORTEST:
            stop = self._take(data, at, end)
            if not stop:
                break
            at = stop
            free += 1
        self._rest = data[at:]
        if self._rest and not self._flight:
            raise ProtocolError(f"{len(self._rest)} bytes came that nobody asked for")
        return self._fill(free) if free else b""

    def _fill(self, free: int) -> bytes:
        first = self._sent
        stop = self._sent = min(first + free, len(self._frames))
        out = b""
        for index in range(first, stop):
            self._last = (self._last + 1) & 0xFFFF
            key = self._last.to_bytes(2, "big")
            self._flight[key] = index
            out += key + self._frames[index].tail
        return out

    def _take(self, data: bytes, at: int, end: int) -> int:
        """Take the answer at ``at``; returns where it ends, 0 if it has not come whole."""
        key = data[at : at + 2]
        index = self._flight.get(key)
        if index is None:
            raise ProtocolError(f"an answer to transaction {key.hex()}, which is not open")
        asked = self._frames[index]
        if data.startswith(asked.head, at + 2):
            stop = at + asked.size
            if stop > end:
                return 0
            self.answers[index] = data[at + 2 + len(asked.head) : stop]
        elif data.startswith(asked.refusal, at + 2):
            stop = at + _SHORTEST
            self._refused(index, data[stop - 1])
        elif asked.head.startswith(data[at + 2 : end]):
            return 0  # the echo of a write has not come whole
        else:
            raise ProtocolError(difference(asked, data[at + 2 : end]))
        del self._flight[key]
        self.missing -= 1
        return stop

    def _refused(self, index: int, code: int) -> None:
        self.answers[index] = code
        if code in UNIT_GONE:  # every further request would wait for the gateway's own timeout
            unsent = len(self._frames) - self._sent
            self.answers[self._sent :] = [code] * unsent
            self.missing -= unsent
            self._sent = len(self._frames)


def difference(asked: Frame, got: bytes) -> str:
    """Say how an answer (from its protocol id on) differs from the right one."""
    right = asked.head
    fields = (("protocol id", 0, 2), ("length", 2, 4), ("unit", 4, 5), ("function", 5, 6))
    if got[5] == asked.refusal[5]:
        right = asked.refusal
    # The function says what the length should be, so it is looked at before the length.
    for name, start, stop in sorted(fields, key=lambda field: -field[1]):
        if got[start:stop] != right[start:stop]:
            wanted = int.from_bytes(right[start:stop], "big")
            return f"{name} {int.from_bytes(got[start:stop], 'big')} instead of {wanted}"
    return f"content {got[6 : len(right)].hex()} instead of {right[6:].hex()}"
