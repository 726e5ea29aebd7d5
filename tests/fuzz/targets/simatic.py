"""S7 communication: setup, what is read part by part, and how a write is confirmed."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from gateway.drivers.s7 import codec
from gateway.drivers.s7.address import Area
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


TARGETS = (
    Target("s7/items", _items, REFUSALS),
    Target("s7/setup", _setup, REFUSALS),
    Target("s7/written", _written, REFUSALS),
)
