"""The words for what registers hold, and what each word means. Pure."""

from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from gateway.core.schema import Kind

Value = float | int | bool | str

REGISTER_BYTES = 2
MOST_BITS = 64


class DataType(StrEnum):
    """What the bits or registers of a tag hold."""

    BOOL = "bool"
    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    UINT16 = "uint16"
    INT24 = "int24"
    UINT24 = "uint24"
    INT32 = "int32"
    UINT32 = "uint32"
    INT48 = "int48"
    UINT48 = "uint48"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT16 = "float16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    STRING = "string"
    DATETIME = "datetime"
    DATETIME_WORDS = "datetime_words"
    DATETIME_IEC = "datetime_iec"
    UNIX32 = "unix32"
    UNIX64 = "unix64"

    @property
    def kind(self) -> Kind:
        """The kind of column that holds it."""
        return _MEANINGS[self].kind

    @property
    def size(self) -> int:
        """Bytes of a value; 0 for bool and string."""
        return _MEANINGS[self].size

    @cached_property
    def registers(self) -> int:
        """How many registers a value takes, those included of which it uses a part."""
        return max(1, (self.size + 1) // REGISTER_BYTES)

    @property
    def is_float(self) -> bool:
        """Whether it is a number with a binary point."""
        return self in {DataType.FLOAT16, DataType.FLOAT32, DataType.FLOAT64}

    @cached_property
    def is_date(self) -> bool:
        """Whether it is a date with a time."""
        return self.kind is Kind.STRING and self is not DataType.STRING

    @property
    def is_whole(self) -> bool:
        """Whether it is an integer."""
        return self.kind in {Kind.INT64, Kind.UINT64}

    @property
    def is_signed(self) -> bool:
        """Whether it is an integer that may be negative."""
        return self.kind is Kind.INT64


class Coding(StrEnum):
    """How a number or date is written in bits, where it is not in plain binary.

    ``bcd``: a decimal digit in four bits. ``sm``: sign and magnitude. ``mod10``: each register a
    digit of base 10,000 (PowerLogic and ION meters).
    """

    BCD = "bcd"
    SM = "sm"
    MOD10 = "mod10"

    def suits(self, data_type: DataType) -> bool:
        """Whether a type can be written so."""
        if self is Coding.BCD:
            is_number = data_type.is_whole and not data_type.is_signed
            return is_number or data_type is DataType.DATETIME
        if self is Coding.SM:
            return data_type.is_signed
        return data_type.is_whole and data_type.size >= 2 * REGISTER_BYTES


class _Meaning(NamedTuple):
    kind: Kind
    size: int


def _integers(size: int) -> dict[DataType, _Meaning]:
    return {
        DataType(f"int{8 * size}"): _Meaning(Kind.INT64, size),
        DataType(f"uint{8 * size}"): _Meaning(Kind.UINT64, size),
    }


_MEANINGS = {
    DataType.BOOL: _Meaning(Kind.BOOL, 0),
    **_integers(1),
    **_integers(2),
    **_integers(3),
    **_integers(4),
    **_integers(6),
    **_integers(8),
    DataType.FLOAT16: _Meaning(Kind.FLOAT32, 2),
    DataType.FLOAT32: _Meaning(Kind.FLOAT32, 4),
    DataType.FLOAT64: _Meaning(Kind.FLOAT64, 8),
    DataType.STRING: _Meaning(Kind.STRING, 0),
    DataType.DATETIME: _Meaning(Kind.STRING, 6),
    DataType.DATETIME_WORDS: _Meaning(Kind.STRING, 12),
    DataType.DATETIME_IEC: _Meaning(Kind.STRING, 8),
    DataType.UNIX32: _Meaning(Kind.STRING, 4),
    DataType.UNIX64: _Meaning(Kind.STRING, 8),
}
