"""A cursor over OPC UA binary data: read what is needed, skip what is not. Pure.

Built-in types by number and their encoding: OPC UA Part 6, 5.1.2 and 5.2.2. Nothing here
allocates by a length that the peer announced; every length is checked against what is there.
"""

import struct
from collections.abc import Callable
from struct import Struct

_BYTE = Struct("<B")
_INT32 = Struct("<i")
_UINT32 = Struct("<I")

FIXED_SIZE = {
    1: 1,  # Boolean
    2: 1,  # SByte
    3: 1,  # Byte
    4: 2,  # Int16
    5: 2,  # UInt16
    6: 4,  # Int32
    7: 4,  # UInt32
    8: 8,  # Int64
    9: 8,  # UInt64
    10: 4,  # Float
    11: 8,  # Double
    13: 8,  # DateTime
    14: 16,  # Guid
    19: 4,  # StatusCode
}
"""Bytes of the built-in types of fixed size."""

ARRAY = 0x80
"""Bit of a variant's first byte that says the value is an array."""
DIMENSIONS = 0x40
"""Bit of it that says that the sizes of a matrix follow its elements."""
TYPE_BITS = 0x3F
"""Bits of it that say of which built-in type the value, or each element, is."""
REPLACED = "\ufffd"
"""Stands in a text where its bytes were no UTF-8."""
_BODIES = frozenset({0, 1, 2})
"""Encodings of an extension object's body: none, bytes, XML (Part 6, 5.2.2.15)."""
_MAX_DEPTH = 16


class CodecError(ValueError):
    """Bytes of the server break OPC UA's binary encoding; the message says where and how."""


