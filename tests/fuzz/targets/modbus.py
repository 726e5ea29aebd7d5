"""Modbus: TCP, RTU and ASCII framing with their answers, and what a unit says of itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from gateway.drivers.modbus.codec import (
    SILENT,
    WRONG,
    Answer,
    Request,
    Table,
    mask_register,
    read,
    write_bit,
    write_registers,
)
from gateway.drivers.modbus.framing.ascii import AsciiLine
from gateway.drivers.modbus.framing.mbap import Transactions
from gateway.drivers.modbus.framing.orderly import Orderly
from gateway.drivers.modbus.framing.rtu import RtuLine
from gateway.drivers.modbus.framing.series import ProtocolError, Series
from gateway.drivers.modbus.identifying import identification, part
from tests.fuzz.harness import Case, Target

UNITS = (0, 1, 2, 0x68, 247, 255)
OWN_CODE = 0x100
"""Below it a code is one of the device, else one of the driver."""


def _asked(dice: Random) -> Request:
    """A question of any function that is in use."""
    address = dice.choice((0, 1, 99, 40_000))
    return dice.choice(
        (
            read(Table.HOLDING, address, dice.choice((1, 2, 3, 60, 125))),
            read(Table.INPUT, address, dice.choice((1, 4, 10))),
            read(Table.COIL, address, dice.choice((1, 8, 9, 100))),
            write_bit(address, value=True),
            write_registers(address, dice.randbytes(4)),
            mask_register(address, 0xFF00, 0x0012),
            identification(1, 0),
        )
    )


def _answered(dice: Random, request: Request) -> bytes:
    """A right answer's PDU: data, or mostly data and at times an exception."""
    if dice.random() < 0.1:
        return bytes((request.pdu[0] | 0x80, dice.choice((1, 2, 3, 4, 6, 10, 11))))
    if not request.size:
        texts = [dice.randbytes(dice.randrange(9)) for _ in range(dice.randrange(4))]
        objects = b"".join(bytes((at, len(one))) + one for at, one in enumerate(texts))
        return request.head + bytes((1, 1, 0, 0, len(texts))) + objects
    return request.head + dice.randbytes(request.size - len(request.head))


# -- TCP ----------------------------------------------------------------------------------------


def _tcp(dice: Random) -> Case:
    """One request, or several under way at once, in either way of matching their answers."""
    framing = dice.choice((Transactions, Orderly))
    last, unit = dice.choice((0, 0xFFFE, dice.randrange(0x10000))), dice.choice(UNITS)
    # Under way together are only requests whose answers begin differently.
    requests = list({one.head: one for one in (_asked(dice) for _ in range(3))}.values())
    requests = requests[: dice.choice((1, 1, 3))]
    ids = [(last + 1 + at) & 0xFFFF for at in range(len(requests))]
    frames = (
        _mbap(key, unit, _answered(dice, one)) for key, one in zip(ids, requests, strict=True)
    )

    def decode(pieces: Sequence[bytes]) -> list[Answer | None] | None:
        series = framing(last)
        series.begin(unit, requests, len(requests))
        return _outcome(series, pieces)

    return Case(
        b"".join(frames), decode, partial(_holds_tcp, dict(zip(ids, requests, strict=True)), unit)
    )


def _mbap(key: int, unit: int, pdu: bytes) -> bytes:
    head = key.to_bytes(2, "big") + bytes(2) + (len(pdu) + 1).to_bytes(2, "big")
    return head + bytes((unit,)) + pdu


def _outcome(series: Series, pieces: Sequence[bytes]) -> list[Answer | None] | None:
    """What is taken when all has come, as a connection uses its framing."""
    try:
        for one in pieces:
            if series.missing:
                series.receive(one)
    except ProtocolError:
        series.give_up(WRONG)
    while series.doubted is not None:
        series.trust()
    if series.missing:
        series.give_up(SILENT)
    taken = [None if isinstance(one, int) and one >= OWN_CODE else one for one in series.answers]
    return taken if any(one is not None for one in taken) else None


