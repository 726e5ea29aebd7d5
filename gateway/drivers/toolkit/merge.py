"""Merge points into the fewest requests within the limits. Pure."""

import math
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, NamedTuple

EXTRA = 32
"""One request in so many may be added so that those after each other differ."""


class Span(NamedTuple):
    """Where a point is: table, first address, and the one after its last.

    A table is an address space or a data block; those of one plan can be ordered.
    """

    table: Any
    start: int
    stop: int


Wall = tuple[Any, int]
"""No request may join points of a table that start before this address with those from it on."""


class Key(NamedTuple):
    """Table, first address and how many: what makes it the same request in another layout."""

    table: Any
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be read of one table at once.

    Attributes:
        most: addresses in a request.
        gap: unused addresses that are read to save a request.
        bits: what an address holds: 1, 8, 16 or 32 bits.
        walls: addresses over which nothing is ever joined, ascending.
        wholes: ranges (first address, and the one after the last) of which a request asks for
            all; their ends are walls too.
        is_alone: whether only points within each other share a request.
        unlike: how many requests after each other are to have answers of different lengths, as
            far as that takes (nearly) no more of them.
    """

    most: int
    gap: int
    bits: int
    walls: tuple[int, ...] = ()
    wholes: tuple[tuple[int, int], ...] = ()
    is_alone: bool = False
    unlike: int = 1

    def whole_at(self, start: int) -> tuple[int, int] | None:
        """The range that is asked for whole and holds an address."""
        if not self.wholes:
            return None
        return next((one for one in self.wholes if one[0] <= start < one[1]), None)


class Block(NamedTuple):
    """One request, and where its answer goes.

    Attributes:
        key: table, first address, and how many addresses.
        members: positions of its points in the plan, by ascending address.
        last: highest address at which one of its points starts.
        offset: where its data begin in the image of all answers, bits.
        bits: what an address holds.
        request: what the driver made to ask for it.
    """

    key: Key
    members: tuple[int, ...]
    last: int
    offset: int
    bits: int
    request: Any

    @property
    def walls(self) -> tuple[Wall, Wall]:
        """The places that keep it apart from its neighbours."""
        return (self.key.table, self.key.start), (self.key.table, self.last + 1)

    @property
    def size(self) -> int:
        """Bytes of its answer."""
        return (self.key.length * self.bits + 7) // 8

    def __str__(self) -> str:
        last = self.key.start + self.key.length - 1
        upto = f" to {last}" if self.key.length > 1 else ""
        return f"{self.key.table} {self.key.start}{upto}"


class Planner:
    """The merging rules of one connection applied to the points of one plan.

    Args:
        spans: where each point is.
        limits: rules of a table.
        request: what asks for so many addresses of a table from one on.
    """

    def __init__(
        self,
        spans: Sequence[Span],
        limits: Callable[[Any], Limits],
        request: Callable[[Any, int, int], Any],
    ) -> None:
        self._limits = limits
        self._request = request
        self._starts = [span.start for span in spans]
        self._stops = [span.stop for span in spans]
        by_table: dict[Any, list[int]] = {}
        for index, span in enumerate(spans):
            by_table.setdefault(span.table, []).append(index)
        for members in by_table.values():  # sorting keeps what is equal in its order
            members.sort(key=self._stops.__getitem__)
            members.sort(key=self._starts.__getitem__)
        self._ordered = [(table, by_table[table]) for table in sorted(by_table)]

    def blocks(self, walls: AbstractSet[Wall] = frozenset()) -> tuple[Block, ...]:
        """The fewest requests that cover every point, each within one request.

        A point is never split over requests. Going by ascending start and filling each request
        as far as it goes is optimal, since a point that does not fit never helps an earlier one.

        Args:
            walls: places over which nothing may be joined.
        """
        blocks: list[Block] = []
        offset = 0
        for table, ordered in self._ordered:
            limits = self._limits(table)
            for members in self._fewest(table, ordered, walls):
                block = self._block(table, limits, members, offset)
                blocks.append(block)
                offset += 8 * block.size
        return tuple(blocks)

    def _fewest(
        self, table: Any, ordered: Sequence[int], walls: AbstractSet[Wall]
    ) -> list[list[int]]:
        """The fewest, and as unlike each other as these can be."""
        fewest, unlike = list(self._cut(table, ordered, walls)), self._limits(table).unlike
        while unlike > 1 and len(fewest) > 1:
            found = list(self._cut(table, ordered, walls, unlike))
            if len(found) <= len(fewest) + len(fewest) // EXTRA:
                return found
            unlike = unlike * 3 // 4
        return fewest

    def _cut(
        self, table: Any, ordered: Sequence[int], walls: AbstractSet[Wall], unlike: int = 1
    ) -> Iterator[list[int]]:
        limits = self._limits(table)
        step = max(1, 8 // limits.bits)  # an answer counts bytes
        most, alike = limits.most, 0  # of this request; how many before it were filled
        learnt = {place for wall_table, place in walls if wall_table == table}
        barriers = iter(sorted(learnt.union(limits.walls)))
        members: list[int] = []
        start = stop = 0
        barrier: float = next(barriers, math.inf)
        for index in ordered:
            first, end = self._starts[index], self._stops[index]
            while barrier <= start:
                barrier = next(barriers, math.inf)
            is_walled = barrier <= first
            reach = stop if stop > end else end  # noqa: FURB136 - max is slower
            is_full, is_too_far = reach - start > most, first - stop > limits.gap
            if limits.wholes and limits.whole_at(first) is not None:
                is_full = is_too_far = False  # the whole is asked for anyway
            is_apart = limits.is_alone and reach > stop and first > start
            if members and (is_walled or is_full or is_too_far or is_apart):
                alike = (alike + 1) % unlike if is_full else 0
                most = max(1, stop - start - step) if alike else limits.most
                yield members
                members = []
            if not members:
                start, reach = first, end
            members.append(index)
            stop = reach
        yield members

    def _block(self, table: Any, limits: Limits, members: Sequence[int], offset: int) -> Block:
        start, last = self._starts[members[0]], self._starts[members[-1]]
        stop = max(map(self._stops.__getitem__, members))
        whole = limits.whole_at(start)
        if whole is not None:
            start, stop = whole
        count = stop - start
        # A point longer than the device's own limit is asked for whole: it cannot be split.
        request = self._request(table, start, count)
        return Block(Key(table, start, count), tuple(members), last, offset, limits.bits, request)

    def joined(self, fallen: Wall, walls: AbstractSet[Wall]) -> Block | None:
        """The request over a place where a wall has fallen; None if two requests meet there.

        Args:
            fallen: the place.
            walls: those that still stand.
        """
        table, place = fallen
        for block in self.blocks(walls):
            if block.key.table == table and block.key.start < place <= block.last:
                return block
        return None

    def halves(self, block: Block) -> tuple[Block, Block] | None:
        """Split a block between points; None if all of them start at one address, or it is whole.

        The halves point into the same place of the image as the whole.
        """
        starts = [self._starts[index] for index in block.members]
        limits = self._limits(block.key.table)
        if limits.whole_at(block.key.start) is not None or starts[0] == starts[-1]:
            return None
        cut = starts[len(starts) // 2]
        if cut == starts[0]:
            cut = next(start for start in starts if start > cut)
        at = starts.index(cut)
        left = self._block(block.key.table, limits, block.members[:at], block.offset)
        right = self._block(block.key.table, limits, block.members[at:], 0)
        shift = (right.key.start - block.key.start) * block.bits
        return left, right._replace(offset=block.offset + shift)


def place(image: bytearray, block: Block, answer: bytes) -> None:
    """Put the data of a block where they belong in the image of all answers."""
    at, shift = divmod(block.offset, 8)
    if block.bits > 1:
        image[at : at + block.size] = answer
        return
    width = (shift + block.key.length + 7) // 8
    mask = (1 << block.key.length) - 1
    bits = (int.from_bytes(answer, "little") & mask) << shift
    kept = int.from_bytes(image[at : at + width], "little") & ~(mask << shift)
    image[at : at + width] = (kept | bits).to_bytes(width, "little")
