"""Messages of S7 communication in words, for people who look at a trace. Pure."""

from collections.abc import Iterator
from struct import Struct, error

from gateway.drivers.frames import Frame
from gateway.drivers.s7.codec import DONE, words_for

MOST_SHOWN = 6
"""Parts of a message and bytes of data that are shown; the others are counted."""

_ISO = 7  # TPKT and COTP
_TPKT = 3
_REQUEST, _ANSWER = 0x01, 0x03
_HEADS = {_REQUEST: 10, 0x02: 12, _ANSWER: 12}
_NUMBER = Struct(">H")
_AREAS = {0x81: "I", 0x82: "Q", 0x83: "M", 0x84: "DB", 0x1C: "C", 0x1D: "T"}
_SETUP, _READ, _WRITE = 0xF0, 0x04, 0x05
_JOBS = {_SETUP: "agree on the length of messages", _READ: "read", _WRITE: "write"}
_BIT, _BITS, _INT = 0x01, 0x04, 0x05
_ITEM = 12


def explain(frame: Frame) -> str:
    """What a frame says; of pieces that came together one part each, parted by ``;``."""
    return "; ".join(_parts(frame.data))


def _parts(data: bytes) -> Iterator[str]:
    while data:
        stop = int.from_bytes(data[2:4], "big") if data[0] == _TPKT else 0
        if stop <= _ISO or stop > len(data):
            yield f"{len(data)} bytes that are no whole frame"
            return
        yield _message(data[_ISO:stop])
        data = data[stop:]


def _message(message: bytes) -> str:
    kind = message[1] if len(message) > 1 else 0
    head = _HEADS.get(kind, 0)
    if not head or len(message) < head:
        return f"a message of kind {kind:#04x}, {len(message)} bytes"
    number = f"number {_NUMBER.unpack_from(message, 4)[0]}: "
    try:
        return number + (_request if kind == _REQUEST else _answered)(message, head)
    except (IndexError, error):
        return f"{number}a body that is cut short"


def _request(message: bytes, head: int) -> str:
    job = message[head]
    if job not in (_READ, _WRITE):
        return _JOBS.get(job, f"job {job:#04x}")
    count = message[head + 1]
    places = range(head + 2, head + 2 + _ITEM * min(count, MOST_SHOWN), _ITEM)
    shown = ", ".join(_place(message[at : at + _ITEM]) for at in places)
    data = message[head + 2 + _ITEM * count + 4 :]
    return f"{_JOBS[job]} {shown}{_more(count)}{_data(data)}"


def _place(item: bytes) -> str:
    unit, length = item[3], _NUMBER.unpack_from(item, 4)[0]
    block, area = _NUMBER.unpack_from(item, 6)[0], _AREAS.get(item[8], f"area {item[8]:#04x}")
    at = int.from_bytes(item[9:12], "big")
    name = f"DB{block}" if area == "DB" else area
    if area in ("T", "C"):
        return f"{length} from {name}{at}"
    if unit == _BIT:
        return f"{name} bit {at // 8}.{at % 8}"
    return f"{name} {length} bytes from {at // 8}"


def _answered(message: bytes, head: int) -> str:
    refusal = _NUMBER.unpack_from(message, 10)[0]
    if refusal:
        return words_for(refusal)
    job, data = message[head], message[head + _NUMBER.unpack_from(message, 6)[0] :]
    if job == _SETUP:
        return f"messages of {_NUMBER.unpack_from(message, head + 6)[0]} bytes"
    if job == _WRITE:
        return ", ".join("written" if code == DONE else words_for(code) for code in data)
    parts = list(_read(data))
    return ", ".join(parts[:MOST_SHOWN]) + _more(len(parts))


def _read(data: bytes) -> Iterator[str]:
    at = 0
    while at + 4 <= len(data):
        code, unit, length = data[at], data[at + 1], _NUMBER.unpack_from(data, at + 2)[0]
        at += 4
        if code != DONE:
            yield words_for(code)
            continue
        size = length // 8 if unit in (_BITS, _INT) else length
        yield f"{size} bytes{_data(data[at : at + size])}"
        at += size + size % 2


def _data(data: bytes) -> str:
    shown = data[: 2 * MOST_SHOWN]
    left = len(data) - len(shown)
    rest = f" and {left} more" if left else ""
    return f": {shown.hex(' ')}{rest}" if data else ""


def _more(count: int) -> str:
    return f" and {count - MOST_SHOWN} more" if count > MOST_SHOWN else ""
