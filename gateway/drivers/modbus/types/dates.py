"""Dates with times as meters store them, as ISO 8601 text. Pure.

A meter's clock shows what was set there: the layouts of a calendar say nothing of a time zone,
and none is made up. Only seconds since 1970 are UTC by definition and end with ``Z``. A calendar
that is impossible – month 13, an empty register – is no value.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import NamedTuple

from gateway.drivers.modbus.types.names import Coding, DataType, Value
from gateway.drivers.modbus.types.orders import Order, reorder

_CENTURY = 2000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WORDS = Struct(">6H")


def read_bytes(body: bytes) -> str:
    """Year of this century, month, day, hour, minute and second, a byte each."""
    year, *rest = body
    if year >= 100:  # noqa: PLR2004 - two digits
        raise ValueError(f"year {year} has more than two digits")
    return _text(_CENTURY + year, *rest)


def write_bytes(text: str) -> bytes:
    """The inverse of :func:`read_bytes`."""
    moment = _seconds(text)
    if not _CENTURY <= moment.year < _CENTURY + 100:
        raise ValueError(f"{text!r} is not of the years 2000 to 2099, of which two digits are kept")
    return bytes((moment.year - _CENTURY, *moment.timetuple()[1:6]))


def read_bcd(body: bytes) -> str:
    """The same with two decimal digits a byte."""
    return read_bytes(bytes(map(int, map("{:x}".format, body))))


def write_bcd(text: str) -> bytes:
    """The inverse of :func:`read_bcd`."""
    return bytes(int(str(byte), 16) for byte in write_bytes(text))


def read_words(body: bytes) -> str:
    """Year, month, day, hour, minute and second, a register each."""
    return _text(*_WORDS.unpack(body))


def write_words(text: str) -> bytes:
    """The inverse of :func:`read_words`."""
    return _WORDS.pack(*_seconds(text).timetuple()[:6])


def read_iec(body: bytes) -> str:
    """IEC 60870-5-4 as meters put it into four registers: year, month and day, time, milliseconds.

    Bit by bit that of Schneider's manuals: seven bits of year since 2000 in the first register,
    four of month and five of day in the second, five of hour and six of minute in the third. The
    day of the week, the flag of summer time and that of an invalid time stand between; a time
    that the meter itself calls invalid is no value.
    """
    year, month, day = body[1] & 0x7F, body[2] & 0x0F, body[3] & 0x1F
    hour, minute = body[4] & 0x1F, body[5] & 0x3F
    if body[5] & 0x80:
        raise ValueError("the meter says that its time is invalid")
    second, millisecond = divmod(int.from_bytes(body[6:8], "big"), 1000)
    return f"{_text(_CENTURY + year, month, day, hour, minute, second)}.{millisecond:03d}"


def write_iec(text: str) -> bytes:
    """The inverse of :func:`read_iec`; the weekday is filled in, 1 is Monday."""
    moment = _local(text)
    if not _CENTURY <= moment.year < _CENTURY + 128 or moment.microsecond % 1000:
        raise ValueError(f"{text!r} is not of the years 2000 to 2127 and of whole milliseconds")
    day = moment.day | moment.isoweekday() << 5
    milliseconds = 1000 * moment.second + moment.microsecond // 1000
    head = bytes((0, moment.year - _CENTURY, moment.month, day, moment.hour, moment.minute))
    return head + milliseconds.to_bytes(2, "big")


def read_unix(body: bytes) -> str:
    """Seconds since 1970, UTC; none at all is a clock that was never set, all bits none there."""
    seconds = int.from_bytes(body, "big")
    if seconds in (0, (1 << 8 * len(body)) - 1) or seconds > _LAST:
        raise ValueError(f"{seconds} s since 1970 is no time")
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_unix(size: int) -> Callable[[str], bytes]:
    """The inverse of :func:`read_unix` for so many bytes."""

    def write(text: str) -> bytes:
        moment = _moment(text)
        if moment.tzinfo is None:
            raise ValueError(f"{text!r} names no zone; UTC ends with Z")
        seconds = (moment - _EPOCH) // timedelta(seconds=1)
        if not 0 < seconds < (1 << 8 * size) - 1 or moment.microsecond:
            raise ValueError(f"{text!r} is no whole second since 1970 in {size} bytes")
        return seconds.to_bytes(size, "big")

    return write


_LAST = int((datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _EPOCH).total_seconds())


def _text(*fields: int) -> str:
    """The text of a calendar; ValueError if it is impossible."""
    return datetime(*fields).isoformat()  # type: ignore[arg-type]  # noqa: DTZ001 - no zone known


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as problem:
        raise ValueError(f"{text!r} is no time such as 2026-11-27T18:30:00") from problem


def _local(text: str) -> datetime:
    moment = _moment(text)
    if moment.tzinfo is not None:
        raise ValueError(f"{text!r} names a zone; the device keeps its own time without one")
    return moment


def _seconds(text: str) -> datetime:
    moment = _local(text)
    if moment.microsecond:
        raise ValueError(f"{text!r} has a part of a second; whole ones are kept")
    return moment


class Layout(NamedTuple):
    """How a date is read from big-endian bytes and written into them; both raise ValueError."""

    read: Callable[[bytes], str]
    write: Callable[[str], bytes]


LAYOUTS = {
    (DataType.DATETIME, None): Layout(read_bytes, write_bytes),
    (DataType.DATETIME, Coding.BCD): Layout(read_bcd, write_bcd),
    (DataType.DATETIME_WORDS, None): Layout(read_words, write_words),
    (DataType.DATETIME_IEC, None): Layout(read_iec, write_iec),
    (DataType.UNIX32, None): Layout(read_unix, write_unix(4)),
    (DataType.UNIX64, None): Layout(read_unix, write_unix(8)),
}


def decode_date(body: bytes, layout: Layout, order: Order) -> str:
    """The text of a date in registers.

    Raises:
        UnicodeDecodeError: they hold none, as texts say it.
    """
    plain = reorder(body, order)
    try:
        return layout.read(plain)
    except (ValueError, OverflowError) as problem:
        raise UnicodeDecodeError("date", plain, 0, len(plain), str(problem)) from problem


def encode_date(layout: Layout, order: Order, value: Value) -> bytes:
    """The registers of a date.

    Raises:
        ValueError: the value is no time, or one that the layout cannot hold, or not written as
            reading writes it.
    """
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no time such as 2026-11-27T18:30:00")  # noqa: TRY004 - as texts
    body = layout.write(value)
    read_back = layout.read(body)
    if read_back != value:
        raise ValueError(f"{value!r} is read back as {read_back!r}: write it like that")
    return reorder(body, order)
