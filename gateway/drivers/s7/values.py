"""Values in the memory of a SIMATIC controller: the most significant byte first. Pure.

Sources: Siemens, S7-1200 system manual, chapter "Data types"; S7-300/400 instruction list for
S5TIME, counters and DATE_AND_TIME.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from gateway.core.schema import Column, Kind
from gateway.drivers.toolkit import numbers
from gateway.drivers.toolkit.transforms import PackedDecimal, Wrong
from gateway.drivers.toolkit.written import encoded


class DataType(StrEnum):
    """What the memory of a tag holds."""

    BOOL = "bool"
    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    STRING = "string"
    WSTRING = "wstring"
    DATE_AND_TIME = "date_and_time"
    DTL = "dtl"
    TIMER = "timer"
    COUNTER = "counter"

    @property
    def code(self) -> str:
        """NumPy type without byte order, ``f4``; plain numbers only, else empty."""
        return numbers.CODES.get(self, "")

    @property
    def kind(self) -> Kind:
        """The kind of column that holds it."""
        return _KINDS[self] if self in _KINDS else numbers.kind_of(self.code)

    @property
    def is_text(self) -> bool:
        """Whether it has a length of its own."""
        return self in {DataType.STRING, DataType.WSTRING}

    def size(self, length: int | None) -> int:
        """Bytes that it takes; of a text with so many characters those of its head too."""
        if self in numbers.CODES:
            return numbers.size_of(numbers.CODES[self])
        of_text = {DataType.STRING: 1, DataType.WSTRING: 2}.get(self, 0)
        return of_text * (2 + (length or 0)) or _SIZES[self]


class Encoding(StrEnum):
    """What the bytes of a STRING mean; a controller does not know."""

    ASCII = "ascii"
    LATIN = "cp1252"
    GBK = "gbk"
    UTF8 = "utf-8"


_KINDS = {
    DataType.BOOL: Kind.BOOL,
    DataType.STRING: Kind.STRING,
    DataType.WSTRING: Kind.STRING,
    DataType.DATE_AND_TIME: Kind.STRING,
    DataType.DTL: Kind.STRING,
    DataType.TIMER: Kind.FLOAT64,
    DataType.COUNTER: Kind.UINT64,
}
_SIZES = {
    DataType.BOOL: 1,
    DataType.DATE_AND_TIME: 8,
    DataType.DTL: 12,
    DataType.TIMER: 2,
    DataType.COUNTER: 2,
}

WORDS = {
    "byte": DataType.UINT8,
    "usint": DataType.UINT8,
    "sint": DataType.INT8,
    "word": DataType.UINT16,
    "uint": DataType.UINT16,
    "int": DataType.INT16,
    "dword": DataType.UINT32,
    "udint": DataType.UINT32,
    "dint": DataType.INT32,
    "lword": DataType.UINT64,
    "ulint": DataType.UINT64,
    "lint": DataType.INT64,
    "real": DataType.FLOAT32,
    "lreal": DataType.FLOAT64,
    "dt": DataType.DATE_AND_TIME,
}
"""Names of types in the engineering tool, and ours."""


@dataclass(frozen=True, slots=True)
class S5Time:
    """A timer's word: a decimal number of three digits, and in which steps it counts."""

    def __call__(self, raw: Column) -> tuple[Column, Wrong]:
        """Seconds: steps of 10 ms, 100 ms, 1 s or 10 s."""
        steps, wrong = PackedDecimal(4)(raw & 0x0FFF)
        values = steps * np.array([0.01, 0.1, 1.0, 10.0])[(raw >> 12 & 3).astype(np.intp)]
        return values, wrong

    def raw_of(self, value: int) -> int:
        """Timers are not written."""
        raise ValueError(f"{value} cannot be written to a timer")


def decode_string(body: bytes, encoding: Encoding) -> str:
    """A STRING: longest and present length, then its characters.

    Raises:
        UnicodeDecodeError: it says that it is longer than it can be, or than was read, or it is
            none of this encoding.
    """
    longest, length = body[0], body[1]
    if length > longest or length > len(body) - 2:
        raise UnicodeDecodeError("STRING", body, 1, 2, f"{length} characters of {longest}")
    return body[2 : 2 + length].decode(encoding)


def decode_wstring(body: bytes) -> str:
    """A WSTRING: the same in words, its characters in UTF-16.

    Raises:
        UnicodeDecodeError: as above, or it is no UTF-16.
    """
    longest, length = int.from_bytes(body[:2], "big"), int.from_bytes(body[2:4], "big")
    if length > longest or 2 * length > len(body) - 4:
        raise UnicodeDecodeError("WSTRING", body, 2, 4, f"{length} characters of {longest}")
    return body[4 : 4 + 2 * length].decode("utf-16-be")


def decode_date_and_time(body: bytes) -> str:
    """A DATE_AND_TIME, eight bytes of decimal digits, as ISO 8601 text without time zone.

    Raises:
        UnicodeDecodeError: it is no time.
    """
    try:
        year, *rest = (_decimal(byte) for byte in body[:6])
        milliseconds = int(f"{body[6]:02x}{body[7] >> 4:x}")  # the weekday follows
        century = 1900 if year >= 90 else 2000  # noqa: PLR2004 - DATE_AND_TIME begins in 1990
        moment = datetime(century + year, *rest) + timedelta(milliseconds=milliseconds)  # type: ignore[arg-type] # noqa: DTZ001 - a controller has no zone
    except ValueError as error:
        raise UnicodeDecodeError("DATE_AND_TIME", body, 0, len(body), str(error)) from error
    return moment.isoformat(timespec="milliseconds")


def _decimal(byte: int) -> int:
    return int(f"{byte:02x}")


def decode_dtl(body: bytes) -> str:
    """A DTL, twelve bytes of binary numbers, as ISO 8601 text without time zone.

    Raises:
        UnicodeDecodeError: it is no time.
    """
    year, nanoseconds = int.from_bytes(body[:2], "big"), int.from_bytes(body[8:12], "big")
    try:
        day, time = (body[2], body[3]), (body[5], body[6], body[7])
        moment = datetime(year, *day, *time, nanoseconds // 1000)  # noqa: DTZ001 - it has no zone
    except ValueError as error:
        raise UnicodeDecodeError("DTL", body, 0, len(body), str(error)) from error
    return moment.isoformat(timespec="milliseconds")


def encode_text(encoding: Encoding | None, value: float | bool | str, longest: int) -> bytes:
    """Present length and characters of a text; the longest length before them stays as it is.

    Args:
        encoding: of a STRING; None: a WSTRING.
        value: the text.
        longest: how many bytes (of a WSTRING: words) there is room for.

    Raises:
        ValueError: no text, longer, or not writable.
    """
    body = encoded(value, encoding or "utf-16-be")
    width = 1 if encoding else 2
    length = len(body) // width
    if length > longest:
        raise ValueError(f"{value!r} takes {length} characters; there is room for {longest}")
    return length.to_bytes(width, "big") + body
