"""The last frames of a device: kept always, bounded in bytes, decoded only when a person looks."""

from collections import deque
from collections.abc import Sequence
from enum import StrEnum
from time import monotonic
from typing import Any, NamedTuple

MOST_FRAMES = 96
"""Frames and notes of one device that are kept: some fifty exchanges."""
LONGEST = 1_024
"""Bytes of a frame that are kept; of a longer one its beginning. With :data:`MOST_FRAMES` it bounds
what a device takes of memory: mostly some 25 KiB, at worst 120."""


class Direction(StrEnum):
    """Which way a frame went; ``note`` is a word between them."""

    SENT = "sent"
    RECEIVED = "received"
    NOTE = "note"


class Frame(NamedTuple):
    """One piece of the conversation.

    Attributes:
        at_s: when, of the clock of :func:`time.monotonic`.
        direction: which way.
        data: bytes as they went over the wire; of a note none. What was received may be a part
            of a frame, or several.
        note: what happened, in words: a time-out, a connection that ended.
    """

    at_s: float
    direction: Direction
    data: bytes
    note: str = ""


class FrameLog:
    """The last frames of one device. To add one costs well under a microsecond.

    It runs twice a request. So no object is made for a frame: its time and its bytes stand one
    after the other in a ring that forgets by itself. The time of what was sent is negative.

    Args:
        most: how many frames are kept.

    Attributes:
        count: how many there ever were.
        before_fault: what stood here when the device was lost last, until it is lost again.
    """

    __slots__ = ("_extend", "_keep", "_ring", "before_fault", "count")

    def __init__(self, most: int = MOST_FRAMES) -> None:
        self._ring: deque[float | bytes | str] = deque(maxlen=2 * most)
        self._keep, self._extend = self._ring.append, self._ring.extend
        self.count = 0
        self.before_fault: tuple[Frame, ...] = ()

    def sent(self, data: bytes) -> None:
        """Keep what was written to the device."""
        self._keep(-monotonic())
        self._keep(data if len(data) <= LONGEST else data[:LONGEST])
        self.count += 1

    def received(self, data: bytes) -> None:
        """Keep what came."""
        self._keep(monotonic())
        self._keep(data if len(data) <= LONGEST else data[:LONGEST])
        self.count += 1

    def answered(self, came: bytes, sent: bytes) -> None:
        """Keep what came and, at the same moment, what was sent upon it."""
        at_s = monotonic()
        self._extend((at_s, came[:LONGEST], -at_s, sent[:LONGEST]))
        self.count += 2

    def note(self, words: str) -> None:
        """Keep what happened between two frames."""
        self._keep(monotonic())
        self._keep(words[:LONGEST])
        self.count += 1

    def fault(self) -> None:
        """The device is lost: what led to it stays until it is lost again."""
        self.before_fault = tuple(self._frames())

    def since(self, number: int = 0) -> Sequence[tuple[int, Frame]]:
        """The frames from a number on, those that are kept; the first ever had number 0."""
        numbered = enumerate(self._frames(), self.count - len(self._ring) // 2)
        return [one for one in numbered if one[0] >= number]

    def answered_s(self) -> list[float]:
        """How long each answer took, seconds: from what was sent last to what came then.

        Pages ask it of hundreds of devices at once, so no object is made for a frame here either.
        """
        ring, took_s, sent_s = list[Any](self._ring), list[float](), None
        for time, content in zip(ring[::2], ring[1::2], strict=True):
            if sent_s is not None and time >= 0 and not isinstance(content, str):
                took_s.append(time - sent_s)
            sent_s = -time if time < 0 else None
        return took_s

    def _frames(self) -> list[Frame]:
        ring = list(self._ring)
        return [_frame(*pair) for pair in zip(ring[::2], ring[1::2], strict=True)]


def _frame(time: Any, content: Any) -> Frame:
    if isinstance(content, str):
        return Frame(time, Direction.NOTE, b"", content)
    return Frame(abs(time), Direction.SENT if time < 0 else Direction.RECEIVED, content)


NOT_KEPT = FrameLog(0)
"""For drivers that were given no log; keeps nothing."""
