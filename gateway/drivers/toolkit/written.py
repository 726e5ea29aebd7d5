"""What drivers have in common of what people write: types in addresses, texts for devices. Pure."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gateway.drivers.api import DriverError, Point

_TYPE = re.compile(r"(?P<type>[a-z_]+\d*)(?:\[(?P<length>\d{1,4})\])?", re.ASCII)


def typed(word: str, text: str, examples: str) -> dict[str, Any]:
    """The fields of ``float32`` or ``string[10]``: ``type`` and, if it stands there, ``length``.

    Args:
        word: as it is written.
        text: the whole address, for the message.
        examples: what to write instead, for the message.

    Raises:
        ValueError: the word has no such form.
    """
    match = _TYPE.fullmatch(word.lower())
    if match is None:
        raise ValueError(f"{word!r} is no type in {text!r}; write it as {examples}")
    length = {} if match["length"] is None else {"length": int(match["length"])}
    return {"type": match["type"], **length}


def encoded(value: float | bool | str, encoding: str) -> bytes:
    """The bytes of a text.

    Raises:
        ValueError: no text, or it cannot be written in this encoding.
    """
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")  # noqa: TRY004 - one error for a wrong value
    try:
        return value.encode(encoding)
    except UnicodeEncodeError as problem:
        raise ValueError(f"{value!r} cannot be written in {encoding}") from problem


@contextmanager
def writing(point: Point, read_only: Callable[[Any], str]) -> Iterator[None]:
    """Make the request that writes a value: what cannot be written is said in one way.

    Args:
        point: where it is written.
        read_only: of the driver's SPEC.

    Raises:
        DriverError: the point cannot be written, or the value does not fit (ValueError within).
    """
    what = f"cannot write {point.name} ({point.address})"
    if why := read_only(point.address):
        raise DriverError(f"{what}: {why}")
    try:
        yield
    except ValueError as error:
        raise DriverError(f"{what}: {error}") from error
