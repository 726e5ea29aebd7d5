"""Modbus TCP framing and the matching of answers to requests, without I/O. Pure.

Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, sections 3.1.3 and 4.4.
"""

from collections.abc import Sequence

from gateway.drivers.modbus.codec import NO_RESPONSE, NOT_SENT, SILENT, WRONG, Answer, Request
from gateway.drivers.modbus.framing.quirks import (
    HEADER,
    NO_QUIRKS,
    Expected,
    Quirk,
    Quirks,
    find,
)
from gateway.drivers.modbus.framing.refusals import advice, difference, forgiven, no_frame, not_open
from gateway.drivers.modbus.framing.series import ProtocolError, Series
from gateway.drivers.modbus.framing.wrapped import Wrapped, Wrapping

_SHORTEST = 9  # an exception; every right answer is longer
_LONGEST = 254  # of what the length field counts: unit and PDU
_LONGEST_REST = 2_048  # of what is looked through for an answer, or came before a request
_REMEMBERED = 64  # requests, given up or answered, whose further answers are recognised


class Transactions(Series):
    """The open requests of one connection.

    Every request has a new transaction id, answers may come in any order and in any pieces, and
    at most ``window`` requests are under way. A late answer to a request that was given up is
    dropped, and so is a second one to a request that was answered. Whatever else is not exactly a
    right answer or an exception to an open request raises :class:`ProtocolError`.

    Args:
        last: transaction id before the first, 0…65535.
    """

    __slots__ = (
        *("_first", "_given_up", "_is_new", "_last", "_latest", "_open", "_quirks"),
        *("_window", "_wrapped", "_wrapping"),
    )

    def __init__(self, last: int = 0) -> None:
        super().__init__()
        self._first = self._last = last
        self._open: dict[bytes, int] = {}  # which request of the series, by transaction id
        self._wrapped: list[Wrapped] = []
        self._wrapping = Wrapping()
        self._given_up: dict[bytes, None] = {}
        self._latest = -1  # which request of the series was answered last
        self._window = 1
        self._quirks = NO_QUIRKS
        self._is_new = True  # nothing was asked yet

    def begin(
        self,
        unit: int,
        requests: Sequence[Request],
        window: int = 1,
        quirks: Quirks = NO_QUIRKS,
    ) -> bytes:
        """Start a series of requests to a unit; returns the bytes to send.

        Args:
            unit: 0…255.
            requests: at least one; a tuple is expected to come again, a list is not.
            window: most requests under way.
            quirks: of the unit; with any of them one request is under way.

        Raises:
            ProtocolError: the other side spoke before it was asked.
        """
        if requests is not self._requests or unit != self._unit:
            self._wrapped = self._wrapping.of(unit, requests)
        self._begin(unit, requests)
        self._latest = -1
        self._quirks = quirks
        if self._is_new:
            self._heed_greeting()
        self._window = 1 if quirks else window
        return self._fill(self._window)

    def _heed_greeting(self) -> None:
        self._is_new, greeting, self._rest = False, self._rest, b""
        if greeting and Quirk.GREETING not in self._quirks:
            said = f"{len(greeting)} bytes came before anything was asked" + advice(Quirk.GREETING)
            raise ProtocolError(said)

    def receive(self, data: bytes) -> bytes:
        """Read what came; returns the bytes to send next.

        Raises:
            ProtocolError: it is not what was asked for.
        """
        if self._rest:
            data = self._rest + data
        if self._is_new or self._quirks:
            return self._receive_loosely(data)
        at, end, free = 0, len(data), 0
        asked = {} if self.is_held else self._open
        while end - at >= _SHORTEST:
            key = data[at : at + 2]
            index = asked.get(key)
            if index is None:
                stop = self._skip(key, data, at, end)
            else:
                stop = self._match(key, index, data, at)
            if not stop:
                break
            at = stop
            free += index is not None
        self._rest = data[at:]
        if self._rest and not self._open and not self._given_up:
            self._refuse_rest()
        return self._fill(free) if free else b""

    def _refuse_rest(self) -> None:
        much = f"{len(self._rest)} bytes came that nobody asked for"
        raise ProtocolError(much + advice(Quirk.TRAILING_BYTES))

    def _receive_loosely(self, data: bytes) -> bytes:
        """The same for a unit with quirks; what comes before the first request is kept."""
        self._rest = data[-_LONGEST_REST:]
        if self._is_new:
            return b""
        self._pass_over_repeated()
        if self.is_held or (self._open and not self._read_one()):
            return b""
        self._pass_over_repeated()
        if self._rest and Quirk.TRAILING_BYTES not in self._quirks:
            self._refuse_rest()
        self._rest = b""
        return self._fill(1)

    def release(self) -> None:
        """The request sent last is written now; where ids say nothing, what came is none of it."""
        super().release()
        if Quirk.ANY_TRANSACTION in self._quirks:
            self._rest = b""

    def _pass_over_repeated(self) -> None:
        """Pass over further answers to what was answered, as far as they can be told."""
        if self._quirks & {Quirk.TRAILING_BYTES, Quirk.GREETING}:
            return
        if Quirk.ANY_TRANSACTION in self._quirks:
            if self._rest and not self._open and self._sent:
                last = Expected(b"", self._unit, self._requests[self._sent - 1])
                again = find(self._rest, last, self._quirks)
                self.comes_twice = self.comes_twice or again is not None
                self._rest = self._rest[again.stop :] if again else self._rest
            return
        while len(self._rest) >= _SHORTEST and self._was_answered(self._rest[:2]):
            self._rest = self._rest[self._skip(self._rest[:2], self._rest, 0, len(self._rest)) :]

    def _was_answered(self, key: bytes) -> bool:
        """Whether a transaction was begun not long ago and is over."""
        begun = min((self._last - self._first) & 0xFFFF, _REMEMBERED)
        is_recent = (self._last - int.from_bytes(key, "big")) & 0xFFFF < begun
        return is_recent and key not in self._open and key not in self._given_up

    def _read_one(self) -> bool:
        """Read the answer to the one open request; False if it has not come whole, or waits."""
        ((key, index),) = self._open.items()
        found = find(self._rest, Expected(key, self._unit, self._requests[index]), self._quirks)
        if found is None:
            self._refuse_if_wrong(key, self._wrapped[index])
            return False
        self._rest = self._rest[found.stop :]
        is_known = Quirk.ANY_TRANSACTION not in self._quirks
        if is_known or (self.doubted is None and not self._is_doubtful(found.answer)):
            self._note(found.answer)
            return True
        if self.doubted is not None:
            self._note_surplus()
        self.doubted = found.answer
        return bool(self._rest) and self._read_one()

    def _note(self, answer: Answer) -> None:
        ((key, index),) = self._open.items()
        del self._open[key]
        self._answered(index, answer)
        self._note_taken(answer)
        if answer in NO_RESPONSE:
            self._end()

    def _take(self, answer: Answer) -> bytes:
        self._note(answer)
        return self._fill(1)

    def _refuse_if_wrong(self, key: bytes, asked: Wrapped) -> None:
        """See whether what came can still become an answer; if it may stand anywhere, it can."""
        quirks, rest = self._quirks, self._rest
        if len(rest) < _SHORTEST or quirks & {Quirk.TRAILING_BYTES, Quirk.GREETING}:
            return
        if rest[:2] != key and Quirk.ANY_TRANSACTION not in quirks:
            raise ProtocolError(not_open(rest[:2]))
        got, head = forgiven(rest[2:], asked.head, quirks), asked.head
        if Quirk.PADDED_DATA in quirks and got[5] == head[5] and got[6] > head[6]:
            head = head[:2] + (got[6] + 3).to_bytes(2, "big") + head[4:6] + got[6:7]
        if not got.startswith(head) and not head.startswith(got):
            raise ProtocolError(difference(head, asked.refusal, got))

    def give_up(self, code: int = SILENT) -> None:
        """Wait no longer for what is open; the oldest request gets the code for its answer."""
        is_held = self.is_held
        oldest = next(iter(self._open.values()), None)
        if self._window > 1:
            self._revoke(self._sent if oldest is None else oldest, code)
        self._unanswered(oldest, code)
        if not is_held:  # what was not sent keeps nobody busy
            self._given_up.update(dict.fromkeys(self._open))
        self._open.clear()
        while len(self._given_up) > _REMEMBERED:
            del self._given_up[next(iter(self._given_up))]

    def _revoke(self, oldest: int, code: int) -> None:
        """Where several were under way: take no answer that may be another's.

        Gateways give an older answer the newest id, and a frame that was cut off takes its last
        bytes from the one behind it. What came before the oldest open request came in order.
        """
        for index in range(0 if self._rest or code == WRONG else oldest, self._sent):
            self.answers[index] = NOT_SENT

    @property
    def is_waiting(self) -> bool:
        """Whether the other side may still be at work on a request that was given up."""
        return bool(self._given_up)

    def _fill(self, free: int) -> bytes:
        first = self._sent
        stop, end = first + free, len(self._requests)
        stop = self._sent = stop if stop < end else end  # noqa: FURB136 - min is slower
        out = b""
        for index in range(first, stop):
            self._last = (self._last + 1) & 0xFFFF
            self._open[key := self._last.to_bytes(2, "big")] = index
            out += key + self._wrapped[index].request
        return out

    def _match(self, key: bytes, index: int, data: bytes, at: int) -> int:
        """Read the answer at ``at``; returns where it ends, 0 if it has not come whole."""
        asked, begin = self._wrapped[index], at + len(key)
        if data.startswith(asked.head, begin):
            stop = at + HEADER + asked.size
            if stop > len(data):
                return 0
            self._answered(index, data[begin + len(asked.head) : stop])
        elif (found := asked.sized(data, begin)) is not None:
            self._wrapped[index] = found
            return self._match(key, index, data, at)
        elif self._refused(index, data[begin:]):
            stop = at + _SHORTEST
        else:
            return 0
        del self._open[key]
        self._latest = index
        self._given_up.clear()  # who answers one request has done with those before it
        return stop

    def _refused(self, index: int, got: bytes) -> bool:
        """Read an exception in what came after the id; False: it is half an answer."""
        asked = self._wrapped[index]
        if got.startswith(asked.refusal):
            code = got[len(asked.refusal)]
            self._answered(index, code)
            if code in NO_RESPONSE:  # every further request would wait for the gateway's time-out
                self._end()
            return True
        if asked.head.startswith(got):  # the echo of a write
            return False
        raise ProtocolError(difference(asked.head, asked.refusal, got))

    def _contradicts(self, again: bytes) -> bool:
        """Whether the answer taken last came once more and is another: one was for another."""
        taken, is_it = self.answers[self._latest], int.from_bytes(again[:2], "big") == self._last
        return is_it and isinstance(taken, bytes) and not again.endswith(taken)

    def _skip(self, key: bytes, data: bytes, at: int, end: int) -> int:
        """Pass over a late answer; returns where it ends, 0 if it has not come whole."""
        size = int.from_bytes(data[at + 4 : at + 6], "big")
        if data[at + 2 : at + 4] != b"\0\0":
            # Was any request but these ever answered?
            begun = (self._last - self._first) & 0xFFFF
            is_first = begun <= len(self._open) + len(self._given_up)
            raise ProtocolError(no_frame(data[at:], Quirk.GREETING if is_first else None))
        is_again = self._was_answered(key)
        if (key not in self._given_up and not is_again) or size > _LONGEST:
            raise ProtocolError(not_open(key))
        stop = at + HEADER - 1 + size
        if stop > end:
            return 0
        self._given_up.pop(key, None)
        if is_again and self._open:
            self.repeated = key
        elif is_again and self._contradicts(data[at:stop]):
            raise ProtocolError(f"two answers to transaction {key.hex()}, which differ")
        self.late += 1
        return stop
