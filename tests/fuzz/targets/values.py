"""Values out of the bytes of an answer: each type beside a plain decoder of the same bytes.

Here both must agree whatever the bytes are: a value where there is one, BAD where there is none.
"""

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from random import Random
from typing import Any

import numpy as np

from edge_config.models.validation import validated
from gateway.core.status import GOOD
from gateway.drivers import dlt645, mc, modbus, s7
from gateway.drivers.api import Point
from gateway.drivers.dlt645.plan import layout as dlt645_layout
from gateway.drivers.mc.config import Connection as McConnection
from gateway.drivers.mc.plan import Read
from gateway.drivers.mc.plan import layout as mc_layout
from gateway.drivers.modbus.config import Connection as ModbusConnection
from gateway.drivers.modbus.plan import layout as modbus_layout
from gateway.drivers.s7.config import Connection as S7Connection
from gateway.drivers.s7.plan import layout as s7_layout
from gateway.drivers.spec import DriverSpec
from gateway.drivers.toolkit.layout import Layout
from tests.fuzz.harness import Case, Target

LAYOUTS: dict[str, Callable[[Sequence[Point]], Layout]] = {
    "modbus": partial(modbus_layout, connection=ModbusConnection(host="device")),
    "mc": partial(mc_layout, connection=McConnection(host="device", port=5007)),
    "s7": partial(s7_layout, connection=S7Connection(host="device")),
    "dlt645": partial(dlt645_layout, _connection=None),
}
"""How a plan of a driver is made, of a device as it is by default."""

SAMPLES = {
    "holding:0:datetime:ABCD": "1a0b1b121e05",
    "holding:0:datetime:bcd:ABCD": "261127183005",
    "holding:0:datetime_words:ABCD": "07ea000b001b0012001e0005",
    "holding:0:datetime_iec:ABCD": "001a0bbb121e13ec",
    "holding:0:string[4]": "5072657373000000",
    "D200:string[10]:gbk": "d6e1b3d00000",
    "DB1.DBB0:string[8]": "0805507265737300",
    "DB1.DBB0:wstring[5]": "00050002886b5dde",
    "DB1.DBB0:dt": "2611271830051237",
    "DB1.DBB0:dtl": "07ea0b1b06121e050bebc200",
    "04000101": "05271126",
    "04000102": "053018",
    "0400010C": "05301805271126",
}
"""What random bytes hardly ever are."""

Plain = Callable[[bytes], Any]
"""The value of some bytes; ValueError: they are none."""


def _values(spec: DriverSpec, types: dict[str, Plain]) -> Callable[[Random], Case]:
    texts = list(types)

    def make(dice: Random) -> Case:
        text = dice.choice(texts)
        layout = _laid_out(spec, text)
        request = layout.requests[0]
        is_mc = isinstance(request, Read)  # which reads whole words, wherever its bits begin
        size = 2 * request.words.length if is_mc else layout.size

        def sized(data: bytes) -> bytes:
            return data.ljust(size, b"\0")[:size]

        def decode(pieces: Sequence[bytes]) -> tuple[str, Any]:
            body, status = sized(b"".join(pieces)), np.zeros(1, np.uint8)
            columns = layout.decoder.columns(request.data(body) if is_mc else body, status)
            (value,) = columns[0].tolist()
            return text, value if status[0] == GOOD else None

        def holds(data: bytes, taken: tuple[str, Any]) -> bool:
            try:
                right = types[text](sized(data))
            except ValueError:
                right = None
            return right == taken[1] or (right != right and taken[1] != taken[1])  # noqa: PLR0124 - NaN

        sample = bytes.fromhex(SAMPLES.get(text, ""))
        is_sample = bool(sample) and dice.random() < 0.5
        return Case(sample if is_sample else _drawn(dice, size), decode, holds, sized)

    return make


@cache
def _laid_out(spec: DriverSpec, text: str) -> Layout:
    address = validated(spec.address, text)
    return LAYOUTS[spec.name]((Point("t", spec.kind(address), address),))


