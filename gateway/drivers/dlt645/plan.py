"""Data identifiers in the words of the toolkit: one request each, blocks shared. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from gateway.core.status import Reason
from gateway.drivers.api import Point
from gateway.drivers.dlt645 import formats
from gateway.drivers.dlt645.address import Address
from gateway.drivers.dlt645.codec import error_words
from gateway.drivers.toolkit.decode import Place
from gateway.drivers.toolkit.layout import Layout, Layouts
from gateway.drivers.toolkit.learnt import Codes
from gateway.drivers.toolkit.merge import Block, Limits, Span

NO_SUCH_DATA, NO_AUTHORITY = 0x02, 0x04
"""Bits of an error (appendix D)."""

SILENT = 0x100
"""In place of an error: no answer came in time."""
NOT_SENT = 0x101
"""In place of an error: not asked, because the meter did not answer the one before."""
SHORT = 0x102
"""In place of an error: the answer has fewer values than were wanted."""
TORN = 0x103
"""In place of an error: what follows a first frame is not what it should be."""

_ILLEGAL = frozenset(error for error in range(256) if error & NO_SUCH_DATA) | {SHORT}
_WORDS = {
    SILENT: "no answer",
    NOT_SENT: "not asked, as others had no answer: asked next time",
    SHORT: "the answer has fewer values",
    TORN: "the frames of the answer do not go together",
}


def reason_for(code: int) -> Reason:
    """The reason that an error, or what stands in its place, is for people."""
    if code in _ILLEGAL:
        return Reason.ILLEGAL_ADDRESS
    if code in (SILENT, NOT_SENT):
        return Reason.TIMEOUT
    if code == TORN:
        return Reason.PROTOCOL
    return Reason.REFUSED if code & NO_AUTHORITY else Reason.DEVICE_FAILURE


def words_for(code: int) -> str:
    """The same in words."""
    return _WORDS.get(code) or f"{error_words(code)} (error {code:02X}H)"


CODES = Codes(
    reason=reason_for,
    illegal=_ILLEGAL,
    doubtful=frozenset(),
    lasting=_ILLEGAL | {NO_AUTHORITY},
    no_response=frozenset({SILENT}),
    not_sent=NOT_SENT,
)


class Read(NamedTuple):
    """One request of a layout.

    Attributes:
        item: data identifier.
        begin: bytes of the answer before what is wanted.
        size: bytes that are.
    """

    item: int
    begin: int
    size: int

    def wanted(self, data: bytes) -> bytes | int:
        """What is wanted of an answer's data, or a code."""
        part = data[self.begin : self.begin + self.size]
        return part if len(part) == self.size else SHORT


def layout(points: Sequence[Point], _connection: object) -> Layout:
    """One request for each data identifier."""
    sizes = {_table(point.address): point.address.size for point in points}
    most = 8 * max(sizes.values(), default=1)

    def limits(table: str) -> Limits:
        # All values of a block come in one answer, whichever are wanted.
        return Limits(most=_MANY, gap=_MANY, bits=8 * sizes.get(table, most))

    def read(table: str, start: int, count: int) -> Read:
        size = sizes[table]
        return Read(int(table[:8], 16), start * size, count * size)

    return Layout.of([_place(point) for point in points], limits, read)


_MANY = 255

LAYOUTS = Layouts(layout, lambda _: ())
"""Those in use in this process; equal meters share one."""


def _table(address: Address) -> str:
    """Values that are read as one kind of block: identifier and size of each."""
    return f"{address.item}/{address.size}"


def _place(point: Point) -> Place:
    address: Address = point.address
    span = Span(_table(address), address.place - 1, address.place)
    return Place(point.kind, span, formats.format_of(address.layout.format, address.bit))


def shown(block: Block) -> str:
    """A request for people: the identifier."""
    return str(block.key.table).partition("/")[0]
