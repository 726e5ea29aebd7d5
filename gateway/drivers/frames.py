"""The last frames of a device: kept always, bounded in bytes, decoded only when a person looks."""

from collections import deque
from collections.abc import Sequence
from enum import StrEnum
from time import monotonic
from typing import NamedTuple

MOST_BYTES = 32 * 1024
"""What the frames of one device may take of memory: some fifty exchanges of full length."""
OVERHEAD = 160
"""Bytes that Python needs to keep a frame, beside its own."""
_AT_ONCE = 8
"""Where it is full, an eighth of it is forgotten at once: seldom, and not at each frame."""


class Direction(StrEnum):
    """Which way a frame went; ``note`` is a word between them."""

    SENT = "sent"
    RECEIVED = "received"
    NOTE = "note"


_SENT, _RECEIVED = Direction.SENT, Direction.RECEIVED


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

    Args:
        most_bytes: bound of what they take of memory, overhead included.

    Attributes:
        before_fault: what stood here when the device was lost last, until it is lost again.
    """

    __slots__ = ("_forgotten", "_frames", "_keep", "_most", "_room", "before_fault")

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._frames: deque[tuple[float, Direction, bytes, str]] = deque()
        self._keep = self._frames.append
        self._most = self._room = most_bytes
        self._forgotten = 0
        self.before_fault: tuple[Frame, ...] = ()

    # What is kept is a plain tuple, and both ways are written out: they run twice a request.

    def sent(self, data: bytes) -> None:
        """Keep what was written to the device."""
        self._keep((monotonic(), _SENT, data, ""))
        self._room -= len(data) + OVERHEAD
        if self._room < 0:
            self._forget()

    def received(self, data: bytes) -> None:
        """Keep what came."""
        self._keep((monotonic(), _RECEIVED, data, ""))
        self._room -= len(data) + OVERHEAD
        if self._room < 0:
            self._forget()

    def note(self, words: str) -> None:
        """Keep what happened between two frames."""
        self._keep((monotonic(), Direction.NOTE, b"", words))
        self._room -= len(words) + OVERHEAD
        if self._room < 0:
            self._forget()

    def _forget(self) -> None:
        frames = self._frames
        while frames and self._room < self._most // _AT_ONCE:
            _, _, data, note = frames.popleft()
            self._room += len(data) + len(note) + OVERHEAD
            self._forgotten += 1

    @property
    def count(self) -> int:
        """How many there ever were."""
        return self._forgotten + len(self._frames)

    def fault(self) -> None:
        """The device is lost: what led to it stays until it is lost again."""
        self.before_fault = tuple(Frame(*one) for one in self._frames)

    def since(self, number: int = 0) -> Sequence[tuple[int, Frame]]:
        """The frames from a number on, those that are kept; the first ever had number 0."""
        numbered = enumerate(self._frames, self._forgotten)
        return [(at, Frame(*one)) for at, one in numbered if at >= number]


NOT_KEPT = FrameLog(0)
"""For drivers that were given no log; keeps nothing."""
