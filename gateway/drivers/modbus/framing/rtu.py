"""RTU framing (serial lines, and serial servers that pass them on), without I/O. Pure.

Source: MODBUS over Serial Line V1.02, sections 2.5.1 (frames, CRC) and 6.2 (its computing).
There are no transaction ids: one request is under way at a time, and an answer is known by its
unit, function, length and CRC. All else – noise, the echo of a two-wire line, a late answer of
another unit – is passed over.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from gateway.drivers.modbus.codec import (
    EXCEPTION_BIT,
    NO_RESPONSE,
    SILENT,
    Answer,
    Request,
)
from gateway.drivers.modbus.framing.identification import identification_size
from gateway.drivers.modbus.framing.quirks import NO_QUIRKS, READ_HEAD, Quirk, Quirks
from gateway.drivers.modbus.framing.series import Series

_REFUSAL = 5  # bytes of an exception: unit, function, code, CRC
_LONGEST = 256


def _table() -> tuple[int, ...]:
    values = list(range(256))
    for _ in range(8):
        values = [value >> 1 ^ (0xA001 if value & 1 else 0) for value in values]
    return tuple(values)


_CRC = _table()


def crc(body: bytes) -> bytes:
    """The two bytes that end a frame, low one first."""
    value = 0xFFFF
    for byte in body:
        value = value >> 8 ^ _CRC[(value ^ byte) & 0xFF]
    return value.to_bytes(2, "little")


@lru_cache(maxsize=4096)
def frame(unit: int, pdu: bytes) -> bytes:
    """A whole frame; the same few are sent again and again."""
    body = bytes((unit,)) + pdu
    return body + crc(body)


class RtuLine(Series):
    """The one open request of a line, or of a connection to a serial server.

    Args:
        given_up_by: see :class:`Series`.

    Attributes:
        garbage: bytes that came in this series and are no answer.
        stranger: another unit that answered in place of the one that was asked, in vain.
    """

    __slots__ = ("_echoes", "_is_second", "_takes_padded", "garbage", "stranger")

    is_waiting = False  # a line keeps nothing back for a unit that does not answer
    crosses_datagrams = True  # serial servers cut frames where they like
    framing = "rtu"
    longest = _LONGEST

    def __init__(self, given_up_by: set[tuple[int, int]] | None = None) -> None:
        super().__init__(given_up_by)
        self._takes_padded = False
        self._is_second = False  # the request was sent once more, its first answer was in doubt
        self._echoes = False  # the line gives back what is sent, as two-wire adapters may
        self.garbage = 0
        self.stranger: int | None = None

    def begin(
        self,
        unit: int,
        requests: Sequence[Request],
        _window: int = 1,
        quirks: Quirks = NO_QUIRKS,
    ) -> bytes:
        """Start a series of requests to a unit (0…255); returns the bytes to send.

        Of the quirks only ``PADDED_DATA`` has a meaning here: bytes between frames are passed
        over anyway, and without transaction ids the unit is what an answer is known by.
        """
        self._begin(unit, requests)
        self._takes_padded = Quirk.PADDED_DATA in quirks
        self.garbage, self.stranger = 0, None
        return self._next()

    def receive(self, data: bytes) -> bytes:
        """Read what came; returns the bytes to send next. ``garbage`` counts what is no answer."""
        if not self.missing or self.is_held:
            self._note_unasked(data)
            return b""
        self._rest = (self._rest + data)[-2 * self.longest :]
        answers = self._answers()
        first = next(answers, None)
        if first is None:
            self.garbage = len(self._rest)
        elif self.doubted is None and not self._is_doubtful(first):
            return self._take(first)
        else:
            for answer in (first, *answers):
                self._doubt(answer)
        return b""

    def trust(self) -> bytes:
        """Nothing more follows; ask once more if the right answer may have been lost.

        A late or repeated answer would then be taken for it. What is written is not repeated.
        """
        assert self.doubted is not None  # noqa: S101 - called only while one is in doubt
        is_read = self._requests[self._sent - 1].is_read
        may_be_lost = self.is_after_silence or self._is_repeated(self.doubted)
        if self._is_second or self._differ or not is_read or not may_be_lost:
            return super().trust()
        self.doubted = None
        self._sent -= 1
        again = self._next()
        self._is_second = True
        return again

    def _doubt(self, answer: Answer) -> None:
        """Let an answer wait whether another one follows."""
        if self.doubted is not None:
            self._note_surplus()
            self._differ = self._differ or (self.is_after_silence and answer != self.doubted)
        self.doubted = answer

    def release(self) -> None:
        """The request sent last is written now: what came before is no part of its answer."""
        super().release()
        self._rest = b""

    def give_up(self, code: int = SILENT) -> None:
        """Wait no longer for what is open; it gets the code for its answer."""
        self.stranger = self._stranger()
        self._unanswered(None, code)
        self._rest = b""

    def _next(self) -> bytes:
        self._rest = b""
        self._is_second = False
        if self._sent == len(self._requests):
            return b""
        request = self._requests[self._sent]
        self._sent += 1
        return self._frame(request.pdu)

    def _frame(self, pdu: bytes) -> bytes:
        """A request to the unit as it is sent."""
        return frame(self._unit, pdu)

    def _stranger(self) -> int | None:
        """Another unit of which an answer has come."""
        return _stranger(self._rest, self._unit)

    def _answers(self) -> Iterator[Answer]:
        """The answers in what came, wherever they begin; more than one only by a fault.

        What is read is used up: noise that comes later does not make it another answer.
        """
        request = self._requests[self._sent - 1]
        sent, data = self._frame(request.pdu), self._rest
        is_echoed = data.startswith(sent)
        # The answer to a write of one value is its echo: only the second one is the device's.
        at = len(sent) if is_echoed and self._echoes else 0
        while at < len(data):
            answer, stop = self._answer_at(data, at, request)
            if answer is not None:
                if isinstance(answer, bytes):
                    self._echoes = is_echoed and at >= len(sent)
                self._rest = data[stop:]
                yield answer
            at = stop

    def _take(self, answer: Answer) -> bytes:
        self._answered(self._sent - 1, answer)
        self._note_taken(answer)
        self._rest = b""
        if isinstance(answer, int) and answer in NO_RESPONSE:
            self._end()
        return self._next() if self.missing else b""

    def _note_unasked(self, data: bytes) -> None:
        """See whether the unit that was read last answers once more; a late answer is no sign."""
        self.late += 1
        self._rest = (self._rest + data)[-self.longest :]
        unit, pdu = self._taken
        request = self._requests[self._sent - 1] if self._sent else None
        if request is None or not request.is_read:  # adapters echo what was written
            return
        is_last = (unit, pdu) == (self._unit, request.pdu)
        if is_last and (unit, pdu[0]) not in self._given_up_by:
            self.comes_twice = self.comes_twice or next(self._answers(), None) is not None

    def _answer_at(self, data: bytes, at: int, request: Request) -> tuple[Answer | None, int]:
        """The answer that begins here, and where it ends.

        None, and the next place to look at: none does, or it has not come whole.
        """
        unit = bytes((self._unit,))
        head = unit + request.head
        size = request.size
        if not size and data.startswith(head, at):
            size = identification_size(data[at + 1 :])
        body = slice(at + len(head), at + 1 + size)
        if size and data.startswith(head, at) and _is_sound(data, at, size + 3):
            return data[body], at + size + 3
        if self._takes_padded and self._is_padded_at(data, at, request):
            return data[body], at + data[at + 2] + _REFUSAL
        refusal = unit + bytes((request.pdu[0] | EXCEPTION_BIT,))
        if data.startswith(refusal, at) and _is_sound(data, at, _REFUSAL):
            return data[at + 2], at + _REFUSAL
        return None, at + 1

    def _is_padded_at(self, data: bytes, at: int, request: Request) -> bool:
        """Whether a read's answer begins here that holds more than was asked for."""
        head = request.head
        if len(head) != READ_HEAD or len(data) < at + 1 + READ_HEAD:
            return False
        is_it = data[at] == self._unit and data[at + 1] == head[0] and data[at + 2] > head[1]
        return is_it and _is_sound(data, at, data[at + 2] + _REFUSAL)


def _is_sound(data: bytes, at: int, size: int) -> bool:
    """Whether a whole frame with a right CRC is at this place."""
    stop = at + size
    return stop <= len(data) and crc(data[at : stop - 2]) == data[stop - 2 : stop]


def _stranger(data: bytes, unit: int) -> int | None:
    """The unit, other than this one, of the first answer among some bytes."""
    for at in range(len(data) - _REFUSAL + 1):
        size = _REFUSAL if data[at + 1] & EXCEPTION_BIT else data[at + 2] + _REFUSAL
        if data[at] != unit and _is_sound(data, at, size):
            return data[at]
    return None


def is_frame(data: bytes) -> bool:
    """Whether bytes are one RTU frame: what a device in the other framing would send."""
    return len(data) >= _REFUSAL and _is_sound(data, 0, len(data))
