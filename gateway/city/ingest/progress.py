"""Which frames of a gateway the city has finished: duplicates and gaps in numbering. Pure."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from gateway.city.ingest.limits import MAX_NAMED, MAX_RANGES


class Progress:
    """Sequence numbers of one epoch that are finished: all up to ``upto``, and ranges above it.

    Finished is what was committed, or was quarantined, or will never come.
    Numbers start at 1, as the edge's buffer counts. A hole stays until its frames come or the
    edge says that it has given them up; nothing else closes it, because an acknowledgement that
    covers it makes the edge forget what the city never had.

    Attributes:
        upto: all frames up to and including this one are finished.
        closed: frames below this one that are not finished will not be taken any more.
        seen: number of the newest frame that ever came, and its ``Header.chain``.
        begun_ms: when the first frame came, by the city's clock, UTC milliseconds; 0: none did, or
            it is not known.
        known_ms: up to then all that was measured is finished, UTC milliseconds; 0: not known.
    """

    __slots__ = ("_ranges", "begun_ms", "closed", "known_ms", "seen", "upto")

    def __init__(
        self,
        upto: int = 0,
        ranges: Sequence[Sequence[int]] = (),
        closed: int = 0,
        seen: tuple[int, int] = (0, 0),
        begun_ms: int = 0,
        known_ms: int = 0,
    ) -> None:
        self.upto = upto
        self.closed = closed
        self.seen = seen
        self.begun_ms, self.known_ms = begun_ms, known_ms
        self._ranges = [(int(first), int(last)) for first, last in ranges]

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """Inclusive ranges above ``upto``, ascending, never touching each other."""
        return list(self._ranges)

    @property
    def newest(self) -> int:
        """The highest number that is finished."""
        return self._ranges[-1][1] if self._ranges else self.upto

    def __contains__(self, seq: int) -> bool:
        return seq < self.closed or seq <= self.upto or self._place(seq) is not None

    def _place(self, seq: int) -> int | None:
        """Which range holds a number."""
        at = bisect_left(self._ranges, (seq + 1,)) - 1
        return at if at >= 0 and seq <= self._ranges[at][1] else None

    def named(self, seqs: Iterable[int]) -> tuple[list[tuple[int, int]], int]:
        """What an acknowledgement tells beside ``upto``: ranges, and below what none is left out.

        Named are the lowest ranges and those that hold any of these numbers; all would be too many
        for a message where there are many holes.
        """
        places = {self._place(seq) for seq in seqs} - {None}
        places.update(range(min(MAX_NAMED, len(self._ranges))))
        ranges = sorted(self._ranges[at] for at in places if at is not None)
        if len(self._ranges) <= MAX_NAMED:
            return ranges, self.closed
        return ranges, min(self.closed, self._ranges[MAX_NAMED][0])

    def has_room(self, seq: int, awaited_from: int = 0) -> bool:
        """Whether a frame can be finished without more than ``MAX_RANGES`` ranges.

        Args:
            seq: its number.
            awaited_from: what :meth:`give_up` will be given before.
        """
        above = len(self._ranges) - bisect_left(self._ranges, (awaited_from,))
        joins = seq - 1 <= self.upto or {self._place(seq - 1), self._place(seq + 1)} != {None}
        return above < MAX_RANGES or joins

    def add(self, seq: int) -> None:
        """Mark one frame as finished; marking it again changes nothing."""
        if seq in self:
            return
        at = bisect_left(self._ranges, (seq,))
        first = last = seq
        if at > 0 and self._ranges[at - 1][1] == seq - 1:
            at -= 1
            first = self._ranges.pop(at)[0]
        if at < len(self._ranges) and self._ranges[at][0] == seq + 1:
            last = self._ranges.pop(at)[1]
        self._ranges.insert(at, (first, last))
        self._join()

    def see(self, seq: int, chain: int) -> None:
        """Note the chain of a frame that is finished, if none newer has come."""
        if seq > self.seen[0]:
            self.seen = (seq, chain)

    def know(self, seq: int, oldest_ms: int) -> None:
        """Note the oldest time in a frame that is finished.

        What was measured before it is in frames up to this one, so it says nothing while one of
        them is still to come.
        """
        if seq <= self.upto:
            self.known_ms = max(self.known_ms, oldest_ms)

    def give_up(self, awaited_from: int, held_from: int) -> None:
        """Finish frames that the edge says it does not hold; see ``GivenUp``."""
        self.closed = max(self.closed, held_from)
        self.upto = max(self.upto, awaited_from - 1)
        self._join()

    def _join(self) -> None:
        """Let ``upto`` take in the ranges that it reaches."""
        while self._ranges and self._ranges[0][0] <= self.upto + 1:
            self.upto = max(self.upto, self._ranges.pop(0)[1])

    def copy(self) -> "Progress":
        """An independent copy."""
        times_ms = self.begun_ms, self.known_ms
        return Progress(self.upto, self._ranges, self.closed, self.seen, *times_ms)
