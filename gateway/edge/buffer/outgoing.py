"""What comes out of the buffer, and what comes back to it."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gateway.core.batch import Gap
from gateway.edge.buffer.cutting import Cut
from gateway.edge.buffer.incoming import NewFrame

Span = tuple[int, int]
"""Frames from one sequence number to another, both included."""


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """A frame as the buffer holds it; ``wire.seal`` makes a message of it.

    ``chain`` is the checksum over it and all before it in the buffer; ``first_ms`` and ``last_ms``
    are the oldest and the newest time in it, UTC milliseconds.
    """

    seq: int
    values: int
    body: bytes
    chain: int = 0
    first_ms: int = 0
    last_ms: int = 0


@dataclass(frozen=True, slots=True)
class Feedback:
    """What has come back from a consumer since the last commit.

    Attributes:
        spans: frames that it has acknowledged.
        closed: frames below this one that are in no span never will be.
        too_large: frames that cannot be sent as they are, and what may be made of them.
    """

    spans: tuple[Span, ...] = ()
    closed: int = 0
    too_large: Mapping[int, Cut] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Appended:
    """What a commit brought about.

    Attributes:
        last_seq: sequence number of the newest frame.
        gaps: gap records that must travel again, or for the first time, because the quota took
            the frames that held them or the values they tell about.
        changed: whether the books changed: by what was committed, by what the quota took, or by
            what it gave back because the city turned out to hold it.
        lost: devices whose values the quota took since it has been kept last, with the newest
            time of these values; empty while it goes on taking, as to send values again then would
            only make it take more.
    """

    last_seq: int
    gaps: tuple[Gap, ...] = ()
    changed: bool = False
    lost: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pending:
    """What the buffer holds: frames, values in them, size of their bodies."""

    frames: int
    values: int
    bytes: int

    def plus(self, frames: Iterable[NewFrame]) -> "Pending":
        """The same with frames that were added."""
        frames = list(frames)
        return Pending(
            self.frames + len(frames),
            self.values + sum(frame.values for frame in frames),
            self.bytes + sum(len(frame.body) for frame in frames),
        )

    def minus(self, other: "Pending") -> "Pending":
        """The same without what is gone."""
        return Pending(
            self.frames - other.frames, self.values - other.values, self.bytes - other.bytes
        )


EMPTY = Pending(0, 0, 0)


FRESH_BYTES = 512 * 1024
"""Frames that were just committed are kept in memory for their northbound: so many."""


class Fresh:
    """Frames that were just committed, in memory."""

    def __init__(self) -> None:
        self._frames: deque[StoredFrame] = deque()

    def after(self, seq: int) -> list[StoredFrame] | None:
        """Frames after a number, if these are all that there are; None if older ones may be."""
        if not self._frames or self._frames[0].seq > seq + 1:
            return None
        return [one for one in self._frames if one.seq > seq]

    def add(self, new: Iterable[StoredFrame] | None, oldest: int) -> None:
        """Keep frames that were committed.

        Args:
            new: all that were; None: there were others too.
            oldest: number of the oldest frame that waits.
        """
        # A hole in memory would pass for frames that do not exist.
        if new is None:
            self._frames.clear()
            return
        self._frames.extend(new)
        size = sum(len(one.body) for one in self._frames)
        while self._frames and (size > FRESH_BYTES or self._frames[0].seq < oldest):
            size -= len(self._frames.popleft().body)
