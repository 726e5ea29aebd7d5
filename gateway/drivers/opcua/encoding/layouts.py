"""How structures are encoded: their fields in order, so that one can be found. Pure.

Encoding: OPC UA Part 6, 5.2.6 (structures), 5.2.7 (optional fields), 5.2.8 (unions).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from math import prod
from typing import NamedTuple, Union

from gateway.drivers.opcua.encoding.binary import FIXED_SIZE, CodecError, Cursor

STRUCTURE = 22
"""Built-in type of a structure in a variant: an extension object."""

_MAX_DEPTH = 16


class Content(NamedTuple):
    """What stands at a place.

    Attributes:
        type: number of the built-in type, or the layout of a structure, of each value there.
        dimensions: of an array; 0: one value.
        is_counted_behind: whether the sizes of a matrix stand behind its elements, as in a
            variant, and not before them, as in a field.
    """

    type: Union[int, "Layout"]
    dimensions: int = 0
    is_counted_behind: bool = False


class Form(Enum):
    """How the fields of a structure follow one another."""

    ALL = "all"
    OPTIONAL = "optional"
    UNION = "union"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a structure; ``is_optional`` ones may be absent."""

    name: str
    content: Content
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """A structure.

    Attributes:
        form: how its fields follow one another.
        fields: in order.
    """

    form: Form
    fields: Sequence[Field]

    def move_to(self, cursor: Cursor, name: str) -> Content | None:
        """Move from the begin of a structure to a field; None: it has none, or not this time."""
        for field in self._present(cursor):
            if field.name == name:
                return field.content
            skip(cursor, field.content)
        return None

    def fills(self, cursor: Cursor, end: int) -> bool:
        """Whether a structure at the cursor, which stays, ends where it must.

        Else it is not as the server described it – its program was changed, say – and a field
        would be read where another one stands.

        Raises:
            CodecError: the message ends before it does.
        """
        ahead = Cursor(cursor.body, cursor.at)
        self.skip(ahead, 0)
        return ahead.at == end

    def skip(self, cursor: Cursor, depth: int) -> None:
        """Leave out a whole structure."""
        for field in self._present(cursor):
            skip(cursor, field.content, depth)

    def _present(self, cursor: Cursor) -> Sequence[Field]:
        """The fields that are there, by what stands before them."""
        if self.form is Form.ALL:
            return self.fields
        number = cursor.uint32()
        if self.form is Form.UNION:
            return self.fields[number - 1 : number] if number else ()
        optional = [field for field in self.fields if field.is_optional]
        absent = {one.name for bit, one in enumerate(optional) if not number >> bit & 1}
        return [field for field in self.fields if field.name not in absent]


def skip(cursor: Cursor, content: Content, depth: int = 0) -> None:
    """Leave out what stands at a place."""
    if depth > _MAX_DEPTH:
        raise CodecError(f"structures nested deeper than {_MAX_DEPTH}")
    skip_values(cursor, content, prod(sizes(cursor, content)) if content.dimensions else 1, depth)
    if content.is_counted_behind:
        cursor.skip(4 * cursor.count(4))


def skip_values(cursor: Cursor, content: Content, count: int, depth: int = 0) -> None:
    """Leave out some of the values at a place."""
    if isinstance(content.type, int) and content.type in FIXED_SIZE:
        cursor.skip(FIXED_SIZE[content.type] * count)
        return
    for _ in range(count):
        if isinstance(content.type, int):
            cursor.skip_value(content.type)
        else:
            content.type.skip(cursor, depth + 1)


def sizes(cursor: Cursor, content: Content) -> list[int]:
    """Sizes of an array, one a dimension; the cursor stands at its elements then."""
    if content.is_counted_behind:
        count = cursor.count(_smallest(content))
        ahead = Cursor(cursor.body, cursor.at)
        skip_values(ahead, content, count)
        found = [max(ahead.int32(), 0) for _ in range(ahead.count(4))]
    elif content.dimensions > 1:
        found = [max(cursor.int32(), 0) for _ in range(cursor.count(4))]
        count = prod(found)
    else:
        return [cursor.count(_smallest(content))]
    if prod(found) != count or count * _smallest(content) > len(cursor.body) - cursor.at:
        raise CodecError(f"an array of {found} does not fit at {cursor.at}")
    return found


def _smallest(content: Content) -> int:
    """Bytes that a value takes at least; a structure has a field."""
    return FIXED_SIZE.get(content.type, 1) if isinstance(content.type, int) else 1


Layouts = Mapping[str, Layout]
"""Of structures that are known, by the node id of their binary encoding as text."""
