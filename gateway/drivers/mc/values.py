"""Values in words of a MELSEC controller: low word first, in it the low byte first. Pure."""

from enum import StrEnum

from gateway.core.schema import Kind
from gateway.drivers.toolkit import numbers
from gateway.drivers.toolkit.written import encoded

WORD_BYTES = 2


class DataType(StrEnum):
    """What the devices of a tag hold."""

    BOOL = "bool"
    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    STRING = "string"

    @property
    def code(self) -> str:
        """NumPy type without byte order, ``f4``; numbers only, else empty."""
        return numbers.CODES.get(self, "")

    @property
    def kind(self) -> Kind:
        """The kind of column that holds it."""
        plain = {DataType.BOOL: Kind.BOOL, DataType.STRING: Kind.STRING}
        return plain[self] if self in plain else numbers.kind_of(self.code)

    @property
    def size(self) -> int:
        """Bytes of a number; 0 for bool and string."""
        return numbers.size_of(numbers.CODES[self]) if self in numbers.CODES else 0


class Encoding(StrEnum):
    """How text is written in words."""

    ASCII = "ascii"
    UTF8 = "utf-8"
    GBK = "gbk"
    SHIFT_JIS = "shift_jis"


def decode_text(body: bytes, encoding: Encoding) -> str:
    """The text in words: up to the first NUL, without trailing blanks.

    Raises:
        UnicodeDecodeError: the bytes are none of this encoding, or a NUL stands before them.
    """
    text = body.split(b"\0", 1)[0]
    if not text and any(body):
        raise UnicodeDecodeError(encoding, body, 0, 1, "a NUL before the text")
    return text.decode(encoding).rstrip()


def encode_text(length: int, encoding: Encoding, value: float | bool | str) -> bytes:
    """The words of a text, filled up with NUL.

    Args:
        length: longest text, bytes.
        encoding: of its characters.
        value: the text.

    Raises:
        ValueError: no text, not writable in the encoding, longer, or such as reading does not give:
            with a NUL in it, or a blank at its end.
    """
    body = encoded(value, encoding)
    if len(body) > length:
        raise ValueError(f"{value!r} needs {len(body)} bytes; it may have {length}")
    if b"\0" in body or decode_text(body, encoding) != value:
        raise ValueError(f"{value!r} would not be read back: a NUL in it, or a blank at its end")
    return body.ljust(length + length % WORD_BYTES, b"\0")
