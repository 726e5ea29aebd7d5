"""DL/T 645-2007 frames: what is asked, and what an answer to it looks like. Pure.

Source: DL/T 645-2007, 5.2 (frame), 5.2.4 (addresses), 5.2.5 (control codes), 7.1 and 7.2 (reading
and what follows), appendix D (the bits of an error).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

START, END = 0x68, 0x16
WAKE_UP = b"\xfe\xfe\xfe\xfe"
"""Sent first, for receivers that have to wake up (5.2.1)."""
ANYBODY = "AAAAAAAAAAAA"
"""The address that every meter answers to."""
OFFSET = 0x33
"""Added to each byte of data on the wire."""
_HEAD = 10  # bytes from the first 68H to the length
_AROUND = 12  # bytes of a frame without its data
LONGEST = _AROUND + 255
_KEPT = 2 * LONGEST
ITEM = 4
"""Bytes of a data identifier."""


class Control(IntEnum):
    """What a frame is for; an answer has bit 7, one that is no yes bit 6, one with more bit 5."""

    READ = 0x11
    READ_MORE = 0x12
    READ_ADDRESS = 0x13


ANSWER, REFUSED, MORE = 0x80, 0x40, 0x20


class Frame(NamedTuple):
    """One frame.

    Attributes:
        meter: twelve digits, as on the plate.
        control: what it is for.
        data: as it was before 33H was added.
    """

    meter: str
    control: int
    data: bytes


def encode(frame: Frame) -> bytes:
    """The bytes of a frame, without what wakes the receiver."""
    address = bytes.fromhex(frame.meter)[::-1]
    body = bytes((START, *address, START, frame.control, len(frame.data)))
    body += bytes((byte + OFFSET) & 0xFF for byte in frame.data)
    return body + bytes((sum(body) & 0xFF, END))


class Hearing:
    """Finds frames in whatever comes: noise before, between and after them is passed over."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def has_begun(self) -> bool:
        """Whether the begin of a frame is here that has not come whole."""
        return START in self._rest

    def forget(self) -> None:
        """What has come so far is no part of what comes now."""
        self._rest = b""

    def receive(self, data: bytes) -> list[Frame]:
        """The sound frames that are whole now."""
        rest = (self._rest + data)[-_KEPT:]
        found: list[Frame] = []
        at, keep = 0, len(rest)
        while (at := rest.find(START, at)) >= 0:
            size = _size(rest, at)
            frame = _decoded(rest[at : at + size]) if size else None
            if frame is not None:
                found.append(frame)
                at, keep = at + (size or 1), len(rest)
                continue
            # What has not come whole is kept; a frame may still begin within it, if it is torn.
            if size is not None and (size == 0 or at + size > len(rest)):
                keep = min(keep, at)
            at += 1
        self._rest = rest[keep:]
        return found


def _size(data: bytes, at: int) -> int | None:
    """How long the frame is that begins here; 0: not to be seen yet; None: none does."""
    if data[at + 7 : at + 8] not in (b"", bytes((START,))):
        return None
    return _AROUND + data[at + 9] if len(data) > at + 9 else 0


def _decoded(whole: bytes) -> Frame | None:
    if len(whole) != _AROUND + whole[9] or whole[-1] != END or sum(whole[:-2]) & 0xFF != whole[-2]:
        return None
    meter = whole[6:0:-1].hex().upper()
    return Frame(meter, whole[8], bytes((byte - OFFSET) & 0xFF for byte in whole[_HEAD:-2]))


@dataclass(frozen=True, slots=True)
class Request:
    """A frame to send, and which one answers it.

    Attributes:
        frame: what is sent.
        item: data identifier that an answer repeats, as on the wire; empty: none.
    """

    frame: Frame
    item: bytes = b""

    def is_answered_by(self, other: Frame) -> bool:
        """Whether a frame is the answer, be it a refusal: right meter, control and identifier."""
        if other.control & ~(REFUSED | MORE) != self.frame.control | ANSWER:
            return False
        if self.frame.meter not in (other.meter, ANYBODY):
            return False
        return bool(other.control & REFUSED) or other.data.startswith(self.item)


def read(meter: str, item: int) -> Request:
    """Ask for a data identifier, ``0x02010100`` say."""
    on_wire = item.to_bytes(ITEM, "little")
    return Request(Frame(meter, Control.READ, on_wire), on_wire)


def read_more(meter: str, item: int, number: int) -> Request:
    """Ask for the next frame of an answer, the first one has number 1."""
    on_wire = item.to_bytes(ITEM, "little")
    return Request(Frame(meter, Control.READ_MORE, on_wire + bytes((number,))), on_wire)


def read_address() -> Request:
    """Ask for the address of the one meter of a line; of several all answer at once (7.5)."""
    return Request(Frame(ANYBODY, Control.READ_ADDRESS, b""))


_ERRORS = (
    "other error",
    "no such data",
    "wrong password or no authority",
    "baud rate cannot be changed",
    "too many annual time zones",
    "too many daily time slots",
    "too many tariffs",
)


def error_words(error: int) -> str:
    """The bits of an error (appendix D), for people."""
    found = [words for bit, words in enumerate(_ERRORS) if error >> bit & 1]
    return ", ".join(found) or f"error {error:02X}H"
