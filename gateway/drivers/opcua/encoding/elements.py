"""One part of an array or structure, out of its encoded bytes. Pure.

Whole values are asked for and parts are picked here: servers exist that ignore an IndexRange, and
nothing in their answer says so.
"""

from collections.abc import Mapping, Sequence
from struct import Struct
from typing import NamedTuple

from gateway.drivers.opcua.encoding.binary import (
    ARRAY,
    DIMENSIONS,
    TYPE_BITS,
    CodecError,
    Cursor,
)
from gateway.drivers.opcua.encoding.layouts import STRUCTURE, Content, Layouts, sizes, skip_values
from gateway.drivers.opcua.encoding.texts import TEXTS, node_id
from gateway.drivers.opcua.encoding.values import CODES, M64, Values
from gateway.drivers.opcua.parts import Step

_VARIANT = 24


class Part(NamedTuple):
    """What a path leads to.

    Attributes:
        variant: its built-in type.
        bits: raw bits, as in ``Values``; 0 of a text.
        text: the text of a type that has one.
    """

    variant: int
    bits: int
    text: str | None


def pick_parts(values: Values, paths: Mapping[int, Sequence[Step]], layouts: Layouts) -> None:
    """Put the parts that are wanted in the place of whole values.

    A value without such a part stays what it is, so it fits no type; one that is no array and no
    structure has no part either.

    Args:
        values: just decoded.
        paths: by handle, of the points that want a part.
        layouts: of the structures that are known.
    """
    for at, handle in enumerate(values.handle.tolist()):
        path = paths.get(handle)
        if path is None:
            continue
        body, encoding = values.bodies.get(at), int(values.variant[at])
        part = None if body is None else find_part(encoding, body, path, layouts)
        if part is not None:
            values.variant[at], values.bits[at] = part.variant, part.bits
            if part.text is not None:
                values.texts[at] = part.text.rstrip("\0")
        elif encoding:
            values.variant[at] = encoding | ARRAY  # of no type
            values.texts.pop(at, None)


def find_part(encoding: int, body: bytes, path: Sequence[Step], layouts: Layouts) -> Part | None:
    """What a path leads to; None: there is nothing, or nothing that is one value.

    Args:
        encoding: first byte of the variant.
        body: what followed it.
        path: at least one step.
        layouts: of the structures that are known.
    """
    cursor = Cursor(body)
    content = _content_of(encoding)
    try:
        for step in path:
            following = _follow(cursor, content, step, layouts)
            if following is None:
                return None
            content = following
        return _value(cursor, content)
    except CodecError:  # bytes that lie about themselves hold no part
        return None


def array_sizes(encoding: int, body: bytes) -> list[int]:
    """Sizes of an array, one a dimension; none of what is no array.

    Args:
        encoding: first byte of the variant.
        body: what followed it.

    Raises:
        CodecError: the bytes are malformed.
    """
    content = _content_of(encoding)
    return sizes(Cursor(body), content) if content.dimensions else []


def _follow(cursor: Cursor, content: Content, step: Step, layouts: Layouts) -> Content | None:
    if isinstance(step, str):
        return _field(cursor, content, step, layouts)
    return _element(cursor, content, step)


def _content_of(encoding: int) -> Content:
    is_matrix = bool(encoding & DIMENSIONS)
    return Content(encoding & TYPE_BITS, 1 if encoding & ARRAY else 0, is_matrix)


def _element(cursor: Cursor, content: Content, index: tuple[int, ...]) -> Content | None:
    """Move to an element."""
    if not content.dimensions:
        return None
    found = sizes(cursor, content)
    if len(found) != len(index) or any(at >= size for at, size in zip(index, found, strict=True)):
        return None
    place = 0
    for at, size in zip(index, found, strict=True):
        place = place * size + at
    skip_values(cursor, content, place)
    return _content_of(cursor.byte()) if content.type == _VARIANT else Content(content.type)


def _field(cursor: Cursor, content: Content, name: str, layouts: Layouts) -> Content | None:
    """Move to a field of a structure."""
    if content.dimensions:
        return None
    if not isinstance(content.type, int):
        return content.type.move_to(cursor, name)
    if content.type != STRUCTURE:
        return None
    layout = layouts.get(node_id(Cursor(cursor.body, cursor.at)))
    _, end = cursor.extension_object()
    if layout is None or not layout.fills(cursor, end):
        return None
    return layout.move_to(cursor, name)


def _value(cursor: Cursor, content: Content) -> Part | None:
    kind = content.type
    if content.dimensions or not isinstance(kind, int):
        return None
    if kind in TEXTS:
        return Part(kind, 0, TEXTS[kind](cursor))
    if kind not in CODES:
        return None
    number = Struct("<" + CODES[kind])
    start = cursor.at
    cursor.skip(number.size)
    return Part(kind, number.unpack_from(cursor.body, start)[0] & M64, None)
