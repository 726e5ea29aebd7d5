"""ASCII framing (serial lines, and serial servers that pass them on), without I/O. Pure.

Source: MODBUS over Serial Line V1.02, sections 2.5.2 (frames) and 6.2.1 (LRC). A frame is a colon,
unit, PDU and LRC as hexadecimal digits, carriage return and line feed. Answers are recognised, and
doubted, as in RTU framing.
"""

import re
from functools import lru_cache

from gateway.drivers.modbus.codec import EXCEPTION_BIT, Answer, Request
from gateway.drivers.modbus.framing.identification import identification_size
from gateway.drivers.modbus.framing.quirks import READ_HEAD
from gateway.drivers.modbus.framing.rtu import RtuLine

_LONGEST = 513  # characters: 1 + 2 * (1 + 253 + 1) + 2
_FRAME = re.compile(rb":((?:[0-9A-Fa-f]{2}){3,255})\r\n")
_REFUSAL = 3  # bytes of an exception before its LRC: unit, function, code


def lrc(body: bytes) -> int:
    """The check of a frame: what makes the sum of all its bytes 0 (modulo 256)."""
    return -sum(body) & 0xFF


@lru_cache(maxsize=4096)
def frame(unit: int, pdu: bytes) -> bytes:
    """A whole frame; the same few are sent again and again."""
    body = bytes((unit,)) + pdu
    return b":" + (body + bytes((lrc(body),))).hex().upper().encode() + b"\r\n"


class AsciiLine(RtuLine):
    """The one open request of a line in ASCII framing."""

    __slots__ = ()

    framing = "ascii"
    longest = _LONGEST

    def _frame(self, pdu: bytes) -> bytes:
        return frame(self._unit, pdu)

    def _answer_at(self, data: bytes, at: int, request: Request) -> tuple[Answer | None, int]:
        body, stop = _body_at(data, at)
        if body is None:
            return None, stop
        size = request.size or identification_size(body[1:])
        head, whole = bytes((self._unit,)) + request.head, 1 + size
        if body.startswith(head) and len(body) == whole:
            return body[len(head) :], stop
        if self._takes_padded and self._is_padded(body, request):
            return body[len(head) : whole], stop
        refusal = bytes((self._unit, request.pdu[0] | EXCEPTION_BIT))
        if body.startswith(refusal) and len(body) == _REFUSAL:
            return body[2], stop
        return None, stop

    def _is_padded(self, body: bytes, request: Request) -> bool:
        """Whether a read's answer holds more than was asked for."""
        head = request.head
        if len(head) != READ_HEAD or len(body) <= 1 + READ_HEAD:
            return False
        is_it = body[0] == self._unit and body[1] == head[0] and body[2] > head[1]
        return is_it and len(body) == 1 + READ_HEAD + body[2]

    def _stranger(self) -> int | None:
        for at in range(len(self._rest)):
            body, _ = _body_at(self._rest, at)
            if body is not None and body[0] != self._unit:
                return body[0]
        return None


def _body_at(data: bytes, at: int) -> tuple[bytes | None, int]:
    """Unit and PDU of the frame that begins here, and where it ends.

    None, and the next place to look at: none does, it has not come whole, or its LRC is wrong.
    """
    found = _FRAME.match(data, at)
    if found is None:
        return None, at + 1
    body = bytes.fromhex(found[1].decode())
    if lrc(body[:-1]) != body[-1]:
        return None, at + 1
    return body[:-1], found.end()
