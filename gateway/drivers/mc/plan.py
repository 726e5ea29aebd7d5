"""Devices of a controller in the words of the toolkit, and which requests share a message. Pure."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import NamedTuple

from edge_config.loading.resolved import ResolvedDevice, ResolvedTag
from gateway.drivers.api import Point, Value
from gateway.drivers.mc import codec
from gateway.drivers.mc.address import Address, kind, read_only
from gateway.drivers.mc.config import Connection, Series, endpoint
from gateway.drivers.mc.devices import DEVICES, WORD_BITS, written
from gateway.drivers.mc.values import DataType, Encoding, decode_text, encode_text
from gateway.drivers.toolkit.decode import Bit, Format, Number, Place, Text
from gateway.drivers.toolkit.layout import Layout, Layouts
from gateway.drivers.toolkit.merge import Block, Limits, Span
from gateway.drivers.toolkit.numbers import packed
from gateway.drivers.toolkit.written import writing

QUICK_MS = 10
"""A CPU answers at the end of its scan; few scans are longer, the way to another station is."""

SCATTERED_WORDS = 16
"""Requests for at most so many words are read together at random: a word costs 4 bytes then, a
request of its own the scan time of the CPU."""


class Read(NamedTuple):
    """One request of a layout.

    Attributes:
        words: what is asked for.
        shift: bits before the first one that is wanted.
        size: bytes that the layout has room for.
    """

    words: codec.Words
    shift: int
    size: int

    def data(self, body: bytes) -> bytes:
        """What the layout wants of the words; bits begin with the lowest one of a byte."""
        if not self.shift:
            return body[: self.size]
        bits = int.from_bytes(body, "little") >> self.shift
        return bits.to_bytes(len(body), "little")[: self.size]


def layout(points: Sequence[Point], connection: Connection) -> Layout:
    """The fewest requests for these points within the limits of a connection."""
    return Layout.of([_place(point) for point in points], _limits(connection), _read)


def _merging(connection: Connection) -> tuple[int, int]:
    return connection.max_words, connection.max_gap


LAYOUTS = Layouts(layout, _merging)
"""Those in use in this process; equal devices share one."""


def _limits(connection: Connection) -> Callable[[str], Limits]:
    words, gap = connection.max_words, connection.max_gap
    # Bits are read in words that begin at a multiple of 16, the first and last may be cut.
    bits = Limits((words - 1) * WORD_BITS + 1, gap * WORD_BITS, 1)
    whole = Limits(words, gap, WORD_BITS)
    return lambda device: bits if DEVICES[device].is_bits else whole


def _read(device: str, start: int, count: int) -> Read:
    if not DEVICES[device].is_bits:
        return Read(codec.Words(device, start, count), 0, 2 * count)
    shift = start % WORD_BITS
    words = codec.Words(device, start - shift, -(-(shift + count) // WORD_BITS))
    return Read(words, shift, -(-count // 8))


def _place(point: Point) -> Place:
    address: Address = point.address
    span = Span(address.device, address.number, address.stop)
    return Place(point.kind, span, _format(address))


def _format(address: Address) -> Format:
    if address.type is DataType.STRING:
        decode = partial(decode_text, encoding=address.encoding or Encoding.ASCII)
        return Text(address.length or 0, decode)
    if address.type is DataType.BOOL:
        return Bit(address.bit or 0)
    return _number(address.type)


@cache
def _number(data_type: DataType) -> Number:
    """A number, the least significant byte first."""
    return Number(data_type.code, tuple(range(data_type.size)))


def shown(block: Block) -> str:
    """A request for people: ``D100 to D109``."""
    device, first, count = block.key
    upto = f" to {written(device, first + count - 1)}" if count > 1 else ""
    return f"{written(device, first)}{upto}"


def messages(reads: Sequence[Read], most: int) -> Iterator[list[int]]:
    """Which requests share a message: positions, small ones together, each of the others alone.

    Args:
        reads: the requests.
        most: words that a random read may have; 0: each request alone.
    """
    together: list[int] = []
    room = most
    for place, read in enumerate(reads):
        count = read.words.length
        if count > min(SCATTERED_WORDS, most):
            yield [place]
            continue
        if count > room:
            yield together
            together, room = [], most
        together.append(place)
        room -= count
    if together:
        yield together


def request(reads: Sequence[Read], series: Series) -> codec.Request:
    """The message for requests that share one."""
    if len(reads) == 1:
        return codec.read(reads[0].words, series)
    return codec.read_random([read.words for read in reads], series)


def parted(reads: Sequence[Read], body: bytes) -> list[bytes]:
    """What each of the requests of a message asked for."""
    parts, at = [], 0
    for read in reads:
        size = 2 * read.words.length
        parts.append(read.data(body[at : at + size]))
        at += size
    return parts


def doubts(devices: Sequence[ResolvedDevice]) -> Iterator[str]:
    """A sentence, if what shares a connection is asked more often than it can well answer."""
    rate = sum(
        1_000 * _requests(group.tags, device.connection) / group.interval_ms
        for device in devices
        for group in device.groups
    )
    if rate > 1_000 / QUICK_MS:
        yield (
            f"what is behind {endpoint(devices[0].connection)} is sent {rate:,.0f} requests a "
            f"second over one connection, {1_000 / rate:.0f} ms for each; a CPU takes a scan, "
            "another station several. What cannot be asked in time is skipped: lengthen interval_ms"
        )


def _requests(tags: Sequence[ResolvedTag], connection: Connection) -> int:
    """How many messages read a group once."""
    points = [Point(tag.config.name, kind(tag.address), tag.address) for tag in tags]
    reads: Sequence[Read] = layout(points, connection).requests
    most = codec.MOST_RANDOM[connection.series] if connection.random_read else 0
    return sum(1 for _ in messages(reads, most))


def write_request(point: Point, value: Value, series: Series) -> codec.Request:
    """The request that writes one value.

    Raises:
        DriverError: it cannot be written, or does not fit.
    """
    with writing(point, read_only):
        return _write(point.address, value, series)


def _write(address: Address, value: Value, series: Series) -> codec.Request:
    if address.type is DataType.BOOL:
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is no bool")
        return codec.write_bit(address.device, address.number, value, series)
    if address.type is DataType.STRING:
        encoding = address.encoding or Encoding.ASCII
        body = encode_text(address.length or 0, encoding, value)
    else:
        body = packed(address.type.code, value)
    return codec.write_words(address.device, address.number, body, series)
