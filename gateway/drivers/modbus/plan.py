"""Merge tags into the fewest requests within the limits. Pure."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import groupby

from gateway.drivers.api import Point
from gateway.drivers.modbus.codec import Table, read
from gateway.drivers.modbus.config import Address, Connection
from gateway.drivers.modbus.mbap import Frame, frame

REGISTER_BITS = 16
Wall = tuple[Table, int]
"""No request may join tags that start before this address with tags that start at or after."""
Key = tuple[Table, int, int]
"""Table, first address and count: what makes it the same request in another layout."""


@dataclass(frozen=True, slots=True)
class Block:
    """One request, and where its answer goes.

    Attributes:
        table: what is read.
        start: first address.
        count: how many registers or bits.
        members: positions of its points in the plan, by ascending address.
        last: highest address at which one of its points starts.
        offset: where its data begin in the image of all answers, bits.
        frame: the prepared request.
    """

    table: Table
    start: int
    count: int
    members: tuple[int, ...]
    last: int
    offset: int
    frame: Frame

    @property
    def key(self) -> Key:
        """What makes it the same request in another layout."""
        return self.table, self.start, self.count

    @property
    def walls(self) -> tuple[Wall, Wall]:
        """The places that keep it apart from its neighbours."""
        return (self.table, self.start), (self.table, self.last + 1)

    @property
    def bits_each(self) -> int:
        """Bits of the image for one address."""
        return 1 if self.table.is_bits else REGISTER_BITS

    @property
    def size(self) -> int:
        """Bytes of its answer."""
        return (self.count * self.bits_each + 7) // 8


class Planner:
    """The merging rules of one connection applied to the points of one plan."""

    def __init__(self, connection: Connection, points: Sequence[Point]) -> None:
        self._connection = connection
        spans = [_span(point.address) for point in points]
        self._starts = [start for _, start, _ in spans]
        self._stops = [stop for _, _, stop in spans]
        order = sorted(range(len(points)), key=spans.__getitem__)
        by_table = groupby(order, key=lambda index: spans[index][0])
        self._ordered = [(table, list(members)) for table, members in by_table]

    def blocks(self, walls: AbstractSet[Wall] = frozenset()) -> tuple[Block, ...]:
        """The fewest requests that cover every point, each within one request.

        A tag is never split over requests. Going by ascending start and filling each request as
        far as it goes is optimal, since a tag that does not fit never helps an earlier request.

        Args:
            walls: places over which nothing may be joined.
        """
        blocks: list[Block] = []
        offset = 0
        for table, ordered in self._ordered:
            for members in self._cut(table, ordered, walls):
                block = self._block(table, members, offset)
                blocks.append(block)
                offset += 8 * block.size
        return tuple(blocks)

    def _cut(
        self, table: Table, ordered: Sequence[int], walls: AbstractSet[Wall]
    ) -> Iterator[list[int]]:
        limit, gap = self._limits(table)
        barriers = sorted(place for wall_table, place in walls if wall_table == table)
        members: list[int] = []
        start = stop = barrier = 0
        for index in ordered:
            first, end = self._starts[index], self._stops[index]
            while barrier < len(barriers) and barriers[barrier] <= start:
                barrier += 1
            is_walled = barrier < len(barriers) and barriers[barrier] <= first
            reach = max(stop, end)
            if members and (is_walled or reach - start > limit or first - stop > gap):
                yield members
                members = []
            if not members:
                start, reach = first, end
            members.append(index)
            stop = reach
        yield members

    def _limits(self, table: Table) -> tuple[int, int]:
        connection = self._connection
        if table.is_bits:
            return connection.max_bits, connection.max_gap * REGISTER_BITS
        return connection.max_registers, connection.max_gap

    def _block(self, table: Table, members: Sequence[int], offset: int) -> Block:
        start, last = self._starts[members[0]], self._starts[members[-1]]
        count = max(self._stops[index] for index in members) - start
        # A text longer than the device's own limit is asked for whole: it cannot be split.
        prepared = frame(self._connection.unit, read(table, start, count))
        return Block(table, start, count, tuple(members), last, offset, prepared)

    def joined(self, fallen: Wall, walls: AbstractSet[Wall]) -> Block | None:
        """The request over a place where a wall has fallen; None if two requests meet there.

        Args:
            fallen: the place.
            walls: those that still stand.
        """
        table, place = fallen
        over = (b for b in self.blocks(walls) if b.table == table and b.start < place <= b.last)
        return next(over, None)

    def halves(self, block: Block) -> tuple[Block, Block] | None:
        """Split a block between tags; None if all its tags start at one address.

        The halves point into the same place of the image as the whole.
        """
        starts = [self._starts[index] for index in block.members]
        if starts[0] == starts[-1]:
            return None
        cut = starts[len(starts) // 2]
        if cut == starts[0]:
            cut = next(start for start in starts if start > cut)
        at = starts.index(cut)
        left = self._block(block.table, block.members[:at], block.offset)
        right = self._block(block.table, block.members[at:], 0)
        shift = (right.start - block.start) * block.bits_each
        return left, replace(right, offset=block.offset + shift)


def _span(address: Address) -> tuple[Table, int, int]:
    """Where an address begins and ends; also the order of reading."""
    return address.table, address.address, address.stop


def place(image: bytearray, block: Block, answer: bytes) -> None:
    """Put the data of a block where they belong in the image of all answers."""
    at, shift = divmod(block.offset, 8)
    if not block.table.is_bits:
        image[at : at + block.size] = answer
        return
    width = (shift + block.count + 7) // 8
    mask = (1 << block.count) - 1
    bits = (int.from_bytes(answer, "little") & mask) << shift
    kept = int.from_bytes(image[at : at + width], "little") & ~(mask << shift)
    image[at : at + width] = (kept | bits).to_bytes(width, "little")