def _holds_tcp(
    asked: dict[int, Request], unit: int, data: bytes, taken: Sequence[Answer | None]
) -> bool:
    """Frame after frame by its length; the first one of a transaction counts."""
    said: dict[int, bytes] = {}
    while len(data) > 7:
        key, size = int.from_bytes(data[:2], "big"), int.from_bytes(data[4:6], "big")
        pdu = data[7 : 6 + size]
        if data[2:4] != bytes(2) or data[6] != unit or len(data) < 6 + size:
            break
        said.setdefault(key, pdu)
        data = data[6 + size :]
    pairs = zip(asked.items(), taken, strict=True)
    return all(
        one is None or (key in said and _is_said(request, said[key], one))
        for (key, request), one in pairs
    )


def _is_said(request: Request, pdu: bytes, taken: Answer) -> bool:
    """Whether a PDU answers a request, and with just this."""
    function = request.pdu[0]
    if isinstance(taken, int):
        return pdu == bytes((function | 0x80, taken))
    if function in (1, 2, 3, 4):
        count = int.from_bytes(request.pdu[3:5], "big")
        size = 2 * count if function > 2 else (count + 7) // 8
        return pdu == bytes((function, size)) + taken and len(taken) == size
    if function == 43:
        return pdu == b"\x2b\x0e" + taken
    echoed = request.pdu if function in (5, 6, 22) else request.pdu[:5]
    return pdu == echoed and not taken


# -- serial lines -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Serial:
    """A framing of serial lines, written once more."""

    line: type[RtuLine]

    def frame(self, body: bytes) -> bytes:
        if self.line is AsciiLine:
            check = -sum(body) % 256
            return b":" + (body + bytes((check,))).hex().upper().encode() + b"\r\n"
        value = 0xFFFF
        for byte in body:
            value ^= byte
            for _ in range(8):
                value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
        return body + value.to_bytes(2, "little")

    def make(self, dice: Random) -> Case:
        unit, request = dice.choice(UNITS), _asked(dice)
        body = bytes((unit,)) + _answered(dice, request)
        echo = self.frame(bytes((unit,)) + request.pdu) if dice.random() < 0.1 else b""

        def decode(pieces: Sequence[bytes]) -> list[Answer | None] | None:
            line = self.line()
            line.begin(unit, [request])
            return _outcome(line, pieces)

        def holds(data: bytes, taken: Sequence[Answer | None]) -> bool:
            (answer,) = taken
            assert answer is not None
            return self.frame(bytes((unit,)) + _pdu(request, answer)) in self.read(data)

        def seal(data: bytes) -> bytes:
            return self.frame(body[:1] + data[1 : len(body)])

        return Case(echo + self.frame(body), decode, holds, seal)

    def read(self, data: bytes) -> bytes:
        return data.upper() if self.line is AsciiLine else data


def _pdu(request: Request, answer: Answer) -> bytes:
    """The PDU that an answer must have stood in."""
    if isinstance(answer, int):
        return bytes((request.pdu[0] | 0x80, answer))
    if request.pdu[0] in (1, 2, 3, 4):
        return bytes((request.pdu[0], len(answer))) + answer
    if request.pdu[0] == 43:
        return b"\x2b\x0e" + answer
    return request.pdu if request.pdu[0] in (5, 6, 22) else request.pdu[:5]


# -- identification -----------------------------------------------------------------------------


def _identification(dice: Random) -> Case:
    pdu = _answered(dice, identification(1, 0))
    if pdu[0] & 0x80:
        pdu = b"\x2b\x0e\x01\x01\0\0\0"
    return Case(pdu[2:].ljust(5, b"\0"), _said, _holds_said, lambda data: data.ljust(5, b"\0"))


def _said(pieces: Sequence[bytes]) -> dict[int, str] | None:
    data = b"".join(pieces)
    return part(data).objects if len(data) >= 5 else None  # what framings hand on is as long


def _holds_said(data: bytes, objects: dict[int, str]) -> bool:
    """Each text stands there, behind its number and length, as far as it came."""
    return all(
        any(
            data[at : at + 1] == bytes((number,))
            and data[at + 2 : at + 2 + data[at + 1]].decode("utf-8", "replace").strip("\0 ") == text
            for at in range(5, len(data) - 1)
        )
        for number, text in objects.items()
    )


TARGETS = (
    Target("modbus/tcp", _tcp),
    Target("modbus/rtu", _Serial(RtuLine).make),
    Target("modbus/ascii", _Serial(AsciiLine).make),
    Target("modbus/identification", _identification),
)
