"""S7 communication: setup, what is read part by part, and how a write is confirmed."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from gateway.drivers.s7 import codec
from gateway.drivers.s7.address import Area
from gateway.drivers.s7.identity import order_number
from tests.fuzz.harness import Case, Target

REFUSALS = (codec.WrongAnswerError, codec.RefusedAnswerError)
NUMBERS = (0, 1, 0x3200, 0xFFFF)
_SETUP, _READ, _WRITE = 0xF0, 0x04, 0x05


def _case(
    dice: Random,
    function: int,
    parameters: bytes,
    data: bytes,
    take: Callable[[codec.Body], Any],
    plain: Callable[[bytes, bytes], Any],
) -> Case:
    """An answer; ``plain`` makes of its parameters and data what must have been taken."""
    number = dice.choice(NUMBERS).to_bytes(2, "big")
    request = b"\x32\x01\0\0" + number + bytes(4) + bytes((function,))
    lengths = (1 + len(parameters)).to_bytes(2, "big") + len(data).to_bytes(2, "big")
    head = b"\x32\x03\0\0" + number + lengths + bytes(2) + bytes((function,))

    def decode(pieces: Sequence[bytes]) -> Any:
        return take(codec.body(b"".join(pieces), request))

    def holds(came: bytes, taken: Any) -> bool:
        middle = int.from_bytes(came[6:8], "big")
        is_answer = came[0] == 0x32 and came[1] in (2, 3) and came[4:6] == number
        is_whole = len(came) == 12 + middle + int.from_bytes(came[8:10], "big") and middle > 0
        is_good = came[10:12] == bytes(2) and came[12] == function
        return bool(
            is_answer
            and is_whole
            and is_good
            and plain(came[13 : 12 + middle], came[12 + middle :]) == taken
        )

    def seal(came: bytes) -> bytes:
        """The lengths in the head are right, whatever they count."""
        body = came[len(head) :]
        middle = min(len(parameters), len(body))
        counts = (1 + middle).to_bytes(2, "big") + (len(body) - middle).to_bytes(2, "big")
        return head[:6] + counts + head[10:] + body

    return Case(head + parameters + data, decode, holds, seal)


def _items(dice: Random) -> Case:
    sizes = [dice.choice((1, 2, 3, 4, 8, 21)) for _ in range(dice.randint(1, 5))]
    items = [codec.Item(Area.DB, 1, 0, size) for size in sizes]
    if dice.random() < 0.1:
        items = [codec.Item(Area.TIMER, 0, 5, 3)]
    data = b""
    for item in items:
        data += bytes(len(data) % 2)  # an odd one is filled up before the next
        if dice.random() < 0.2:
            data += bytes((dice.choice((1, 3, 5, 6, 7, 10)), 0, 0, 0))
            continue
        unit = 9 if item.area.is_element else dice.choice((4, 4, 9, 7, 3))
        count = 8 * item.size if unit == 4 else item.size
        data += bytes((0xFF, unit)) + count.to_bytes(2, "big") + dice.randbytes(item.size)

    def plain(parameters: bytes, body: bytes) -> list[bytes | int] | None:
        if parameters != bytes((len(items),)):
            return None
        found: list[bytes | int] = []
        for item in items:
            code, unit, size = body[0], body[1], int.from_bytes(body[2:4], "big")
            if code != 0xFF:
                found.append(code)
                body = body[4:]
                continue
            size = size // 8 if unit in (4, 5) else size
            if size != item.size or len(body) < 4 + size:
                return None
            found.append(body[4 : 4 + size])
            body = body[4 + size + size % 2 :]
        return None if body else found

    parameters = bytes((len(items),))
    return _case(dice, _READ, parameters, data, lambda body: codec.parts(body, items), plain)


def _setup(dice: Random) -> Case:
    parameters = b"\0\0\1\0\1" + dice.choice((240, 480, 960)).to_bytes(2, "big")

    def plain(parameters: bytes, _: bytes) -> int | None:
        return parameters[5] << 8 | parameters[6] if len(parameters) == 7 else None

    return _case(dice, _SETUP, parameters, b"", codec.agreed_length, plain)


def _written(dice: Random) -> Case:
    data = bytes((dice.choice((0xFF, 0xFF, 5, 10)),))

    def plain(parameters: bytes, data: bytes) -> int | None:
        return data[0] if parameters == b"\1" and len(data) == 1 else None

    return _case(dice, _WRITE, b"\1", data, codec.confirmation, plain)


def _identity(dice: Random) -> Case:
    number = dice.choice(NUMBERS).to_bytes(2, "big")
    request = b"\x32\x07\0\0" + number + bytes(8)
    order = dice.choice((b"6ES7 516-3AN01-0AB0", b"6ES7315-2EH14-0AB0", b"6AG1 214-1AG40-4XB0"))
    listed = bytes.fromhex("0011 0000 001c 0001 0001") + order.ljust(26)
    data = b"\xff\x09" + len(listed).to_bytes(2, "big") + listed
    begin = b"\x32\x07\0\0" + number + bytes.fromhex("000c")
    parameters = bytes.fromhex("000112081284010000000000")
    whole = begin + len(data).to_bytes(2, "big") + parameters + data

    def decode(pieces: Sequence[bytes]) -> str | None:
        return order_number(b"".join(pieces), request) or None

    def holds(came: bytes, taken: str) -> bool:
        """It stands in the data of a sound answer, in the form that order numbers have."""
        is_of_it = came[:2] + came[4:8] == begin[:2] + begin[4:]
        is_whole = is_of_it and len(came) == 22 + int.from_bytes(came[8:10], "big")
        is_good = came[20:22] == bytes(2) and came[22] == 0xFF
        groups = [len(group) for group in taken.split("-")]
        return bool(is_whole and is_good and taken.encode() in came[23:] and groups[1:] == [5, 4])

    def seal(came: bytes) -> bytes:
        body = came[22:]
        return begin + len(body).to_bytes(2, "big") + parameters + body

    return Case(whole, decode, holds, seal)


TARGETS = (
    Target("s7/items", _items, REFUSALS),
    Target("s7/setup", _setup, REFUSALS),
    Target("s7/written", _written, REFUSALS),
    Target("s7/identity", _identity, REFUSALS),
)
