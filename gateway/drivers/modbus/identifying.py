"""What a unit says of itself: function 43/14, read device identification. Pure.

Source: MODBUS Application Protocol V1.1b3, section 6.21.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from gateway.drivers.modbus.codec import (
    Answer,
    Request,
)
from gateway.drivers.modbus.framing.identification import (
    IDENTIFICATION,
    IDENTIFICATION_HEAD,
    object_end,
)

BASIC, REGULAR = 1, 2
NAMES = ("vendor", "product_code", "revision", "url", "product", "model", "application")
_MOST_REQUESTS = 16
_MORE = 0xFF


class Part(NamedTuple):
    """One answer.

    Attributes:
        objects: what it holds, by object id.
        goes_on_at: object to ask for next; None: this was the last.
    """

    objects: dict[int, str]
    goes_on_at: int | None


def identification(level: int, first: int) -> Request:
    """Ask for the objects of a level (1: basic, 2: regular too) from one on."""
    return Request(IDENTIFICATION + bytes((level, first)), IDENTIFICATION, 0)


def part(data: bytes) -> Part:
    """What an answer says; ``data`` begins after the function and its MEI type."""
    objects: dict[int, str] = {}
    at = IDENTIFICATION_HEAD - len(IDENTIFICATION)
    for _ in range(data[at - 1]):
        if at + 1 >= len(data):
            break
        end = object_end(data, at)
        objects[data[at]] = data[at + 2 : end].decode("utf-8", "replace").strip("\0 ")
        at = end
    return Part(objects, data[3] if data[2] == _MORE else None)


async def identify(ask: Callable[[Request], Awaitable[Answer]]) -> dict[str, str]:
    """All that a unit says of itself, by name; empty: nothing, or it does not know the function.

    Args:
        ask: asks the unit once.
    """
    for level in (REGULAR, BASIC):
        found = await _all_of(level, ask)
        if found:
            return {_name(number): text for number, text in found.items() if text}
    return {}


async def _all_of(level: int, ask: Callable[[Request], Awaitable[Answer]]) -> dict[int, str]:
    found: dict[int, str] = {}
    following: int | None = 0
    for _ in range(_MOST_REQUESTS):
        if following is None:
            break
        answer = await ask(identification(level, following))
        if not isinstance(answer, bytes):
            break
        said = part(answer)
        following = said.goes_on_at if not found.keys() >= said.objects.keys() else None
        found |= said.objects
    return found


def _name(number: int) -> str:
    return NAMES[number] if number < len(NAMES) else f"object_{number}"
