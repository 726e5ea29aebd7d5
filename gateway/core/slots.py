"""Which devices are read together: a wake-up costs more than the poll that it is for. Pure.

A poll that wakes the process alone costs two to three times the processor of one in company. So
ticks are bundled: an interval is divided into ten slots (more where it is longer than a second),
and a slot is filled with some devices before the next one is used. Load is spread all the same
once there are many devices, and devices that share a link are kept in different slots as long as
there are any, because the link reads them one after another anyway.
"""

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from zlib import crc32

SLOTS = 10
"""Slots of an interval, at least – unless it is shorter than so many milliseconds."""

WIDTH_MS = 100
"""No slot is wider; ticks of all intervals of a second and more then meet in the same ones."""

MOST_SLOTS = 100
"""Slots of an interval, at most."""

FILL = 10
"""So many devices share a slot before the next one is used: some 3 ms of work at once."""


RARE_MS = 500
"""What comes more often finds the process awake: a slot would only delay it."""


def slot_width_ms(interval_ms: int) -> int:
    """Width of the slots in which what devices push at an interval is processed; 0: at once."""
    return 0 if interval_ms < RARE_MS else min(interval_ms // SLOTS, WIDTH_MS)


@dataclass(slots=True)
class _IntervalSlots:
    """The slots of one interval.

    Attributes:
        phases: their offsets in the interval, in the order in which they are used.
        devices: how many devices are in each.
        links: how many devices of a link are in each.
    """

    phases: tuple[int, ...]
    devices: Counter[int] = field(default_factory=Counter)
    links: Counter[tuple[Hashable, int]] = field(default_factory=Counter)

    def best(self, link: Hashable) -> int:
        """The phase for one more device of a link."""

        def crowd(phase: int) -> tuple[int, int]:
            # Slots are filled one after another, so that devices wake up together; then evenly.
            full = self.devices[phase] >= FILL
            return self.links[link, phase], self.devices[phase] if full else 0

        return min(self.phases, key=crowd)

    def move(self, link: Hashable, phase: int, by: int) -> None:
        """Let a device in (``by`` 1) or out (−1)."""
        self.devices[phase] += by
        self.links[link, phase] += by


class Slots:
    """Gives devices their phases: the same after every restart with the same configuration.

    Args:
        gateway: gateway id; where its first slot lies in an interval, so that the gateways of a
            plant do not all read, and send, at the same moment.
    """

    def __init__(self, gateway: str) -> None:
        self._first = crc32(gateway.encode())
        self._by_interval: dict[int, _IntervalSlots] = {}
        self._placed: dict[str, tuple[Hashable, dict[int, int]]] = {}

    def place(self, device: str, link: Hashable, intervals_ms: Iterable[int]) -> dict[int, int]:
        """Choose the phase of a device for each of its intervals; anew if it has been placed.

        Args:
            device: device id.
            link: what it is reached by; equal for devices that share it.
            intervals_ms: periods of its groups, milliseconds.

        Returns:
            Phase by interval, 0 … interval − 1 milliseconds. Groups of a device with the same
            interval have the same phase: they are read one after another in one wake-up.
        """
        self.remove(device)
        phases: dict[int, int] = {}
        for interval_ms in dict.fromkeys(intervals_ms):
            slots = self._of(interval_ms)
            phases[interval_ms] = phase = slots.best(link)
            slots.move(link, phase, 1)
        self._placed[device] = link, phases
        return phases

    def remove(self, device: str) -> None:
        """Make room where a device was; it need not have been placed."""
        link, phases = self._placed.pop(device, (None, {}))
        for interval_ms, phase in phases.items():
            self._of(interval_ms).move(link, phase, -1)

    def _of(self, interval_ms: int) -> _IntervalSlots:
        if interval_ms not in self._by_interval:
            # Begin elsewhere in each gateway, see ``Slots``.
            phases = slot_phases(interval_ms)
            first = self._first % len(phases)
            self._by_interval[interval_ms] = _IntervalSlots(phases[first:] + phases[:first])
        return self._by_interval[interval_ms]


def slot_phases(interval_ms: int) -> tuple[int, ...]:
    """The offsets of the slots of an interval, evenly over it, ascending milliseconds."""
    width = max(1, min(WIDTH_MS, interval_ms // SLOTS))
    every = max(1, interval_ms // width // MOST_SLOTS) * width
    return tuple(range(0, interval_ms, every))[: interval_ms // every]
