"""What the units of one line or host are asked for together, before it is tried. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from edge_config.loading.resolved import ResolvedDevice
from gateway.drivers.modbus.config import Connection, Framing, endpoint, shared
from gateway.drivers.modbus.plan import answer_sizes, merging
from gateway.drivers.modbus.reach.way import port_of
from gateway.drivers.toolkit.budget import Load

QUICK_MS = 20
"""A serial bus rarely answers sooner: at 9,600 baud a request and an answer of ten registers take
35 ms, and the slave's own time and the server's come to that."""

CHARACTER_BITS = 11
"""Of RTU: start, eight of data, parity or a second stop bit, stop (Serial Line V1.02, 2.5.1)."""

RTU_CHARACTERS = 8 + 5 + 7
"""A request, an answer without its data, and twice 3.5 characters of silence around them."""

ASCII_CHARACTERS = 17 + 11
"""A request, and an answer without its data (the same, 2.5.2); no silence is asked for."""

TURNAROUND_MS = 5
"""Of a meter that is quick, between a request and its answer; few are, many take 20 to 100."""


@dataclass(frozen=True, slots=True)
class Line:
    """What is known of how long a request takes.

    Attributes:
        pause_ms: between an answer and the next request.
        first_ms: after connecting.
        baud: of the serial line; 0: unknown.
        character_ms: how long a character takes on it; 0: unknown.
        is_ascii: whether a byte of data is two characters.
    """

    pause_ms: int
    first_ms: int
    baud: int
    character_ms: float
    is_ascii: bool

    @classmethod
    def of(cls, connections: Sequence[Connection]) -> "Line":
        """That of units of one host and port, or serial port."""
        baud, bits = shared(connections, "baud") or 0, float(CHARACTER_BITS)
        if connections[0].serial is not None:
            port = port_of(connections)
            baud, bits = port.baud, port.character_s * port.baud
        return cls(
            shared(connections, "pause_between_requests_ms") or 0,
            shared(connections, "pause_after_connect_ms") or 0,
            baud,
            bits * 1_000 / baud if baud else 0.0,
            shared(connections, "framing") is Framing.ASCII,
        )

    def request_ms(self, size: int, turnaround_ms: float = TURNAROUND_MS) -> float:
        """Time of a request whose answer has so many bytes of data and begins so soon."""
        if not self.baud:
            return self.pause_ms
        characters = ASCII_CHARACTERS + 2 * size if self.is_ascii else RTU_CHARACTERS + size
        return self.pause_ms + turnaround_ms + characters * self.character_ms


class Demand:
    """The requests of devices; those of one profile with equal rules are counted once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, tuple[object, ...]], list[list[int]]] = {}

    def sizes(self, device: ResolvedDevice) -> list[list[int]]:
        """Bytes of data of each request, group by group."""
        key = id(device.groups), merging(device.connection)
        if key not in self._known:
            self._known[key] = [
                answer_sizes([tag.address for tag in group.tags], device.connection)
                for group in device.groups
            ]
        return self._known[key]


def share(devices: Sequence[ResolvedDevice]) -> float | None:
    """For how much of each second they keep their line busy; None: its baud rate is not known."""
    line = Line.of(_connections(devices))
    return _load(devices, line, Demand()).usual if line.baud else None


def impossible(devices: Sequence[ResolvedDevice]) -> Iterator[str]:
    """Sentences about readings that cannot be done in time, however quick the units are."""
    line, demand = Line.of(_connections(devices)), Demand()
    yield from _load(devices, line, demand).impossible()
    yield from _first(load.impossible() for load in _with_pauses(devices, line, demand))


def doubts(devices: Sequence[ResolvedDevice]) -> Iterator[str]:
    """Sentences about readings that can hardly be done in time, by what is known of the line."""
    line, demand = Line.of(_connections(devices)), Demand()
    load = _load(devices, line, demand)
    yield from _readings_cut_off(devices, line, demand)
    yield from _first(load.doubtful() for load in _with_pauses(devices, line, demand))
    if line.baud:
        yield from load.doubtful()
    elif len(devices) > 1 and load.least <= 1:
        yield from _asked_too_often(devices, line, demand)


