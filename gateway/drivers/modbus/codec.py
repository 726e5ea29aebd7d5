"""Modbus PDUs: what is asked, and exactly what a right answer looks like. Pure.

Source of codes, limits and layouts: MODBUS Application Protocol Specification V1.1b3, sections
6 and 7. How they are wrapped is in ``framing``.
"""

from collections.abc import Sequence
from enum import IntEnum, StrEnum
from functools import cached_property
from struct import Struct
from typing import NamedTuple

from gateway.core.status import Reason


class Table(StrEnum):
    """The address spaces of a device; the values are the words of an address.

    ``enron`` are the registers of 32 bits that flow computers after Enron and Daniel have among
    the holding registers: each has one address and is answered with four bytes. ``file`` are the
    records of files, of 16 bits: each file counts its own.
    """

    COIL = "coil"
    DISCRETE = "discrete"
    INPUT = "input"
    HOLDING = "holding"
    ENRON = "enron"
    FILE = "file"

    @cached_property
    def is_bits(self) -> bool:
        """Whether an address holds one bit."""
        return self in {Table.COIL, Table.DISCRETE}

    @cached_property
    def bits(self) -> int:
        """How many bits an address holds."""
        if self.is_bits:
            return 1
        return 32 if self is Table.ENRON else 16

    @property
    def is_writable(self) -> bool:
        """Whether the protocol has a function that writes it."""
        return self in {Table.COIL, Table.HOLDING, Table.FILE}


class Function(IntEnum):
    """Function codes in use."""

    READ_COILS = 1
    READ_DISCRETE_INPUTS = 2
    READ_HOLDING_REGISTERS = 3
    READ_INPUT_REGISTERS = 4
    WRITE_SINGLE_COIL = 5
    WRITE_SINGLE_REGISTER = 6
    WRITE_MULTIPLE_COILS = 15
    WRITE_MULTIPLE_REGISTERS = 16
    READ_FILE_RECORD = 20
    WRITE_FILE_RECORD = 21
    MASK_WRITE_REGISTER = 22
    READ_WRITE_REGISTERS = 23


_READING = {*range(Function.READ_COILS, 5), Function.READ_FILE_RECORD, 0x2B}


READ_FUNCTION = {
    Table.COIL: Function.READ_COILS,
    Table.DISCRETE: Function.READ_DISCRETE_INPUTS,
    Table.HOLDING: Function.READ_HOLDING_REGISTERS,
    Table.INPUT: Function.READ_INPUT_REGISTERS,
    Table.ENRON: Function.READ_HOLDING_REGISTERS,
}

MAX_READ_REGISTERS = 125
MAX_READ_BITS = 2_000
MAX_WRITE_REGISTERS = 123
MAX_WRITE_BITS = 1_968
MAX_READ_RECORDS = 121
"""An answer of function 20 counts 245 bytes at most, two of them before the records (6.14)."""
MAX_WRITE_RECORDS = 122
"""A request of function 21 counts 251 bytes at most, seven of them before the records (6.15)."""
MAX_EXCHANGED = 121
"""Registers that function 23 writes (6.17)."""
RECORDS = 10_000
"""Of a file."""
_MOST_BITS = MAX_READ_REGISTERS * 16
ADDRESSES = 65_536
EXCEPTION_BIT = 0x80

ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3
DEVICE_FAILURE = 4
ACKNOWLEDGED = 5
BUSY = 6
GATEWAY_PATH = 10
GATEWAY_TARGET = 11

SILENT = 0x100
"""In place of an exception code: no answer came in time."""

NOT_SENT = 0x101
"""In place of an exception code: not asked, because the unit did not answer the one before."""

CLOSED = 0x102
"""In place of an exception code: the other side ended the connection instead of answering."""

WRONG = 0x103
"""In place of an exception code: what came is no answer to this request."""

NO_RESPONSE = frozenset({GATEWAY_PATH, GATEWAY_TARGET, SILENT, CLOSED, WRONG})
"""The unit gave no answer: asking further would cost a time-out or a connection each."""

LOST = frozenset({CLOSED, WRONG})
"""Those after which the connection is not used again."""

UNANSWERED = frozenset({SILENT, CLOSED, WRONG, NOT_SENT})
"""Another connection may still bring an answer."""

Answer = bytes | int
"""Data of a right answer (after its head), the code of an exception, or one of the above."""

_REASONS = {
    ILLEGAL_FUNCTION: Reason.ILLEGAL_FUNCTION,
    ILLEGAL_ADDRESS: Reason.ILLEGAL_ADDRESS,
    ILLEGAL_VALUE: Reason.ILLEGAL_VALUE,
    DEVICE_FAILURE: Reason.DEVICE_FAILURE,
    ACKNOWLEDGED: Reason.DEVICE_BUSY,  # accepted, still at work
    BUSY: Reason.DEVICE_BUSY,
    8: Reason.DEVICE_FAILURE,  # parity error of the device's memory
    GATEWAY_PATH: Reason.GATEWAY_PATH,
    GATEWAY_TARGET: Reason.GATEWAY_TARGET,
    SILENT: Reason.TIMEOUT,
    NOT_SENT: Reason.TIMEOUT,
    CLOSED: Reason.DISCONNECTED,
    WRONG: Reason.PROTOCOL,
}

_PAIR = Struct(">BHH")
_MANY = Struct(">BHHB")
_MASK = Struct(">BHHH")
_FILE = Struct(">BBBHHH")
_BOTH = Struct(">BHHHHB")
_REFERENCE = 6
"""Type of the one reference that functions 20 and 21 have."""


