"""Which addresses of a table a unit lets be read, found by halving what it refuses. Pure."""

from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gateway.drivers.modbus.codec import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    SILENT,
    Answer,
)

Span = tuple[int, int]
"""First address, and the first one after it."""

MOST_SILENT = 3
"""Requests in a row without an answer, after which a table is left."""

_SPLIT = frozenset({ILLEGAL_ADDRESS, ILLEGAL_VALUE, SILENT})
"""Refusals that may be meant for a part of what was asked for."""


@dataclass(slots=True)
class _Whole:
    """A request that was refused, until its halves are answered.

    Attributes:
        size: addresses.
        read: how many of its halves were answered whole.
    """

    size: int
    read: int = 0


@dataclass(order=True, slots=True)
class _Open:
    """A request that is to be sent; the largest first, so that an early end tells the most."""

    rank: int
    start: int
    stop: int = field(compare=False)
    whole: _Whole | None = field(compare=False, default=None)


class RangeMap:
    """One table of one unit.

    Ask for :meth:`next`, hand the answer to :meth:`answered`, until there is nothing to ask.

    Args:
        wanted: spans to look at; they may overlap.
        most: addresses in a request.

    Attributes:
        most: addresses that the unit gives in one request, as far as that is known.
        readable: those that it gives.
        why: why the rest was left, as a sentence; empty: it was not.
    """

    def __init__(self, wanted: Iterable[Span], most: int) -> None:
        self.most = most
        self.readable: set[int] = set()
        self.why = ""
        self._open: list[_Open] = []
        self._now: _Open | None = None
        self._silent = 0
        self._answered = False
        for start, stop in joined(wanted):
            self._add(start, stop)

    def next(self) -> Span | None:
        """What to read now; None: everything is decided."""
        while self._open:
            self._now = self._open.pop(0)
            if self._now.stop - self._now.start <= self.most:
                return self._now.start, self._now.stop
            self._add(self._now.start, self._now.stop)
        return None

    def answered(self, answer: Answer) -> None:
        """The answer to what :meth:`next` gave: data, or the code of a refusal."""
        asked, self._now = self._now, None
        if asked is None:
            raise ValueError("nothing was asked")
        if isinstance(answer, bytes):
            self._is_read(asked)
        else:
            self._is_refused(asked, answer)

    @property
    def undecided(self) -> int:
        """How many addresses are not decided."""
        return sum(one.stop - one.start for one in self._open)

    def spans(self) -> list[Span]:
        """What is readable."""
        return joined((at, at + 1) for at in self.readable)

    def _is_read(self, asked: _Open) -> None:
        self._silent, self._answered = 0, True
        self.readable.update(range(asked.start, asked.stop))
        if asked.whole is not None:
            asked.whole.read += 1
            if asked.whole.read == 2:  # noqa: PLR2004 - both halves: it was only too much at once
                self.most = min(self.most, asked.whole.size - 1, self._largest(asked.whole))

    @staticmethod
    def _largest(whole: _Whole) -> int:
        return (whole.size + 1) // 2

    def _is_refused(self, asked: _Open, code: int) -> None:
        self._silent = self._silent + 1 if code == SILENT else 0
        if self._silent >= MOST_SILENT:
            self._leave(f"{self._silent} requests in a row had no answer")
        elif code == ILLEGAL_FUNCTION and not self._answered:
            self._leave("the unit has no such table (exception 1)")
        elif code not in _SPLIT:
            self._answered = True  # it is there, and says something about this request alone
        elif asked.stop - asked.start > 1:
            self._halve(asked)

    def _halve(self, asked: _Open) -> None:
        size = asked.stop - asked.start
        whole = _Whole(size)
        middle = asked.start + self._largest(whole)
        for start, stop in ((asked.start, middle), (middle, asked.stop)):
            insort(self._open, _Open(start - stop, start, stop, whole))

    def _leave(self, why: str) -> None:
        self.why = why
        self._open.clear()

    def _add(self, start: int, stop: int) -> None:
        for at in range(start, stop, self.most):
            end = min(at + self.most, stop)
            insort(self._open, _Open(at - end, at, end))


def joined(spans: Iterable[Span]) -> list[Span]:
    """Ascending spans without overlaps; those that touch are one."""
    found: list[Span] = []
    for start, stop in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(stop, found[-1][1])
        else:
            found.append((start, stop))
    return found


def numbers(text: str, most: int) -> Iterator[int]:
    """The numbers of ``1-5,9``, in its order.

    Raises:
        ValueError: it is no such list, or a number is above ``most``.
    """
    for part in text.replace("，", ",").replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise ValueError(f"{text!r} is no list of numbers; write it as 1-5,9")
        low, high = int(first), int(last or first)
        if low > high or high > most:
            raise ValueError(f"{part!r} in {text!r}: numbers go up from 0 to {most}")
        yield from range(low, high + 1)
