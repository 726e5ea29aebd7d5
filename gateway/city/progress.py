"""Which frames of a gateway the city has committed: duplicates and gaps in numbering. Pure."""

from bisect import bisect_left
from collections.abc import Sequence

MAX_ACK_RANGES = 64
"""Most ranges that one acknowledgement carries; the rest follows when ``upto`` has moved."""


class Progress:
    """Sequence numbers of one epoch that are settled: all up to ``upto``, and ranges above it.

    Numbers start at 1, as the edge's buffer counts.
    """

    __slots__ = ("_ranges", "upto")

    def __init__(self, upto: int = 0, ranges: Sequence[Sequence[int]] = ()) -> None:
        self.upto = upto
        self._ranges = [(int(first), int(last)) for first, last in ranges]

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """Inclusive ranges above ``upto``, ascending, never touching each other."""
        return list(self._ranges)

    def __contains__(self, seq: int) -> bool:
        if seq <= self.upto:
            return True
        at = bisect_left(self._ranges, (seq + 1,))
        return at > 0 and seq <= self._ranges[at - 1][1]

    def add(self, seq: int) -> None:
        """Mark one frame as settled; marking it again changes nothing."""
        if seq in self:
            return
        at = bisect_left(self._ranges, (seq,))
        first = last = seq
        if at > 0 and self._ranges[at - 1][1] == seq - 1:
            at -= 1
            first = self._ranges.pop(at)[0]
        if at < len(self._ranges) and self._ranges[at][0] == seq + 1:
            last = self._ranges.pop(at)[1]
        if first == self.upto + 1:
            self.upto = last
        else:
            self._ranges.insert(at, (first, last))

    def copy(self) -> "Progress":
        """An independent copy, to be kept only if the commit succeeds."""
        return Progress(self.upto, self._ranges)
