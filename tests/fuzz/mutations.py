"""What happens to the bytes of a right answer; each change takes another answer for material."""

from collections.abc import Callable
from random import Random

ODD = b"\x00\x01\x02\x10\x16\x33\x68\x7f\x80\x81\xaa\xcb\xfe\xff"
"""Bytes that mean something to one protocol or another, and the edges of counts."""
_MOST_CHANGES = 4
_MOST_PIECES = 5


def _flipped(dice: Random, data: bytearray, _: bytes) -> None:
    at = dice.randrange(len(data))
    data[at] ^= 1 << dice.randrange(8)


def _set(dice: Random, data: bytearray, _: bytes) -> None:
    data[dice.randrange(len(data))] = dice.choice(ODD)


def _counted_otherwise(dice: Random, data: bytearray, _: bytes) -> None:
    """A length, somewhere, in one byte or two of either order, is a little off or at an edge."""
    at, size = dice.randrange(len(data)), dice.choice((1, 2))
    order = dice.choice(("big", "little"))
    most = 1 << 8 * len(data[at : at + size])
    count = int.from_bytes(data[at : at + size], order) + dice.choice((-2, -1, 1, 2, 8))
    count = dice.choice((count, count, count, 0, most - 1)) % most
    data[at : at + size] = count.to_bytes(len(data[at : at + size]), order)


def _cut(dice: Random, data: bytearray, _: bytes) -> None:
    begin, stop = _span(dice, data)
    del data[begin:stop]


def _ended(dice: Random, data: bytearray, _: bytes) -> None:
    del data[dice.randrange(len(data)) :]


def _inserted(dice: Random, data: bytearray, _: bytes) -> None:
    at = dice.randrange(len(data) + 1)
    data[at:at] = bytes(dice.choices(ODD, k=dice.randint(1, 4)))


def _repeated(dice: Random, data: bytearray, _: bytes) -> None:
    begin, stop = _span(dice, data)
    data[begin:begin] = data[begin:stop]


def _said_twice(_dice: Random, data: bytearray, _: bytes) -> None:
    data += bytes(data)


def _spliced(dice: Random, data: bytearray, other: bytes) -> None:
    """The begin of this answer and the end of another."""
    data[dice.randrange(len(data)) :] = other[dice.randrange(len(other) + 1) :]


def _preceded(_dice: Random, data: bytearray, other: bytes) -> None:
    data[:0] = other


def _followed(_dice: Random, data: bytearray, other: bytes) -> None:
    data += other


def _span(dice: Random, data: bytearray) -> tuple[int, int]:
    begin = dice.randrange(len(data))
    return begin, min(len(data), begin + dice.choice((1, 1, 2, 3, 4, 8, 16)))


CHANGES: tuple[Callable[[Random, bytearray, bytes], None], ...] = (
    _flipped,
    _set,
    _counted_otherwise,
    _cut,
    _ended,
    _inserted,
    _repeated,
    _said_twice,
    _spliced,
    _preceded,
    _followed,
)


def mutated(dice: Random, answer: bytes, other: bytes) -> bytes:
    """An answer after one change or a few."""
    data = bytearray(answer)
    for _ in range(dice.randint(1, _MOST_CHANGES)):
        if not data:
            break
        dice.choice(CHANGES)(dice, data, other)
    return bytes(data)


def pieces(dice: Random, data: bytes) -> list[bytes]:
    """The same bytes as they may come over a network."""
    places = sorted(dice.randrange(len(data) + 1) for _ in range(dice.randrange(_MOST_PIECES)))
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True) if a < b]
