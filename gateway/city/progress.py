"""Which frames of a gateway the city has settled: duplicates and gaps in numbering. Pure."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from gateway.city.limits import MAX_RANGES


class Progress:
    """Sequence numbers of one epoch that are settled: all up to ``upto``, and ranges above it.

    Numbers start at 1, as the edge's buffer counts. A hole stays for ever where an edge has given
    up frames for its quota; beyond ``MAX_RANGES`` ranges the lowest hole counts as given up.
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
        return seq <= self.upto or self._place(seq) is not None

    def _place(self, seq: int) -> int | None:
        """Which range holds a number."""
        at = bisect_left(self._ranges, (seq + 1,)) - 1
        return at if at >= 0 and seq <= self._ranges[at][1] else None

    def ranges_of(self, seqs: Iterable[int]) -> list[tuple[int, int]]:
        """The ranges that hold any of these numbers, ascending: what an acknowledgement tells.

        All ranges would be too many for a message where many frames have been given up.
        """
        places = {self._place(seq) for seq in seqs} - {None}
        return sorted(self._ranges[at] for at in places if at is not None)

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
        self._ranges.insert(at, (first, last))
        if self._ranges[0][0] == self.upto + 1 or len(self._ranges) > MAX_RANGES:
            self.upto = self._ranges.pop(0)[1]

    def copy(self) -> "Progress":
        """An independent copy."""
        return Progress(self.upto, self._ranges)
