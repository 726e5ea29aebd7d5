"""MC protocol (SLMP) in 3E and 4E frames, binary code: messages both ways. Pure.

Source: SLMP reference manual SH-080956ENG: chapter 4 (message formats), sections 5.2 (commands
0401, 0403 and 1401) and 5.5 (0101). All numbers are little-endian, but for the subheader.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import NamedTuple

from gateway.drivers.mc.config import TIMER_STEP_MS, Frame, Route, Series
from gateway.drivers.mc.devices import DEVICES

_ROUTE = Struct("<BBHB")
_SHORT = Struct("<H")
_COMMAND = Struct("<HHH")  # monitoring timer, command, subcommand
_REFUSED = Struct("<BBHBHH")  # who refused, and which command

READ_MODEL = 0x0101
READ = 0x0401
READ_RANDOM = 0x0403
WRITE = 0x1401
WORDS = {Series.Q: 0x0000, Series.IQR: 0x0002}
BITS = {Series.Q: 0x0001, Series.IQR: 0x0003}
MOST_RANDOM = {Series.Q: 192, Series.IQR: 96}
"""Most words in a random read."""
MOST_WORDS = 960
"""Most words in a batch read or write."""

_ASKED = {Frame.E3: b"\x50\x00", Frame.E4: b"\x54\x00"}
_ANSWERED = {Frame.E3: b"\xd0\x00", Frame.E4: b"\xd4\x00"}
SERIALS = 0x10000
_NAME = 16
"""Characters of a CPU's model; its code of 2 bytes follows."""
_LEAST_BODY = 2  # the end code


class WrongAnswerError(Exception):
    """What came is no answer to what was asked; nothing on the connection can be trusted."""


@dataclass(frozen=True, slots=True)
class Request:
    """A command and the shape of its one right answer.

    Attributes:
        command: what is to be done.
        subcommand: in which unit, and how devices are named.
        data: devices, and what is to be written.
        size: bytes of data in a right answer.
    """

    command: int
    subcommand: int
    data: bytes
    size: int


class Words(NamedTuple):
    """Neighbouring words: of a word device, or 16 bits each of a bit device.

    Attributes:
        device: its name.
        first: number of the first; of a bit device the first bit of the first word.
        length: how many words.
    """

    device: str
    first: int
    length: int


def read_model() -> Request:
    """Ask for the model of the CPU (0101)."""
    return Request(READ_MODEL, 0, b"", _NAME + _SHORT.size)


def model_name(data: bytes) -> str:
    """The model in an answer, as the plate has it, and its code."""
    name = data[:_NAME].decode("ascii", "replace").rstrip(" \0")
    return f"{name}, code {_SHORT.unpack_from(data, _NAME)[0]:04X}H"


def read(words: Words, series: Series) -> Request:
    """Ask for neighbouring words (0401).

    Raises:
        ValueError: none, or more than 960.
    """
    _check(words.length)
    data = _place(words.device, words.first, series) + _SHORT.pack(words.length)
    return Request(READ, WORDS[series], data, 2 * words.length)


def read_random(wanted: Sequence[Words], series: Series) -> Request:
    """Ask for words from anywhere (0403); the answer has them in this order.

    Raises:
        ValueError: none, or more than 192 (iQ-R naming: 96).
    """
    places = [_place(one.device, first, series) for one in wanted for first in _firsts(one)]
    if not 1 <= len(places) <= MOST_RANDOM[series]:
        raise ValueError(f"cannot read {len(places)} words at random")
    data = bytes((len(places), 0)) + b"".join(places)
    return Request(READ_RANDOM, WORDS[series], data, 2 * len(places))


def _firsts(words: Words) -> Iterator[int]:
    step = 16 if DEVICES[words.device].is_bits else 1
    return (words.first + step * place for place in range(words.length))


def write_words(device: str, first: int, body: bytes, series: Series) -> Request:
    """Set neighbouring words (1401) to bytes as they go on the wire.

    Raises:
        ValueError: none, or more than 960.
    """
    count = len(body) // 2
    _check(count)
    return Request(
        WRITE, WORDS[series], _place(device, first, series) + _SHORT.pack(count) + body, 0
    )


def write_bit(device: str, number: int, value: bool, series: Series) -> Request:
    """Set one bit device (1401); the first of two bits of a byte is the upper half."""
    data = _place(device, number, series) + _SHORT.pack(1) + (b"\x10" if value else b"\x00")
    return Request(WRITE, BITS[series], data, 0)


def _check(count: int) -> None:
    if not 1 <= count <= MOST_WORDS:
        raise ValueError(f"cannot read or write {count} words at once; 1 to {MOST_WORDS} can be")


