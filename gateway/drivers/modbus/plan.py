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
    def key(self) -> tuple[Table, int, int]:
        """What makes it the same request in another layout."""
        return self.table, self.start, self.count

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
        self._addresses: list[Address] = [point.address for point in points]
        self._order = sorted(range(len(points)), key=self._sort_key)

    def _sort_key(self, index: int) -> tuple[Table, int, int]:
        address = self._addresses[index]
        return address.table, address.address, address.stop

    def blocks(self, walls: AbstractSet[Wall] = frozenset()) -> tuple[Block, ...]:
        """The fewest requests that cover every point, each within one request.

        A tag is never split over requests. Going by ascending start and filling each request as
        far as it goes is optimal, since a tag that does not fit never helps an earlier request.

        Args:
            walls: places over which nothing may be joined.
        """
        blocks: list[Block] = []
        offset = 0
        for _, group in groupby(self._order, key=lambda index: self._addresses[index].table):
            for members in self._cut(list(group), walls):
                block = self._block(members, offset)
                blocks.append(block)
                offset += 8 * block.size
        return tuple(blocks)

    def _cut(self, ordered: Sequence[int], walls: AbstractSet[Wall]) -> Iterator[list[int]]:
        table = self._addresses[ordered[0]].table
        limit, gap = self._limits(table)
        barriers = sorted(place for wall_table, place in walls if wall_table == table)
        members: list[int] = []
        start = stop = barrier = 0
        for index in ordered:
            address = self._addresses[index]
            while barrier < len(barriers) and barriers[barrier] <= start:
                barrier += 1
            is_walled = barrier < len(barriers) and barriers[barrier] <= address.address
            reach = max(stop, address.stop)
            if members and (is_walled or reach - start > limit or address.address - stop > gap):
                yield members
                members = []
            if not members:
                start, stop = address.address, address.stop
            members.append(index)
            stop = max(stop, address.stop)
        yield members

    def _limits(self, table: Table) -> tuple[int, int]:
        connection = self._connection
        if table.is_bits:
            return connection.max_bits, connection.max_gap * REGISTER_BITS
        return connection.max_registers, connection.max_gap

    def _block(self, members: Sequence[int], offset: int) -> Block:
        addresses = [self._addresses[index] for index in members]
        table, start, last = addresses[0].table, addresses[0].address, addresses[-1].address
        count = max(address.stop for address in addresses) - start
        # A text longer than the device's own limit is asked for whole: it cannot be split.
        prepared = frame(self._connection.unit, read(table, start, count))
        return Block(table, start, count, tuple(members), last, offset, prepared)

    def halves(self, block: Block) -> tuple[Block, Block] | None:
        """Split a block between tags; None if all its tags start at one address.

        The halves point into the same place of the image as the whole.
        """
        starts = [self._addresses[index].address for index in block.members]
        if starts[0] == starts[-1]:
            return None
        cut = starts[len(starts) // 2]
        if cut == starts[0]:
            cut = next(start for start in starts if start > cut)
        at = starts.index(cut)
        left = self._block(block.members[:at], block.offset)
        right = self._block(block.members[at:], 0)
        shift = (right.start - block.start) * block.bits_each
        return left, replace(right, offset=block.offset + shift)


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