class Cursor:
    """A position in one message."""

    __slots__ = ("at", "body")

    def __init__(self, body: bytes, at: int = 0) -> None:
        self.body = body
        self.at = at

    def _take(self, layout: Struct) -> int:
        try:
            (number,) = layout.unpack_from(self.body, self.at)
        except struct.error as error:
            raise CodecError(
                f"message ends at {len(self.body)}, wanted more at {self.at}"
            ) from error
        self.at += layout.size
        return int(number)

    def byte(self) -> int:
        """Next unsigned byte."""
        return self._take(_BYTE)

    def int32(self) -> int:
        """Next signed 32-bit number."""
        return self._take(_INT32)

    def uint32(self) -> int:
        """Next unsigned 32-bit number."""
        return self._take(_UINT32)

    def skip(self, size: int) -> None:
        """Leave out ``size`` bytes.

        Raises:
            CodecError: fewer are left, or the size is negative.
        """
        if not 0 <= size <= len(self.body) - self.at:
            raise CodecError(f"length {size} at {self.at} does not fit {len(self.body)} bytes")
        self.at += size

    def take(self, size: int) -> bytes:
        """Next ``size`` bytes.

        Raises:
            CodecError: fewer are left.
        """
        start = self.at
        self.skip(size)
        return self.body[start : self.at]

    def bytestring(self) -> bytes:
        """Next length-prefixed bytes; null is empty."""
        return self.take(max(self.int32(), 0))

    def string(self) -> str:
        """Next string; null is empty, wrong UTF-8 is replaced."""
        return self.bytestring().decode("utf-8", "replace")  # by REPLACED

    def count(self, smallest: int = 1) -> int:
        """Next array length; null is 0.

        Args:
            smallest: bytes that an element takes at least.

        Raises:
            CodecError: so many elements cannot follow.
        """
        number = max(self.int32(), 0)
        if number * smallest > len(self.body) - self.at:
            raise CodecError(f"{number} elements announced at {self.at} do not fit")
        return number

    def node_id(self) -> int | None:
        """Next (expanded) node id: its number if it is a number of namespace 0, else None."""
        encoding = self.byte()
        number = self._node_body(encoding & TYPE_BITS)
        if encoding & 0x80:
            self.bytestring()
        if encoding & 0x40:
            self.skip(4)
        return number

    def _node_body(self, form: int) -> int | None:
        if form == 0:
            return self.byte()
        if form == 1:
            namespace, low, high = self.byte(), self.byte(), self.byte()
            return None if namespace else low | high << 8
        if form == 2:  # noqa: PLR2004 - Part 6, table 17
            namespace = self.byte() | self.byte() << 8
            number = self.uint32()
            return None if namespace else number
        self.skip(2)
        if form in (3, 5):
            self.bytestring()
        elif form == 4:  # noqa: PLR2004 - as above
            self.skip(16)
        else:
            raise CodecError(f"node id of unknown form {form} before {self.at}")
        return None

    def localized_text(self) -> str:
        """Text of the next LocalizedText."""
        mask = self.byte()
        if mask & 1:
            self.bytestring()
        return self.string() if mask & 2 else ""

    def extension_object(self) -> tuple[int | None, int]:
        """Type and end of the next extension object; the cursor stands at its body."""
        kind, encoding = self.node_id(), self.byte()
        if encoding not in _BODIES:
            raise CodecError(f"extension object of unknown encoding {encoding} before {self.at}")
        size = max(self.int32(), 0) if encoding else 0
        if size > len(self.body) - self.at:
            raise CodecError(f"extension object of {size} bytes at {self.at} does not fit")
        return kind, self.at + size

    def skip_extension_object(self) -> None:
        """Leave out an extension object."""
        _, self.at = self.extension_object()

    def skip_diagnostic_info(self, depth: int = 0) -> None:
        """Leave out a DiagnosticInfo."""
        _check_depth(depth)
        mask = self.byte()
        self.skip(4 * (mask & 0x0F).bit_count())
        if mask & 0x10:
            self.bytestring()
        if mask & 0x20:
            self.skip(4)
        if mask & 0x40:
            self.skip_diagnostic_info(depth + 1)

    def skip_variant(self, depth: int = 0) -> None:
        """Leave out a variant, array or not."""
        _check_depth(depth)
        encoding = self.byte()
        self.skip_variant_body(encoding, depth)

    def skip_variant_body(self, encoding: int, depth: int = 0) -> None:
        """Leave out what follows a variant's first byte."""
        kind = encoding & TYPE_BITS
        if not encoding & ARRAY:
            self.skip_value(kind, depth)
            return
        size = FIXED_SIZE.get(kind)
        number = self.count(size or 1) if kind else self.count(0)
        if size is not None:
            self.skip(size * number)
        else:
            for _ in range(number if kind else 0):
                self.skip_value(kind, depth)
        if encoding & DIMENSIONS:
            self.skip(4 * self.count(4))

    def skip_value(self, kind: int, depth: int = 0) -> None:
        """Leave out one value of a built-in type."""
        size = FIXED_SIZE.get(kind)
        if size is not None:
            self.skip(size)
        elif kind in _SKIP:
            _SKIP[kind](self)
        elif kind in _SKIP_NESTED:
            _SKIP_NESTED[kind](self, depth + 1)
        elif kind:
            raise CodecError(f"variant of unknown type {kind} before {self.at}")

    def skip_data_value(self, depth: int = 0) -> None:
        """Leave out a DataValue."""
        _check_depth(depth)
        mask = self.byte()
        if mask & 0x01:
            self.skip_variant(depth + 1)
        self.skip(sum(size for bit, size in DATA_VALUE_PARTS if mask & bit))

    def skip_qualified_name(self) -> None:
        """Leave out a QualifiedName."""
        self.skip(2)
        self.bytestring()


DATA_VALUE_PARTS = ((0x02, 4), (0x04, 8), (0x10, 2), (0x08, 8), (0x20, 2))
"""Mask bit and size of what follows the variant, in order: status, source time and its
picoseconds, server time and its picoseconds (Part 6, 5.2.2.17)."""

_SKIP: dict[int, Callable[[Cursor], object]] = {
    12: Cursor.bytestring,  # String
    15: Cursor.bytestring,  # ByteString
    16: Cursor.bytestring,  # XmlElement
    17: Cursor.node_id,
    18: Cursor.node_id,  # ExpandedNodeId
    20: Cursor.skip_qualified_name,
    21: Cursor.localized_text,
    22: Cursor.skip_extension_object,
}
_SKIP_NESTED: dict[int, Callable[[Cursor, int], None]] = {
    23: Cursor.skip_data_value,
    24: Cursor.skip_variant,
    25: Cursor.skip_diagnostic_info,
}


def _check_depth(depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise CodecError(f"values nested deeper than {_MAX_DEPTH}")
