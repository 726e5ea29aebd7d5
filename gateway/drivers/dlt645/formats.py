"""How the values of DL/T 645 are written: decimal digits in pairs, the lowest first. Pure.

``XXX.X`` is a number of four digits, one of them after the point; with ``-`` before it the highest
bit is its sign. ``NN…`` are digits that are no number, ``ascii[n]`` is text, ``word`` 16 bits of
states, ``date``, ``time`` and ``datetime`` are times (YYMMDDWW, hhmmss, YYMMDDWWhhmmss).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from gateway.core.schema import Column, Kind
from gateway.drivers.toolkit.decode import Bit, Format, Number, Text
from gateway.drivers.toolkit.transforms import PackedDecimal, Wrong

_NUMBER = re.compile(r"(?P<sign>-?)(?P<whole>X+)(\.(?P<part>X+))?")
_ASCII = re.compile(r"ascii\[([1-9]\d?)\]")
_MOST_DIGITS = 16  # of eight bytes
_TIMES = {"date": 4, "time": 3, "datetime": 7}
WORD = "word"


@dataclass(frozen=True, slots=True)
class Decimal:
    """Digits to numbers; a digit above 9 is no value, and so are all bits set.

    Attributes:
        digits: how many, even.
        decimals: of them after the point.
        is_signed: whether the highest bit is the sign.
    """

    digits: int
    decimals: int
    is_signed: bool

    def __call__(self, raw: Column) -> tuple[Column, Wrong]:
        """The numbers, each the nearest to its digits, and which of them are none."""
        sign = np.uint64(1 << 4 * self.digits - 1)
        magnitude = raw & ~sign if self.is_signed else raw
        numbers, wrong = PackedDecimal(self.digits)(magnitude)
        values = numbers.astype(np.int64)
        if self.is_signed:
            values = np.where((raw & sign) != 0, -values, values)
        return (values / 10**self.decimals if self.decimals else values), wrong

    def raw_of(self, value: int) -> int:
        """Nothing is written to meters.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"{value}: meters are only read")


def _number(text: str) -> Decimal | None:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    part = len(match["part"] or "")
    return Decimal(len(match["whole"]) + part, part, bool(match["sign"]))


def check(text: str) -> None:
    """See that a format is one.

    Raises:
        ValueError: it is none.
    """
    number = _number(text)
    if number is not None and (number.digits % 2 or number.digits > _MOST_DIGITS):
        raise ValueError(f"format {text!r} has {number.digits} digits: 2 to 16, in pairs")
    is_digits = set(text) == {"N"}
    if is_digits and len(text) % 2:
        raise ValueError(f"format {text!r} has {len(text)} digits; bytes hold two each")
    if number is None and not is_digits and not _ASCII.fullmatch(text) and text not in _OTHERS:
        known = "XXX.X, -XXX.XXX, NNNNNNNNNNNN, ascii[32], word, date, time, datetime"
        raise ValueError(f"{text!r} is no format such as {known}")


_OTHERS = frozenset({WORD, *_TIMES})


def size_of(text: str) -> int:
    """How many bytes a value of this format has."""
    if (match := _ASCII.fullmatch(text)) is not None:
        return int(match[1])
    if text in _OTHERS:
        return _TIMES.get(text, 2)
    return sum(letter in "XN" for letter in text) // 2


def is_number(text: str) -> bool:
    """Whether its values are numbers."""
    return _number(text) is not None


def shown(text: str, data: bytes) -> str:
    """The digits of a number for people, as they stand in the bytes: ``229.0``, ``-1.2345``."""
    number, value = _number(text), data[: size_of(text)]
    is_negative = number is not None and number.is_signed and value[-1] & 0x80
    if is_negative:
        value = value[:-1] + bytes((value[-1] & 0x7F,))
    digits, sign = value[::-1].hex().upper(), "-" if is_negative else ""
    if number is None or not number.decimals:
        return sign + (digits.lstrip("0") or "0")
    whole, part = digits[: -number.decimals], digits[-number.decimals :]
    return f"{sign}{whole.lstrip('0') or '0'}.{part}"


def kind_of(text: str, *, is_bit: bool) -> Kind:
    """The kind of its values."""
    number = _number(text)
    if number is not None:
        return Kind.FLOAT64 if number.decimals else Kind.INT64
    if text == WORD:
        return Kind.BOOL if is_bit else Kind.UINT64
    return Kind.STRING


def format_of(text: str, bit: int | None) -> Format:
    """The same for the toolkit, which decodes it."""
    size = size_of(text)
    if text == WORD:
        return Number("u2", (0, 1)) if bit is None else Bit(bit)
    number = _number(text)
    if number is not None:
        return Number("u8", tuple(range(size)), number)
    return Text(size, _text_of(text))


def _text_of(text: str) -> Callable[[bytes], str]:
    if text in _TIMES:
        return {"date": _date, "time": _time, "datetime": _datetime}[text]
    return _digits if set(text) == {"N"} else _ascii


def _digits(data: bytes) -> str:
    digits = data[::-1].hex()
    if not digits.isdecimal():
        raise UnicodeDecodeError("bcd", data, 0, len(data), "a digit above 9")
    return digits


def _ascii(data: bytes) -> str:
    """Text; the first character is in the last byte that is sent."""
    return data[::-1].strip(b"\0 \xff").decode("ascii")


def _date(data: bytes) -> str:
    """YYMMDDWW; the day of the week says nothing new."""
    return _parsed(_digits(data)[:6], data, "%y%m%d").date().isoformat()


def _time(data: bytes) -> str:
    return _parsed(_digits(data), data, "%H%M%S").time().isoformat()


def _datetime(data: bytes) -> str:
    digits = _digits(data)
    return _parsed(digits[:6] + digits[8:], data, "%y%m%d%H%M%S").isoformat()


def _parsed(digits: str, data: bytes, layout: str) -> datetime:
    try:
        return datetime.strptime(digits, layout)  # noqa: DTZ007 - meters know no time zone
    except ValueError as error:
        raise UnicodeDecodeError("bcd", data, 0, len(data), str(error)) from error
