"""S7 messages: which parts are read together, and what answers hold. Pure.

Requests and ISO on TCP are python-snap7's. Answers are taken apart here: the library lets a part
that is refused take the others, and ends at the length some controllers give a refused one.
Layout: S7 communication, jobs "Setup Communication", "Read Var" and "Write Var" (F0H, 04H, 05H),
as in the dissector of Wireshark (packet-s7comm.c) and Snap7's s7_types.h.
"""

from collections.abc import Iterator, Sequence
from struct import Struct
from typing import NamedTuple

from gateway.core.status import Reason
from gateway.drivers.s7.address import Area
from gateway.drivers.toolkit.learnt import Codes

MOST_ITEMS = 20
"""Parts of a message that every controller takes."""
_REQUEST_HEAD = 10  # then function and number of parts, both ways
_ANSWER = Struct(">BBHHHHH")  # protocol, kind, reserved, number, lengths of both parts, error
_ANSWER_HEAD = _ANSWER.size
_NUMBER = slice(4, 6)
_PROTOCOL = 0x32
_ANSWERS = frozenset({0x02, 0x03})
_COUNTED = 2
_ITEM = 12
_ITEM_HEAD = 4
LEAST_PDU = 240
"""Longest message of the smallest controllers."""

DONE = 0xFF
_IN_BITS = frozenset({0x04, 0x05})
_IN_BYTES = frozenset({0x03, 0x06, 0x07, 0x09})

HARDWARE, NOT_ALLOWED, BEYOND, TYPE, INCONSISTENT, MISSING = 0x01, 0x03, 0x05, 0x06, 0x07, 0x0A
NO_PUT_GET = 0x8104
"""In the head of an answer: the service is not there, so it is of an S7-1200 or 1500 whose
PUT/GET is not permitted."""
PROTECTED = 0xD241
NO_ACCESS = frozenset({NO_PUT_GET, PROTECTED})
TOO_LONG = 0x1_0000
"""In place of a code: longer than the messages that the controller allows."""
NOT_SENT = 0x1_0001
"""In place of a code; the toolkit asks for one."""


class WrongAnswerError(Exception):
    """What came is no answer to what was asked; nothing on the connection can be trusted."""


class RefusedAnswerError(Exception):
    """The head of an answer says no.

    Attributes:
        code: error class and code.
    """

    def __init__(self, code: int) -> None:
        super().__init__(words_for(code))
        self.code = code


class Body(NamedTuple):
    """What an answer holds.

    Attributes:
        parameters: what follows its function.
        data: what follows them.
    """

    parameters: bytes
    data: bytes


def framed(message: bytes) -> bytes:
    """A message as it goes over the wire, in ISO on TCP (RFC 1006) and one data unit of COTP."""
    return b"\x03\0" + (len(message) + 7).to_bytes(2, "big") + b"\x02\xf0\x80" + message


def body(answer: bytes, request: bytes) -> Body:
    """What an answer holds.

    Raises:
        RefusedAnswerError: the request was refused as a whole.
        WrongAnswerError: it is no answer to this request.
    """
    if len(answer) < _ANSWER_HEAD or answer[_NUMBER] != request[_NUMBER]:
        raise WrongAnswerError("an answer to another message")
    protocol, kind, _, _, middle, rest, error = _ANSWER.unpack_from(answer)
    if protocol != _PROTOCOL or kind not in _ANSWERS:
        raise WrongAnswerError(f"a message of kind {kind:#04x}")
    if error:
        raise RefusedAnswerError(error)
    start = _ANSWER_HEAD + middle
    if not middle or len(answer) != start + rest:
        raise WrongAnswerError(f"{len(answer)} bytes came where {start + rest} are due")
    if answer[_ANSWER_HEAD] != request[_REQUEST_HEAD]:
        raise WrongAnswerError("an answer to another function")
    return Body(answer[_ANSWER_HEAD + 1 : start], answer[start:])


def agreed_length(setup: Body) -> int:
    """Longest message that the controller allows, bytes.

    Raises:
        WrongAnswerError: it does not say.
    """
    if len(setup.parameters) != 7:  # noqa: PLR2004 - reserved, two numbers of jobs, length
        raise WrongAnswerError("it does not say how long messages may be")
    return int.from_bytes(setup.parameters[5:], "big")


def confirmation(written: Body) -> int:
    """How a value was written: ``DONE``, or a code.

    Raises:
        WrongAnswerError: it says anything else.
    """
    if written.parameters != b"\x01" or len(written.data) != 1:
        raise WrongAnswerError("a confirmation of another length")
    return written.data[0]


class Item(NamedTuple):
    """One part of a read message.

    Attributes:
        area: memory area.
        db: number of the data block; 0 elsewhere.
        start: first byte, timer or counter.
        length: how many of them.
    """

    area: Area
    db: int
    start: int
    length: int

    @property
    def size(self) -> int:
        """Bytes of its data."""
        return self.length * (2 if self.area.is_element else 1)


