"""What a server made of the sampling, queues and publishing that were asked for. Pure.

A server may revise each of them, and few people look. What is sampled too rarely was never there;
what a queue has no room for is dropped, and a queue of one value marks no overflow (Part 4, 7.21),
so that its losses show nowhere else.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gateway.drivers.extras import Notice

_TOLERANCE = 1.01
"""Periods that differ by less are the same: servers round."""


class Asked(NamedTuple):
    """What was asked for the items of a group.

    Attributes:
        sampling_ms: period of sampling; 0: as fast as the server can.
        queue: values that the server keeps of an item between two messages.
        publishing_ms: period of messages.
    """

    sampling_ms: float
    queue: int
    publishing_ms: float


class Revised:
    """The server's answers for the items of one group.

    Args:
        group: its name.
        size: how many items it has.
        asked: what was asked for them.
        publishing_ms: period of messages that the server grants.

    Attributes:
        notices: what stands of it, for people.
    """

    def __init__(self, group: str, size: int, asked: Asked, publishing_ms: float) -> None:
        self.notices: tuple[Notice, ...] = ()
        self._group, self._asked, self._publishing_ms = group, asked, publishing_ms
        # Of an item that is refused nothing is said but that.
        self._sampling_ms = np.full(size, asked.sampling_ms, np.float64)
        self._queue = np.full(size, asked.queue, np.int64)

    def take(
        self, places: npt.NDArray[np.intp], sampling_ms: Sequence[float], queue: Sequence[int]
    ) -> None:
        """Take what the server grants to some items, by their places in the group."""
        self._sampling_ms[places], self._queue[places] = sampling_ms, queue
        self.notices = tuple(self._found())

    def _found(self) -> Iterator[Notice]:
        yield from self._short_queues()
        yield from self._slow_sampling()
        if self._publishing_ms > self._asked.publishing_ms * _TOLERANCE:
            yield Notice(
                f"publishing {self._group}",
                f"the server sends group {self._group!r} every {self._publishing_ms:,.0f} ms, "
                f"not every {self._asked.publishing_ms:,.0f}: its values come later",
            )

    def _short_queues(self) -> Iterator[Notice]:
        needed = self._needed()
        short = self._queue < needed
        if short.any():
            least, most = int(self._queue[short].min()), int(needed[short].max())
            kept = "1 value" if least == 1 else f"{least} values"
            silently = ", and with a queue of 1 nothing marks it" if least == 1 else ""
            fitting_ms = max(10, math.floor(self._publishing_ms * least / most))
            yield Notice(
                f"queue {self._group}",
                f"the server keeps {kept} of {self._of(short)} between two messages, where up to "
                f"{most} may come: what is over is lost{silently}; set publishing_ms to "
                f"{fitting_ms}, or have the server's limit of an item's queue raised",
                is_loss=True,
            )

    def _needed(self) -> npt.NDArray[np.int64]:
        """Values of each item that may come between two messages, up to what was asked for."""
        # A server that says 0 samples whenever the value changes: no more often than asked, then.
        granted = np.where(self._sampling_ms > 0, self._sampling_ms, self._asked.sampling_ms)
        needed = np.ceil(self._publishing_ms / np.maximum(granted, 1))
        return np.minimum(needed, self._asked.queue).astype(np.int64)

    def _slow_sampling(self) -> Iterator[Notice]:
        wanted_ms = self._asked.sampling_ms
        slow = self._sampling_ms > wanted_ms * _TOLERANCE
        if wanted_ms > 0 and slow.any():
            slowest_ms = float(self._sampling_ms[slow].max())
            yield Notice(
                f"sampling {self._group}",
                f"the server looks at {self._of(slow)} every {slowest_ms:,.0f} ms, not every "
                f"{wanted_ms:,.0f}: changes between are lost; have its shortest sampling interval "
                f"lowered, or set sampling_ms to {slowest_ms:.0f}, so that this is known",
                is_loss=True,
            )

    def _of(self, chosen: npt.NDArray[np.bool_]) -> str:
        count, size = int(np.count_nonzero(chosen)), len(chosen)
        items = "the item" if size == 1 else f"{count:,} of {size:,} items"
        return f"{items} of group {self._group!r}"
