"""Messages of MC protocol in words, for people who look at a trace. Pure."""

from collections.abc import Iterator
from struct import Struct, error

from gateway.drivers.frames import Frame
from gateway.drivers.mc import codec
from gateway.drivers.mc.config import Series
from gateway.drivers.mc.devices import DEVICES, written
from gateway.drivers.mc.ends import words_for

MOST_SHOWN = 10
"""Words of data that are shown; the others are counted."""

_NAMES = {device.code: name for name, device in DEVICES.items()}
_HEADS = {b"\x50\0": 9, b"\x54\0": 13, b"\xd0\0": 9, b"\xd4\0": 13}
"""Bytes before the body of a message, by how it begins."""
_ANSWERS = frozenset({b"\xd0\0", b"\xd4\0"})
_COMMAND = Struct("<HHH")
_SHORT = Struct("<H")
_VERBS = {codec.READ: "read", codec.READ_RANDOM: "read at random", codec.WRITE: "write"}


def explain(frame: Frame) -> str:
    """What a frame says; of pieces that came together one part each, parted by ``;``."""
    return "; ".join(_parts(frame.data))


def _parts(data: bytes) -> Iterator[str]:
    while data:
        head = _HEADS.get(data[:2])
        stop = len(data) + 1
        if head is not None and len(data) >= head:
            stop = head + _SHORT.unpack_from(data, head - 2)[0]
        if head is None or stop > len(data):
            yield f"{len(data)} bytes that are no whole frame"
            return
        number = f"number {_SHORT.unpack_from(data, 2)[0]}: " if head > 9 else ""  # noqa: PLR2004 - 3E
        words = _answer if data[:2] in _ANSWERS else _request
        try:
            yield number + words(data[head:stop])
        except error:
            yield f"{number}a body of {stop - head} bytes that is cut short"
        data = data[stop:]


def _request(body: bytes) -> str:
    _, command, subcommand = _COMMAND.unpack_from(body)
    data = body[_COMMAND.size :]
    what = f"(command {command:04X} {subcommand:04X})"
    if command not in _VERBS:
        return f"{what}: {data.hex(' ')}"
    is_wide = subcommand in (codec.WORDS[Series.IQR], codec.BITS[Series.IQR])
    size = 6 if is_wide else 4
    if command == codec.READ_RANDOM:
        places = [data[at : at + size] for at in range(2, len(data), size)]
        shown = ", ".join(_device(place) for place in places[:MOST_SHOWN])
        return f"read {shown}{_more(len(places))} {what}"
    count = _SHORT.unpack_from(data, size)[0]
    rest = data[size + 2 :]
    return f"{_VERBS[command]} {count} from {_device(data[:size])}{_data(rest)} {what}"


def _device(place: bytes) -> str:
    width = len(place) * 3 // 4 if len(place) == 4 else 4  # noqa: PLR2004 - Q and L; else iQ-R
    code = int.from_bytes(place[width:], "little")
    number = int.from_bytes(place[:width], "little")
    return written(_NAMES[code], number) if code in _NAMES else f"device {code:#04x} {number}"


def _answer(body: bytes) -> str:
    (end,) = _SHORT.unpack_from(body)
    return words_for(end) if end else f"done{_data(body[2:])}"


def _data(data: bytes) -> str:
    if not data:
        return ""
    words = [data[at : at + 2][::-1].hex() for at in range(0, len(data), 2)]
    return ": " + " ".join(words[:MOST_SHOWN]) + _more(len(words))


def _more(count: int) -> str:
    return f" and {count - MOST_SHOWN} more" if count > MOST_SHOWN else ""
