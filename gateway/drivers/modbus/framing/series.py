"""A series of requests to one unit, whatever the framing. Pure."""

from collections.abc import Sequence

from gateway.drivers.modbus.codec import NOT_SENT, SILENT, Answer, Request


class ProtocolError(Exception):
    """Bytes came that no right answer to an open request has. The connection is worthless."""


_SINGLE = 3
"""After so many equal answers that nothing followed, equal ones are believed at once."""

_RECENT = 64
"""Answers that are remembered: a line of thirty units has two or three requests of each."""

_RICH_SIZE, _RICH_BYTES = 8, 4
"""Data of so many bytes, so many of them different, are hardly those of two requests by chance."""


class Series:
    """What both framings keep of the requests that are under way.

    Where nothing in an answer says to which request it belongs, it may be another's: repeated by
    whoever is between, or late. Then the right one follows it, so an answer in doubt waits, and
    the last one that comes counts (:meth:`trust`).

    After silence nothing tells the late answer from the right one, in whichever order they come:
    if two come that differ, neither is believed.

    Args:
        given_up_by: units and functions of which a late answer may come; connections of one line
            share them, as what is late may come over the next one.

    Attributes:
        answers: of the series begun last, in the order of its requests.
        missing: how many of them have not come.
        late: how many answers came after their requests had been given up, or once more.
        doubted: the answer to the request sent last that waits whether another one follows.
        is_datagrams: whether each piece that comes is whole.
        is_held: whether the request sent last is still to be written: nothing that comes until
            then is its answer.
        comes_twice: whether answers came that nobody waited for, so that each is in doubt.
        repeated: transaction that was answered again while another one was missing; empty: none.
    """

    crosses_datagrams = False
    framing = "tcp"

    __slots__ = (
        *("_differ", "_given_up_by", "_recent", "_requests", "_rest", "_sent", "_single"),
        *("_taken", "_unit"),
        *(
            "answers",
            "comes_twice",
            "doubted",
            "is_datagrams",
            "is_held",
            "late",
            "missing",
            "repeated",
        ),
    )

    def __init__(self, given_up_by: set[tuple[int, int]] | None = None) -> None:
        self._unit = 0
        self._requests: Sequence[Request] = ()
        self._rest = b""
        self._sent = 0
        self._given_up_by = set() if given_up_by is None else given_up_by
        self._taken: tuple[int, bytes] = (0, b"")  # unit, and the request that was answered last
        self._recent: dict[tuple[int, Answer], Request] = {}  # unit and answer → its request
        self._differ = False  # answers came to one request after silence, and are not the same
        self._single: dict[bytes, int] = {}  # equal answers that nothing followed, by request
        self.answers: list[Answer] = []
        self.missing = 0
        self.late = 0
        self.doubted: Answer | None = None
        self.is_datagrams = False
        self.is_held = False
        self.comes_twice = False
        self.repeated = b""

    def _begin(self, unit: int, requests: Sequence[Request]) -> None:
        self._unit = unit
        self._requests = requests
        self._sent = 0
        self.answers = [NOT_SENT] * len(requests)
        self.missing = len(requests)
        self.doubted = None
        self._differ = False
        self.is_held = False
        self.repeated = b""

    def release(self) -> None:
        """The request sent last is written now."""
        self.is_held = False

    def begin_datagram(self) -> None:
        """What comes next is a datagram: half an answer takes no bytes from it."""
        if not self.crosses_datagrams:
            self._rest = b""

    def _answered(self, index: int, answer: Answer) -> None:
        self.answers[index] = answer
        self.missing -= 1

    @property
    def is_after_silence(self) -> bool:
        """Whether a late answer may pass for that to the request sent last."""
        return (self._unit, self._requests[self._sent - 1].pdu[0]) in self._given_up_by

    def _is_doubtful(self, answer: Answer) -> bool:
        """Whether an answer without a transaction id may belong to a request before this one."""
        if self.comes_twice or self.is_after_silence:
            return True
        if not self._is_repeated(answer):
            return False
        return self._single.get(self._counted(answer), 0) < _SINGLE

    def _is_repeated(self, answer: Answer) -> bool:
        """Whether another request to this unit, whose answers look alike, had the same lately."""
        before, now = self._recent.get((self._unit, answer)), self._requests[self._sent - 1]
        return before is not None and before.pdu != now.pdu and before.head == now.head

    def _counted(self, answer: Answer) -> bytes:
        """Under what equal answers are counted: many requests have nothing but zeros to say."""
        is_rich = (
            isinstance(answer, bytes)
            and len(answer) >= _RICH_SIZE
            and len(set(answer)) >= _RICH_BYTES
        )
        return self._requests[self._sent - 1].pdu if is_rich else b""

    def _note_surplus(self) -> None:
        """Another answer has followed one in doubt; if none is late, somebody answers twice."""
        self._single.clear()
        if not self.is_after_silence:
            self.comes_twice = True

    def _note_taken(self, answer: Answer) -> None:
        request = self._requests[self._sent - 1]
        self._taken = self._unit, request.pdu
        if len(self._recent) >= _RECENT:
            del self._recent[next(iter(self._recent))]
        if isinstance(answer, bytes):
            self._recent[self._unit, answer] = request

    def trust(self) -> bytes:
        """Nothing more follows the answer in doubt: take it; returns the bytes to send next."""
        answer, self.doubted = self.doubted, None
        assert answer is not None  # noqa: S101 - called only while one is in doubt
        if self._differ:
            self.give_up(SILENT)
            return b""
        if self._is_repeated(answer):
            counted = self._counted(answer)
            self._single[counted] = self._single.get(counted, 0) + 1
        self._given_up_by.discard((self._unit, self._requests[self._sent - 1].pdu[0]))
        return self._take(answer)

    def give_up(self, code: int = SILENT) -> None:
        """Wait no longer for what is open; it gets the code for its answer."""
        raise NotImplementedError

    def _take(self, answer: Answer) -> bytes:
        """Take the answer to the request sent last; returns the bytes to send next."""
        raise NotImplementedError

    def _end(self) -> None:
        """Ask nothing more of this series."""
        self.missing -= len(self._requests) - self._sent
        self._sent = len(self._requests)

    def _unanswered(self, first: int | None, code: int) -> None:
        """Give up what is open.

        Args:
            first: the oldest open request, which is to blame; None: the one that was sent last
                is, though it may be answered: bytes followed that.
            code: what it has instead of an answer.
        """
        self.answers[max(self._sent - 1, 0) if first is None else first] = code
        if self._sent and not self.is_held:
            self._expect_late(code)
        self.missing = 0
        self.doubted = None
        self.is_held = False
        self._sent = len(self._requests)

    def _expect_late(self, code: int) -> None:
        asked = self._unit, self._requests[self._sent - 1].pdu[0]
        if code == SILENT:
            self._given_up_by.add(asked)
        else:  # over with the connection, on which nothing can follow; the next one waits it out
            self._given_up_by.discard(asked)

    @property
    def request(self) -> Request | None:
        """The request sent last in this series."""
        return self._requests[self._sent - 1] if self._sent else None