def messages(items: Sequence[Item], pdu: int) -> Iterator[list[int]]:
    """Which parts share a message: positions, in their order.

    No message is longer than ``pdu`` bytes, but for a part that is so by itself. Timers and
    counters, which are asked for in another way, are alone.
    """
    together: list[int] = []
    answer = 0
    for place, item in enumerate(items):
        part = _ITEM_HEAD + item.size + item.size % 2
        fits = (
            len(together) < MOST_ITEMS
            and _REQUEST_HEAD + _COUNTED + _ITEM * (len(together) + 1) <= pdu
            and _ANSWER_HEAD + _COUNTED + answer + part <= pdu
            and not item.area.is_element
        )
        if together and not fits:
            yield together
            together, answer = [], 0
        together.append(place)
        answer += part
        if item.area.is_element:
            yield together
            together, answer = [], 0
    if together:
        yield together


def is_too_long(item: Item, pdu: int) -> bool:
    """Whether no message holds it; a value is never put together of two readings."""
    return _ANSWER_HEAD + _COUNTED + _ITEM_HEAD + item.size > pdu


def parts(read: Body, items: Sequence[Item]) -> list[bytes | int]:
    """Data of each part of an answer, or the code with which it was refused.

    Args:
        read: what the answer holds.
        items: what was asked for.

    Raises:
        WrongAnswerError: they do not fit each other.
    """
    data = read.data
    if read.parameters != bytes((len(items),)):
        raise WrongAnswerError("another number of parts came than was asked for")
    found: list[bytes | int] = []
    at = size = 0
    for item in items:
        code, size = _head(data, at, item)
        at += _ITEM_HEAD
        found.append(code if code != DONE else data[at : at + size])
        at += size + size % 2  # odd ones are filled up
    filling = size % 2  # the last one need not be
    if len(data) not in (at, at - filling):
        raise WrongAnswerError(f"{len(data)} bytes of data came where {at} are due")
    return found


def _head(data: bytes, at: int, item: Item) -> tuple[int, int]:
    """Return code and bytes of a part."""
    head = data[at : at + _ITEM_HEAD]
    if len(head) < _ITEM_HEAD:
        raise WrongAnswerError("an answer was cut short")
    code, unit, length = head[0], head[1], int.from_bytes(head[2:], "big")
    if code != DONE:
        return code, 0
    size = _size(unit, length)
    if size != item.size:
        raise WrongAnswerError(f"{size} bytes of {item.area} came, {item.size} were asked for")
    if at + _ITEM_HEAD + size > len(data):
        raise WrongAnswerError("an answer was cut short")
    return code, size


def _size(unit: int, length: int) -> int:
    if unit in _IN_BITS and length % 8 == 0:
        return length // 8
    if unit in _IN_BYTES:
        return length
    raise WrongAnswerError(f"an answer counts in unit {unit:#04x}")


_REASONS = {
    HARDWARE: Reason.DEVICE_FAILURE,
    NOT_ALLOWED: Reason.REFUSED,
    BEYOND: Reason.ILLEGAL_ADDRESS,
    TYPE: Reason.ILLEGAL_VALUE,
    INCONSISTENT: Reason.ILLEGAL_VALUE,
    MISSING: Reason.ILLEGAL_ADDRESS,
    NO_PUT_GET: Reason.REFUSED,
    PROTECTED: Reason.REFUSED,
    TOO_LONG: Reason.OVERFLOW,
}

OPTIMISED = (
    "or it is an optimised block: in TIA Portal, properties of the block > Attributes, clear "
    "'Optimized block access', compile and download"
)
PERMIT = (
    "the CPU permits no PUT/GET: in TIA Portal, properties of the CPU > Protection & Security > "
    "Connection mechanisms, tick 'Permit access with PUT/GET communication from remote partner' "
    "and download"
)
_WORDS = {
    HARDWARE: "a fault of the hardware",
    NOT_ALLOWED: "access is not allowed, " + OPTIMISED,
    BEYOND: "beyond the end of the area",
    TYPE: "this type cannot be read there",
    INCONSISTENT: "the type does not fit",
    MISSING: "there is no such block, " + OPTIMISED,
    NO_PUT_GET: PERMIT,
    PROTECTED: "the protection level of the CPU does not let us",
    TOO_LONG: "longer than the messages that this controller allows: declare and read a shorter "
    "text",
}


def reason_for(code: int) -> Reason:
    """The reason that a code stands for; those not listed are a failure of the device."""
    return _REASONS.get(code, Reason.DEVICE_FAILURE)


def words_for(code: int) -> str:
    """A code for people."""
    said = _WORDS.get(code)
    if code == TOO_LONG and said:
        return said
    return f"code {code:#04x}" + (f": {said}" if said else "")


CODES = Codes(
    reason=reason_for,
    illegal=frozenset({BEYOND, TYPE, INCONSISTENT, MISSING}),
    doubtful=frozenset({HARDWARE, NOT_ALLOWED}),
    lasting=frozenset({*NO_ACCESS, NOT_ALLOWED, BEYOND, TYPE, INCONSISTENT, MISSING, TOO_LONG}),
    no_response=frozenset(),
    not_sent=NOT_SENT,
)
