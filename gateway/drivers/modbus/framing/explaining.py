"""Frames of Modbus in words, for people who look at a trace. Pure.

A frame is shown as it went over the wire, so its framing is found out from its bytes: Modbus TCP
by protocol id and length, ASCII by its colon, RTU by its checksum.
Source: MODBUS Application Protocol Specification V1.1b3, sections 6 and 7.
"""

from collections.abc import Iterator

from gateway.drivers.frames import Direction, Frame
from gateway.drivers.modbus.codec import EXCEPTION_BIT, Function
from gateway.drivers.modbus.framing.rtu import crc

MOST_SHOWN = 10
"""Registers of an answer that are shown; the others are counted."""

_MBAP = 7  # transaction, protocol id, length, unit
_WORDS = {
    1: "illegal function",
    2: "illegal address",
    3: "illegal value",
    4: "device failure",
    5: "acknowledge, still at work",
    6: "busy",
    8: "memory parity error",
    10: "gateway: no path",
    11: "gateway: target silent",
}
_READS = {
    Function.READ_COILS: "coils",
    Function.READ_DISCRETE_INPUTS: "discrete inputs",
    Function.READ_HOLDING_REGISTERS: "holding registers",
    Function.READ_INPUT_REGISTERS: "input registers",
}
_BITS = {Function.READ_COILS, Function.READ_DISCRETE_INPUTS}
_WRITES = {
    Function.WRITE_SINGLE_COIL: "write coil",
    Function.WRITE_SINGLE_REGISTER: "write register",
    Function.WRITE_MULTIPLE_COILS: "write coils",
    Function.WRITE_MULTIPLE_REGISTERS: "write registers",
}
_RECORD = 7
"""Bytes that name records of a file: a type, the file, the first record, how many."""
_SEVERAL = {Function.WRITE_MULTIPLE_COILS, Function.WRITE_MULTIPLE_REGISTERS}


def explain(frame: Frame) -> str:
    """What a frame says; of pieces that came together one part each, parted by ``;``."""
    is_answer = frame.direction is Direction.RECEIVED
    return "; ".join(_parts(frame.data, is_answer))


def _parts(data: bytes, is_answer: bool) -> Iterator[str]:
    if data[:1] == b":":
        yield from (_ascii(line, is_answer) for line in data.split(b"\r\n") if line)
    elif len(data) > 4 and crc(data[:-2]) == data[-2:]:  # noqa: PLR2004 - unit, function, checksum
        yield f"unit {data[0]}: {_pdu(data[1:-2], is_answer)}"
    else:
        yield from _tcp(data, is_answer)


def _tcp(data: bytes, is_answer: bool) -> Iterator[str]:
    while data:
        stop = 6 + int.from_bytes(data[4:6], "big")
        if len(data) <= _MBAP or data[2:4] != b"\0\0" or stop > len(data) or stop <= _MBAP:
            yield f"{len(data)} bytes that are no whole frame"
            return
        transaction = int.from_bytes(data[:2], "big")
        words = _pdu(data[_MBAP:stop], is_answer)
        yield f"transaction {transaction}, unit {data[6]}: {words}"
        data = data[stop:]


def _ascii(line: bytes, is_answer: bool) -> str:
    try:
        body = bytes.fromhex(line[1:].decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        return f"{len(line)} bytes that are no ASCII frame"
    if len(body) < 3 or sum(body) % 256:  # noqa: PLR2004 - unit, function, checksum
        return "ASCII frame with a wrong checksum"
    return f"unit {body[0]}: {_pdu(body[1:-1], is_answer)}"


def _pdu(pdu: bytes, is_answer: bool) -> str:
    function, body = pdu[0], pdu[1:]
    if function & EXCEPTION_BIT:
        code = body[0] if body else 0
        words = f" ({_WORDS[code]})" if code in _WORDS else ""
        return f"exception {code}{words} to function {function & ~EXCEPTION_BIT}"
    if function in _READS:
        return (_data if is_answer else _read)(function, body)
    if function in _WRITES:
        return _write(function, body)
    if function in _OTHERS:
        return _OTHERS[Function(function)](body, is_answer)
    return f"function {function}: {body.hex(' ')}"


def _read(function: int, body: bytes) -> str:
    address, count = int.from_bytes(body[:2], "big"), int.from_bytes(body[2:4], "big")
    return f"read {count} {_READS[Function(function)]} from {address} (function {function})"


def _data(function: int, body: bytes) -> str:
    data = body[1:]
    if function in _BITS:
        bits = "".join(f"{byte:08b}"[::-1] for byte in data)
        return f"{len(data)} bytes of {_READS[Function(function)]}: {bits}"
    return f"{len(data) // 2} {_READS[Function(function)]}: {_registers(data)}"


def _registers(data: bytes) -> str:
    words = [data[at : at + 2].hex() for at in range(0, len(data), 2)]
    left = len(words) - MOST_SHOWN
    return " ".join(words[:MOST_SHOWN]) + (f" and {left} more" if left > 0 else "")


def _write(function: int, body: bytes) -> str:
    address, second = int.from_bytes(body[:2], "big"), int.from_bytes(body[2:4], "big")
    what = _WRITES[Function(function)]
    if function not in _SEVERAL:
        return f"{what} {address}: {second:04x} (function {function})"
    data = f": {_registers(body[5:])}" if len(body) > 5 else ""  # noqa: PLR2004 - an answer ends here
    return f"{what}, {second} from {address}{data} (function {function})"


def _read_records(body: bytes, is_answer: bool) -> str:
    if is_answer:
        return f"{len(body[3:]) // 2} records: {_registers(body[3:])}"
    file, first, count = _records(body)
    return f"read {count} records from {first} of file {file} (function 20)"


def _write_records(body: bytes, _is_answer: bool) -> str:
    file, first, count = _records(body)
    data = _registers(body[1 + _RECORD :])
    return f"write records of file {file}, {count} from {first}: {data} (function 21)"


def _records(body: bytes) -> tuple[int, int, int]:
    """File, first record and how many."""
    file, first, count = (int.from_bytes(body[at : at + 2], "big") for at in (2, 4, 6))
    return file, first, count


def _mask(body: bytes, _is_answer: bool) -> str:
    address, kept, added = (int.from_bytes(body[at : at + 2], "big") for at in (0, 2, 4))
    return f"keep {kept:04x} of register {address} and set {added & ~kept:04x} (function 22)"


def _write_and_read(body: bytes, is_answer: bool) -> str:
    if is_answer:
        return f"{len(body[1:]) // 2} holding registers: {_registers(body[1:])}"
    first, count, address = (int.from_bytes(body[at : at + 2], "big") for at in (0, 2, 4))
    data = _registers(body[9:])
    return f"write registers from {address}: {data}, read {count} from {first} (function 23)"


_OTHERS = {
    Function.READ_FILE_RECORD: _read_records,
    Function.WRITE_FILE_RECORD: _write_records,
    Function.MASK_WRITE_REGISTER: _mask,
    Function.READ_WRITE_REGISTERS: _write_and_read,
}