def _drawn(dice: Random, size: int) -> bytes:
    """Bytes of any kind, decimal digits, small numbers or letters."""
    drawn: Callable[[], int] = dice.choice(
        (
            lambda: dice.randrange(256),
            lambda: dice.choice((0x00, 0x09, 0x12, 0x26, 0x31, 0x59, 0x99)),
            lambda: dice.randrange(13),
            lambda: dice.choice(b"AZ 09\xe9\0"),
        )
    )
    return bytes(drawn() for _ in range(size))


# -- plain decoders: numbers --------------------------------------------------------------------


def _unsigned(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _signed(data: bytes) -> int:
    return int.from_bytes(data, "big", signed=True)


def _float(data: bytes) -> float:
    number: float = struct.unpack({2: ">e", 4: ">f", 8: ">d"}[len(data)], data)[0]
    return number


def _digits(data: bytes) -> str:
    """Two decimal digits a byte."""
    if not all(letter in "0123456789" for letter in data.hex()):
        raise ValueError(data.hex())
    return data.hex()


def _bcd(data: bytes) -> int:
    return int(_digits(data))


def _sign_and_magnitude(data: bytes) -> int:
    size = _unsigned(data) % (1 << 8 * len(data) - 1)
    return -size if data[0] & 0x80 else size


def _mod10(data: bytes, *, is_signed: bool) -> int:
    words = [_signed(data[at : at + 2]) for at in range(0, len(data), 2)]
    if any(abs(word) > 9999 for word in words) or (min(words) < 0 and not is_signed):
        raise ValueError(words)
    if min(words) < 0 < max(words):
        raise ValueError(words)
    return sum(word * 10_000**at for at, word in enumerate(reversed(words)))


def _bits(data: bytes, first: int, last: int) -> int:
    return _unsigned(data) // 2**first % 2 ** (last - first + 1)


def _bit(data: bytes, number: int) -> bool:
    return _bits(data, number, number) == 1


# -- plain decoders: texts and times ------------------------------------------------------------


def _text(data: bytes, encoding: str = "ascii") -> str:
    """Up to the first NUL, without blanks at its end; what begins with a NUL is none."""
    before, *_ = data.split(b"\0")
    if not before and any(data):
        raise ValueError(data)
    return before.decode(encoding).rstrip()


def _registers_of_text(data: bytes, encoding: str = "ascii") -> str:
    """The same, unless each register holds one character: one in its first byte, and no other."""
    if len(data[::2].replace(b"\0", b"")) > 1 and not any(data[1::2]):
        raise ValueError(data)
    return _text(data, encoding)


def _time(*fields: int, milliseconds: int | None = None) -> str:
    moment = datetime(*fields) + timedelta(milliseconds=milliseconds or 0)  # type: ignore[arg-type]  # noqa: DTZ001
    return moment.isoformat(timespec="seconds" if milliseconds is None else "milliseconds")


def _bytes_of_time(data: bytes) -> str:
    if data[0] > 99:
        raise ValueError(data[0])
    return _time(2000 + data[0], *data[1:])


def _iec(data: bytes) -> str:
    if data[5] & 0x80:
        raise ValueError("invalid, says the meter")
    place = data[1] % 128, data[2] % 16, data[3] % 32, data[4] % 32, data[5] % 64
    seconds, milliseconds = divmod(_unsigned(data[6:]), 1000)
    return _time(2000 + place[0], *place[1:], seconds, milliseconds=milliseconds)


def _unix(data: bytes) -> str:
    seconds = _unsigned(data)
    if not 0 < seconds < 253_402_300_800:  # the year 10000
        raise ValueError(seconds)
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


# -- Modbus -------------------------------------------------------------------------------------


def _turned(plain: Plain, order: str) -> Plain:
    """The same where the words are turned round, the bytes of each, or both."""

    def decode(data: bytes) -> Any:
        words = [data[at : at + 2] for at in range(0, len(data), 2)]
        if order in ("CDAB", "DCBA"):
            words.reverse()
        return plain(b"".join(one[::-1] if order in ("BADC", "DCBA") else one for one in words))

    return decode


_MODBUS: dict[str, Plain] = {
    "uint16": _unsigned,
    "int16": _signed,
    "uint24": lambda data: _unsigned(data[1:]),
    "int24": lambda data: _signed(data[1:]),
    "uint32": _unsigned,
    "int32": _signed,
    "uint48": _unsigned,
    "int48": _signed,
    "uint64": _unsigned,
    "int64": _signed,
    "float16": _float,
    "float32": _float,
    "float64": _float,
    "uint16:bcd": _bcd,
    "uint32:bcd": _bcd,
    "uint48:bcd": _bcd,
    "uint64:bcd": _bcd,
    "int16:sm": _sign_and_magnitude,
    "int32:sm": _sign_and_magnitude,
    "uint32:mod10": partial(_mod10, is_signed=False),
    "int32:mod10": partial(_mod10, is_signed=True),
    "uint48:mod10": partial(_mod10, is_signed=False),
    "int64:mod10": partial(_mod10, is_signed=True),
    "datetime": _bytes_of_time,
    "datetime:bcd": lambda data: _bytes_of_time(bytes(map(int, map("{:x}".format, data)))),
    "datetime_words": lambda data: _time(*struct.unpack(">6H", data)),
    "datetime_iec": _iec,
    "unix32": _unix,
    "unix64": _unix,
}
_IN_BYTES = ("uint16", "int16", "float16", "uint16:bcd", "int16:sm")
MODBUS = {
    f"holding:0:{name}:{order}": _turned(plain, order)
    for name, plain in _MODBUS.items()
    for order in ("ABCD", "BADC", "CDAB", "DCBA")
    if order in ("ABCD", "BADC") or name not in _IN_BYTES
} | {
    "holding:0:uint8": lambda data: data[1],
    "holding:0:int8": lambda data: _signed(data[1:]),
    "holding:0.8:uint8": lambda data: data[0],
    "holding:0.3": partial(_bit, number=3),
    "holding:0.20:uint32:CDAB": _turned(partial(_bit, number=20), "CDAB"),
    "holding:0.4-7": partial(_bits, first=4, last=7),
    "holding:0.12-23:uint32:CDAB": _turned(partial(_bits, first=12, last=23), "CDAB"),
    "coil:5": lambda data: data[0] % 2 == 1,
    "holding:0:string[4]": _registers_of_text,
    "holding:0:string[4]:latin-1": partial(_registers_of_text, encoding="latin-1"),
    "holding:0:string[4]:gbk": partial(_registers_of_text, encoding="gbk"),
}

# -- MC protocol: the low word and the low byte first --------------------------------------------


def _backwards(plain: Plain) -> Plain:
    return lambda data: plain(data[::-1])


MC = {
    **{f"D100:int{size}": _backwards(_signed) for size in (16, 32, 64)},
    **{f"W1A:uint{size}": _backwards(_unsigned) for size in (16, 32, 64)},
    "D100:float32": _backwards(_float),
    "D100:float64": _backwards(_float),
    "D100.F": _backwards(partial(_bit, number=15)),
    "M30": _backwards(partial(_bit, number=14)),
    "M17": _backwards(partial(_bit, number=1)),
    "X1F": _backwards(partial(_bit, number=15)),
    "D200:string[10]:gbk": partial(_text, encoding="gbk"),
    "D200:string[5]": lambda data: _text(data[:5]),
}

# -- S7 -----------------------------------------------------------------------------------------


def _string(data: bytes, encoding: str = "ascii") -> str:
    if data[1] > data[0] or data[1] > len(data) - 2:
        raise ValueError(data[:2])
    return data[2 : 2 + data[1]].decode(encoding)


def _wstring(data: bytes) -> str:
    longest, length = struct.unpack(">HH", data[:4])
    if length > longest or 2 * length > len(data) - 4:
        raise ValueError(data[:4])
    return data[4 : 4 + 2 * length].decode("utf-16-be")


def _date_and_time(data: bytes) -> str:
    """Two digits each; the last three of fifteen are milliseconds, then the day of the week."""
    digits = _digits(data[:7]) + str(int(data.hex()[14]))
    year, *fields = (int(digits[at : at + 2]) for at in range(0, 12, 2))
    century = 1900 if year > 89 else 2000
    return _time(century + year, *fields, milliseconds=int(digits[12:]))


def _dtl(data: bytes) -> str:
    year, month, day, _, hour, minute, second, nanoseconds = struct.unpack(">H6BI", data)
    if nanoseconds > 999_999_999:
        raise ValueError(nanoseconds)
    return _time(year, month, day, hour, minute, second, milliseconds=nanoseconds // 1_000_000)


def _timer(data: bytes) -> float:
    """Three digits, and two bits that say in which steps; the highest two say nothing."""
    digits = _digits(bytes((data[0] & 0x0F, data[1])))
    return float(int(digits) * (0.01, 0.1, 1.0, 10.0)[data[0] >> 4 & 3])


S7 = {
    "DB1.DBB0": _unsigned,
    "DB1.DBB0:sint": _signed,
    "DB1.DBW0": _unsigned,
    "DB1.DBW0:int": _signed,
    "MD4:dint": _signed,
    "DB1.DBD0:real": _float,
    "DB1.DBX0.0:lreal": _float,
    "DB1.DBX0.0:lint": _signed,
    "DB1.DBX0.0:ulint": _unsigned,
    "DB1.DBX0.3": partial(_bit, number=3),
    "DB1.DBB0:string[8]": _string,
    "DB1.DBB0:string[8]:gbk": partial(_string, encoding="gbk"),
    "DB1.DBB0:string[8]:cp1252": partial(_string, encoding="cp1252"),
    "DB1.DBB0:wstring[5]": _wstring,
    "DB1.DBB0:dt": _date_and_time,
    "DB1.DBB0:dtl": _dtl,
    "T5": _timer,
    "C3": _bcd,
}

# -- DL/T 645: decimal digits, the lowest byte first ---------------------------------------------


def _decimal(data: bytes, decimals: int, *, is_signed: bool = False) -> float:
    """A number of so many decimals; the highest bit may be its sign."""
    is_negative = is_signed and data[-1] >= 0x80
    high = data[-1] - 0x80 if is_negative else data[-1]
    number = _bcd(bytes((high,)) + data[-2::-1]) / 10**decimals
    return -number if is_negative else number


def _characters(data: bytes) -> str:
    return data[::-1].strip(b"\0 \xff").decode("ascii")


def _moment(data: bytes, layout: str, weekday: int | None = None) -> datetime:
    """Two digits each, the last field first; the weekday says nothing new."""
    digits = _digits(data[::-1])
    if weekday is not None:
        digits = digits[: 2 * weekday] + digits[2 * weekday + 2 :]
    return datetime.strptime(digits, layout)  # noqa: DTZ007 - meters have no zone


DLT645: dict[str, Plain] = {
    "02010100": partial(_decimal, decimals=1),
    "02020100": partial(_decimal, decimals=3, is_signed=True),
    "02030000": partial(_decimal, decimals=4, is_signed=True),
    "02060000": partial(_decimal, decimals=3, is_signed=True),
    "00010000": partial(_decimal, decimals=2),
    "0280000A": _backwards(_bcd),
    "04000401": lambda data: _digits(data[::-1]),
    "04000403:ascii[5]": _characters,
    "04000501": _backwards(_unsigned),
    "04000501.3": _backwards(partial(_bit, number=3)),
    "04000101": lambda data: _moment(data, "%y%m%d", 3).date().isoformat(),
    "04000102": lambda data: _moment(data, "%H%M%S").time().isoformat(),
    "0400010C": lambda data: _moment(data, "%y%m%d%H%M%S", 3).isoformat(),
}

TARGETS = tuple(
    Target(f"{spec.name}/values", _values(spec, types))
    for spec, types in (
        (modbus.SPEC, MODBUS),
        (mc.SPEC, MC),
        (s7.SPEC, S7),
        (dlt645.SPEC, DLT645),
    )
)