def _place(device: str, number: int, series: Series) -> bytes:
    """Number and code of a device: 3 and 1 bytes, iQ-R: 4 and 2."""
    wide = series is Series.IQR
    code = DEVICES[device].code
    return number.to_bytes(4 if wide else 3, "little") + code.to_bytes(2 if wide else 1, "little")


def framed(request: Request, to: Route, timer_ms: int, serial: int | None) -> bytes:
    """The message of a request.

    Args:
        request: what to do.
        to: whom it is for.
        timer_ms: longest wait for the CPU, rounded up to whole steps.
        serial: of a 4E frame; None: a 3E frame.
    """
    steps = -(-timer_ms // TIMER_STEP_MS)
    body = _COMMAND.pack(steps, request.command, request.subcommand) + request.data
    if serial is None:
        head = _ASKED[Frame.E3]
    else:
        head = _ASKED[Frame.E4] + _SHORT.pack(serial) + b"\0\0"
    return head + _ROUTE.pack(*to) + _SHORT.pack(len(body)) + body


class Answer(NamedTuple):
    """A complete answer.

    Attributes:
        serial: of a 4E frame.
        sender: who answered.
        end: end code; 0: it was done.
        data: what was asked for, or how it was refused.
    """

    serial: int | None
    sender: Route
    end: int
    data: bytes


class Inbox:
    """Bytes as they come, as answers; they may come in any pieces.

    Args:
        frame: of the answers.
        is_datagrams: whether each piece is whole by itself: what is missing at the end of one
            does not begin the next.
    """

    def __init__(self, frame: Frame, *, is_datagrams: bool = False) -> None:
        self._is_datagrams = is_datagrams
        self._begin = _ANSWERED[frame]
        self._has_serial = frame is Frame.E4
        self._head = 13 if self._has_serial else 9
        self._bytes = bytearray()

    def receive(self, data: bytes) -> list[Answer]:
        """The answers that are complete with these bytes.

        Raises:
            WrongAnswerError: they are no such frame; what follows cannot be told apart.
        """
        if self._is_datagrams:
            self._bytes.clear()
        self._bytes += data
        answers: list[Answer] = []
        while (size := self._size()) is not None and len(self._bytes) >= size:
            answers.append(self._answer(bytes(self._bytes[:size])))
            del self._bytes[:size]
        return answers

    def _size(self) -> int | None:
        """Bytes of the frame at the begin; None: its head is not complete yet."""
        begin = bytes(self._bytes[:2])
        if begin != self._begin[: len(begin)]:
            frames = {_ANSWERED[Frame.E3]: "a 3E", _ANSWERED[Frame.E4]: "a 4E"}
            what = frames.get(begin, "no MC protocol")
            raise WrongAnswerError(f"{what} frame came ({begin.hex(' ')}): see frame and code")
        if len(self._bytes) < self._head:
            return None
        length: int = _SHORT.unpack_from(self._bytes, self._head - 2)[0]
        if length < _LEAST_BODY or length > _LEAST_BODY + 2 * MOST_WORDS:
            raise WrongAnswerError(f"a frame of {length} bytes came")
        return self._head + length

    def _answer(self, frame: bytes) -> Answer:
        serial = _SHORT.unpack_from(frame, 2)[0] if self._has_serial else None
        sender = Route(*_ROUTE.unpack_from(frame, self._head - 7))
        (end,) = _SHORT.unpack_from(frame, self._head)
        return Answer(serial, sender, end, frame[self._head + 2 :])


def outcome(answer: Answer, request: Request, to: Route) -> bytes | int:
    """The data of an answer, or the end code with which it was refused.

    Raises:
        WrongAnswerError: it is no answer to this request.
    """
    if answer.sender != to:
        raise WrongAnswerError(f"{_who(answer.sender)} answered for {_who(to)}")
    if answer.end:
        _check_refusal(answer, request)
        return answer.end
    if len(answer.data) != request.size:
        raise WrongAnswerError(f"{len(answer.data)} bytes came, {request.size} were asked for")
    return answer.data


def _check_refusal(answer: Answer, request: Request) -> None:
    """A refusal repeats the command, where it says anything of it."""
    if len(answer.data) < _REFUSED.size:
        return
    *_, command, subcommand = _REFUSED.unpack_from(answer.data)
    if (command, subcommand) != (request.command, request.subcommand):
        raise WrongAnswerError(f"command {command:04X} was refused, {request.command:04X} was sent")


def _who(route: Route) -> str:
    return f"network {route.network} station {route.pc} module {route.io:03X}H"
