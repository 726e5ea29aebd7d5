"""Answers that are not as the specification says, and yet can be read. Pure.

Strict is the default: what is not exactly a right answer is refused, and the refusal names the
quirk that would let it through. With any quirk one request is under way at a time, and a
connection over which one was not answered is not used again: what comes late cannot be taken for
the answer to another request.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from gateway.drivers.modbus.codec import EXCEPTION_BIT, Answer, Request

HEADER = 7
"""Bytes of an MBAP header: transaction, protocol, length, unit."""

_SHORTEST = HEADER + 2
READ_HEAD = 2
"""Bytes before the data of a read: function and byte count. A longer head is a write's echo."""


class Quirk(StrEnum):
    """One way in which a device departs from Modbus TCP."""

    ANY_TRANSACTION = "any_transaction"
    ANY_UNIT = "any_unit"
    ANY_LENGTH = "any_length"
    PADDED_DATA = "padded_data"
    TRAILING_BYTES = "trailing_bytes"
    GREETING = "greeting"


Quirks = AbstractSet[Quirk]
NO_QUIRKS: Quirks = frozenset()


class Expected(NamedTuple):
    """The one request under way.

    Attributes:
        transaction: its id, two bytes.
        unit: whom it is for.
        request: what was asked.
    """

    transaction: bytes
    unit: int
    request: Request


@dataclass(frozen=True, slots=True)
class Found:
    """An answer, and where it ends in what came."""

    answer: Answer
    stop: int


def find(data: bytes, asked: Expected, quirks: Quirks) -> Found | None:
    """The answer in what came, by the quirks of the device; None: it has not come whole.

    Where bytes may stand before an answer it is looked for anywhere.
    """
    may_be_anywhere = quirks & {Quirk.TRAILING_BYTES, Quirk.GREETING}
    last = len(data) - _SHORTEST if may_be_anywhere else 0
    for at in range(last + 1):
        found = _answer_at(data, at, asked, quirks)
        if found is not None:
            return found
    return None


def _answer_at(data: bytes, at: int, asked: Expected, quirks: Quirks) -> Found | None:
    pdu = data[at + HEADER :]
    size = _size(pdu, asked.request, quirks)
    if size is None or len(pdu) < size or not _is_headed(data[at:], size, asked, quirks):
        return None
    if pdu[0] & EXCEPTION_BIT:
        return Found(pdu[1], at + HEADER + size)
    head = len(asked.request.head)
    return Found(pdu[head : asked.request.size], at + HEADER + size)


def _size(pdu: bytes, request: Request, quirks: Quirks) -> int | None:
    """How long the answer is that begins here; None: it is none to this request."""
    if len(pdu) < 2:  # noqa: PLR2004 - a function and a code or byte count
        return None
    if pdu[0] == request.pdu[0] | EXCEPTION_BIT:
        return 2
    if pdu.startswith(request.head):
        return request.size
    is_padded = Quirk.PADDED_DATA in quirks and len(request.head) == READ_HEAD
    if is_padded and pdu[0] == request.head[0] and pdu[1] > request.head[1]:
        return READ_HEAD + pdu[1]
    return None


def _is_headed(frame: bytes, size: int, asked: Expected, quirks: Quirks) -> bool:
    """Whether the header before an answer of this size is right, but for the quirks."""
    return (
        (frame[:2] == asked.transaction or Quirk.ANY_TRANSACTION in quirks)
        and frame[2:4] == b"\0\0"
        and (frame[4:6] == (size + 1).to_bytes(2, "big") or Quirk.ANY_LENGTH in quirks)
        and (frame[6] == asked.unit or Quirk.ANY_UNIT in quirks)
    )