def reason_for(code: int) -> Reason:
    """The reason that an exception code stands for; makers' own codes are a device failure."""
    return _REASONS.get(code, Reason.DEVICE_FAILURE)


class Request(NamedTuple):
    """A request PDU and the shape of its one right answer.

    Attributes:
        pdu: function code and data to send.
        head: bytes with which a right answer begins: function and byte count of a read, the
            whole echo of a write.
        size: length of a right answer, bytes; 0: it says itself, as identifications do.
    """

    pdu: bytes
    head: bytes
    size: int

    @property
    def is_read(self) -> bool:
        """Whether it changes nothing, so that it may be asked again."""
        return self.pdu[0] in _READING


def read(table: Table, address: int, count: int) -> Request:
    """Ask for ``count`` bits or registers from ``address`` on.

    Raises:
        ValueError: the count is beyond 2,000 bits, 125 registers or 62 of 32 bits, or the range
            leaves 0…65535.
    """
    bits = table.bits
    _check("read", address, count, _MOST_BITS // bits)
    function = READ_FUNCTION[table]
    length = (count * bits + 7) // 8
    return Request(_PAIR.pack(function, address, count), bytes((function, length)), 2 + length)


def read_records(file: int, record: int, count: int) -> Request:
    """Ask for ``count`` records of 16 bits of a file from one on (function 20).

    Raises:
        ValueError: the count is beyond 121, or the range leaves 0…9999.
    """
    _check("read", record, count, MAX_READ_RECORDS, RECORDS)
    pdu = _FILE.pack(Function.READ_FILE_RECORD, 7, _REFERENCE, file, record, count)
    head = bytes((Function.READ_FILE_RECORD, 2 + 2 * count, 1 + 2 * count, _REFERENCE))
    return Request(pdu, head, len(head) + 2 * count)


def write_records(file: int, record: int, words: bytes) -> Request:
    """Set neighbouring records of a file (function 21) to bytes as they go on the wire.

    Raises:
        ValueError: none or more than 122, or beyond record 9999.
    """
    _check("write", record, len(words) // 2, MAX_WRITE_RECORDS, RECORDS)
    place = file, record, len(words) // 2
    size = 7 + len(words)
    return _echo(_FILE.pack(Function.WRITE_FILE_RECORD, size, _REFERENCE, *place) + words)


def write_and_read(address: int, words: bytes) -> Request:
    """Set neighbouring holding registers and ask for them at once (function 23).

    Raises:
        ValueError: none or more than 121, or beyond address 65535.
    """
    count = len(words) // 2
    _check("write", address, count, MAX_EXCHANGED)
    place = address, count
    pdu = _BOTH.pack(Function.READ_WRITE_REGISTERS, *place, *place, len(words)) + words
    return Request(pdu, bytes((pdu[0], len(words))), 2 + len(words))


def write_bit(address: int, value: bool) -> Request:
    """Set one coil (function 5)."""
    _check("write", address, 1, 1)
    return _echo(_PAIR.pack(Function.WRITE_SINGLE_COIL, address, 0xFF00 if value else 0))


def write_register(address: int, word: bytes) -> Request:
    """Set one holding register (function 6) to two bytes as they go on the wire."""
    _check("write", address, len(word) // 2, 1)
    return _echo(bytes((Function.WRITE_SINGLE_REGISTER,)) + address.to_bytes(2, "big") + word)


def mask_register(address: int, kept: int, added: int) -> Request:
    """Change bits of one holding register (function 22): it becomes ``(old & kept) | added``.

    Args:
        address: of the register.
        kept: 16 bits, those that stay as they are.
        added: 16 bits, those that are set, of the others.
    """
    _check("write", address, 1, 1)
    return _echo(_MASK.pack(Function.MASK_WRITE_REGISTER, address, kept, added))


def write_bits(address: int, values: Sequence[bool]) -> Request:
    """Set neighbouring coils (function 15).

    Raises:
        ValueError: none or more than 1,968, or beyond address 65535.
    """
    _check("write", address, len(values), MAX_WRITE_BITS)
    packed = sum(1 << i for i, value in enumerate(values) if value)
    body = packed.to_bytes((len(values) + 7) // 8, "little")
    return _many(Function.WRITE_MULTIPLE_COILS, address, len(values), body)


def write_registers(address: int, words: bytes) -> Request:
    """Set neighbouring holding registers (function 16) to bytes as they go on the wire.

    Raises:
        ValueError: none or more than 123, or beyond address 65535.
    """
    _check("write", address, len(words) // 2, MAX_WRITE_REGISTERS)
    return _many(Function.WRITE_MULTIPLE_REGISTERS, address, len(words) // 2, words)


def _check(verb: str, address: int, count: int, limit: int, places: int = ADDRESSES) -> None:
    if not 1 <= count <= limit:
        raise ValueError(f"cannot {verb} {count} at once; the protocol allows 1 to {limit}")
    if not 0 <= address <= places - count:
        last = places - 1
        raise ValueError(f"cannot {verb} {count} from address {address}: the last one is {last}")


def _echo(pdu: bytes) -> Request:
    return Request(pdu, pdu, len(pdu))


def _many(function: Function, address: int, count: int, body: bytes) -> Request:
    pdu = _MANY.pack(function, address, count, len(body)) + body
    return Request(pdu, pdu[:5], 5)
