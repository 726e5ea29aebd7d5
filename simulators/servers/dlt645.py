"""DL/T 645-2007 meters behind a serial server: several on one line, each with its address.

Source: DL/T 645-2007, 5.2 (frames), 7.1 and 7.2 (reading), appendix A (identifiers), D (errors).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from simulators.hostile.frames import FRAMINGS
from simulators.servers.answering import AnsweringServer

START, END, WAKE_UP = 0x68, 0x16, b"\xfe" * 4
READ, READ_MORE, ADDRESS = 0x11, 0x12, 0x13
_ANSWER, _MORE, _REFUSED = 0x80, 0x20, 0xC0
_NO_SUCH_DATA = 0x02
_ANYBODY = "AAAAAAAAAAAA"
_MOST = 200
"""Bytes of data in a frame; what is longer goes on in the next one."""


def digits(value: str) -> bytes:
    """Decimal digits as they go on the wire: two a byte, the lowest first."""
    return bytes.fromhex(value)[::-1]


def number(value: float | Decimal, size: int, decimals: int, *, is_signed: bool = False) -> bytes:
    """A number in so many bytes; with a sign in the highest bit if it may have one."""
    scaled = abs(round(Decimal(str(value)).scaleb(decimals)))
    raw = bytearray(digits(f"{scaled:0{2 * size}d}"))
    if is_signed and value < 0:
        raw[-1] |= 0x80
    return bytes(raw)


Held = bytes | Callable[[], bytes]
"""What stands under an identifier, or what tells it."""


def clock() -> dict[str, Held]:
    """Date and time of a meter, of this machine."""
    return {
        "04000101": lambda: digits(datetime.now().astimezone().strftime("%y%m%d0%w")),
        "04000102": lambda: digits(datetime.now().astimezone().strftime("%H%M%S")),
    }


@dataclass
class Meter:
    """One meter.

    Attributes:
        address: twelve digits.
        held: data by identifier of eight digits, as they go on the wire.
        asked: how many requests it was asked.
    """

    address: str
    held: Mapping[str, Held] = field(default_factory=dict)
    asked: int = 0

    def answer(self, control: int, data: bytes) -> bytes:
        """The frame that it answers with."""
        self.asked += 1
        identifier = data[:4][::-1].hex().upper()
        if control == ADDRESS:
            return frame(self.address, ADDRESS | _ANSWER, digits(self.address))
        held = self._data(identifier)
        if control not in (READ, READ_MORE) or held is None:
            return frame(self.address, control | _REFUSED, bytes((_NO_SUCH_DATA,)))
        number_ = data[4] if control == READ_MORE else 0
        part, rest = held[number_ * _MOST : (number_ + 1) * _MOST], held[(number_ + 1) * _MOST :]
        tail = bytes((number_,)) if number_ else b""
        more = _MORE if rest else 0
        return frame(self.address, control | _ANSWER | more, data[:4] + part + tail)

    def _data(self, identifier: str) -> bytes | None:
        if identifier == "04000401":
            return digits(self.address)
        held = self.held.get(identifier)
        return held() if callable(held) else held


def frame(address: str, control: int, data: bytes) -> bytes:
    """A whole frame, with what wakes the receiver."""
    body = bytes((START, *digits(address), START, control, len(data)))
    body += bytes((byte + 0x33) & 0xFF for byte in data)
    return WAKE_UP + body + bytes((sum(body) & 0xFF, END))


class MeterLine(AnsweringServer):
    """A serial server with meters behind it; addresses that do not exist are silent.

    Args:
        meters: on the line.
    """

    def __init__(self, *meters: Meter) -> None:
        super().__init__(FRAMINGS["dlt645"], self.answered, "DL/T 645")
        self.meters = {meter.address: meter for meter in meters}

    def answered(self, request: bytes) -> bytes:
        """What the line says to a frame: one meter, all that there are, or silence."""
        body = request.lstrip(b"\xfe")
        if len(body) < 12 or body[-1] != END or sum(body[:-2]) & 0xFF != body[-2]:
            return b""
        to = body[6:0:-1].hex().upper()
        data = bytes((byte - 0x33) & 0xFF for byte in body[10:-2])
        asked = self.meters.values() if to == _ANYBODY else filter(None, [self.meters.get(to)])
        return b"".join(meter.answer(body[8], data) for meter in asked)