def _connections(devices: Sequence[ResolvedDevice]) -> list[Connection]:
    return [device.connection for device in devices]


def _readings_cut_off(
    devices: Sequence[ResolvedDevice], line: Line, demand: Demand
) -> Iterator[str]:
    """The first device whose whole reading takes longer than its time-out."""
    for device in devices:
        for group, sizes in zip(device.groups, demand.sizes(device), strict=True):
            needed_ms = line.first_ms + sum(line.request_ms(size) for size in sizes)
            if needed_ms > device.config.timeout_ms:
                requests = "1 request" if len(sizes) == 1 else f"{len(sizes)} requests"
                yield (
                    f"group {group.name!r} of device {device.config.id!r} takes {requests} "
                    f"and at least {needed_ms:,.0f} ms by the pauses and the baud rate, "
                    f"more than its timeout_ms {device.config.timeout_ms}: raise timeout_ms, or "
                    "read less at once"
                )
                return


def _load(devices: Sequence[ResolvedDevice], line: Line, demand: Demand) -> Load:
    """How busy the line is; pauses alone, where its speed is not known."""
    each = [
        (size, group.interval_ms)
        for device in devices
        for group, sizes in zip(device.groups, demand.sizes(device), strict=True)
        for size in sizes
    ]
    at_once = 1 if line.baud else _at_once(_connections(devices))

    def part(turnaround_ms: float) -> float:
        needed = (line.request_ms(size, turnaround_ms) / interval for size, interval in each)
        return sum(needed) / at_once

    what = f"a line of {line.baud} baud" if line.baud else "its pauses between requests"
    intervals_ms = {interval_ms for _, interval_ms in each}
    return Load(_these(devices), what, part(0), part(TURNAROUND_MS), intervals_ms)


def _with_pauses(devices: Sequence[ResolvedDevice], line: Line, demand: Demand) -> Iterator[Load]:
    """How busy each unit is that needs a pause of its own; the line is free meanwhile."""
    for device in devices:
        pause_ms: int = device.connection.unit_pause_ms
        if not pause_ms:
            continue
        each = [
            (size, group.interval_ms)
            for group, sizes in zip(device.groups, demand.sizes(device), strict=True)
            for size in sizes
        ]
        least, usual = (
            sum(
                (line.request_ms(size, turnaround) + pause_ms) / interval for size, interval in each
            )
            for turnaround in (0, TURNAROUND_MS)
        )
        what = f"its time, with unit_pause_ms: {pause_ms} after each answer"
        intervals_ms = {interval_ms for _, interval_ms in each}
        yield Load(f"device {device.config.id!r}", what, least, usual, intervals_ms)


def _first(sentences: Iterable[Iterator[str]]) -> Iterator[str]:
    """The first sentence of many that say the same of one unit after the other."""
    yield from islice(chain.from_iterable(sentences), 1)


def _at_once(connections: Sequence[Connection]) -> int:
    """How many requests may be under way."""
    many: int = shared(connections, "connections") or 1
    return many * min(connection.window or 1 for connection in connections)


def _asked_too_often(
    devices: Sequence[ResolvedDevice], line: Line, demand: Demand
) -> Iterator[str]:
    connections = _connections(devices)
    many: int = shared(connections, "connections") or 1
    rate = sum(
        len(sizes) * 1_000 / group.interval_ms
        for device in devices
        for group, sizes in zip(device.groups, demand.sizes(device), strict=True)
    )
    room_ms = 1_000 * _at_once(connections) / rate - line.pause_ms
    if room_ms < QUICK_MS:
        over = "1 connection" if many == 1 else f"{many} connections"
        yield (
            f"{_these(devices)} are asked {rate:,.0f} times a "
            f"second over {over}, which leaves {max(room_ms, 0):.0f} ms for an answer; a serial "
            "bus takes 20 to 100. What cannot be asked in time is skipped: lengthen interval_ms, "
            "or raise connections if what is there answers over several at once"
        )


def _these(devices: Sequence[ResolvedDevice]) -> str:
    many = "1 device" if len(devices) == 1 else f"{len(devices)} devices"
    return f"{many} at {endpoint(devices[0].connection)}"
