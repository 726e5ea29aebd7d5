"""Frames that have been read from the buffer and wait to leave, small ones together. Pure.

A gateway that is behind has thousands of frames of a second each; a message costs the city the
same whatever it holds. One that has little to send leaves it for a second, so that the commits of
that second – which make it durable – are one message.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gateway.edge.buffer.frames import MAX_BYTES, MAX_VALUES
from gateway.edge.buffer.outgoing import StoredFrame
from gateway.wire.body import plain_bytes
from gateway.wire.columns import FrameError
from gateway.wire.frame import BodyEncoder, join
from gateway.wire.records import BEGIN_BYTES

_log = logging.getLogger(__name__)

MOST_BYTES = 1024 * 1024
"""More is not read ahead."""

MOST_FRAMES = 1_000
"""Frames of one message; what it holds is bounded as a single frame is."""

LITTLE_BYTES = 64 * 1024
"""What waits for its second to end; more than that leaves at once."""

_EARLY, _LATE = 0.9, 1.25
"""Parts of the interval after which little leaves: with frames that have just come, so that commits
and messages keep step; and whatever comes."""


@dataclass(frozen=True, slots=True)
class Message:
    """What leaves as one message.

    Attributes:
        first: number of the oldest frame in it.
        seq: number of the newest.
        values: values in all of them.
        body: flags byte and body.
        chain: the newest frame's checksum over it and all before it.
        first_ms: oldest time in them, UTC milliseconds.
        last_ms: newest time in them.
    """

    first: int
    seq: int
    values: int
    body: bytes
    chain: int
    first_ms: int
    last_ms: int


class Queue:
    """Frames that wait, oldest first.

    Args:
        interval_ms: how often little leaves.

    Attributes:
        read_upto: frames above this one have not been read.
        hurries: nothing waits for its interval any more.
    """

    def __init__(self, interval_ms: int) -> None:
        self._interval_s = interval_ms / 1000
        self._frames: deque[StoredFrame] = deque()
        self._bytes = 0
        self._sent_s = -self._interval_s
        self._has_fresh = self._is_leaving = False
        self.read_upto = 0
        self.hurries = False

    def clear(self, upto: int) -> None:
        """Begin anew above a frame."""
        self._frames.clear()
        self._bytes, self.read_upto, self._is_leaving = 0, upto, False

    @property
    def has_room(self) -> bool:
        """Whether more may be read."""
        return self._bytes < MOST_BYTES

    def add(self, frames: Iterable[StoredFrame], read_upto: int) -> None:
        """Take what has been read.

        Args:
            frames: oldest first.
            read_upto: all frames up to this one have been looked for.
        """
        for one in frames:
            self._frames.append(one)
            self._bytes += len(one.body)
            read_upto = max(read_upto, one.seq)
            self._has_fresh = True
        self.read_upto = read_upto

    def drop(self, is_done: Callable[[int], bool]) -> None:
        """Leave out frames at the front that need not be sent any more."""
        while self._frames and is_done(self._frames[0].seq):
            self._bytes -= len(self._frames.popleft().body)
            self._is_leaving = self._is_leaving and bool(self._frames)

    def wait_s(self, now_s: float) -> float | None:
        """Seconds until something is to leave: 0 is now, None if nothing waits."""
        if not self._frames:
            return None
        if self.hurries or self._is_leaving or self._bytes >= LITTLE_BYTES:
            return 0.0
        passed = now_s - self._sent_s
        if self._has_fresh and passed >= _EARLY * self._interval_s:
            return 0.0
        self._has_fresh = False
        return max(_LATE * self._interval_s - passed, 0.0)

    def next_message(self, max_bytes: int, now_s: float) -> list[StoredFrame]:
        """Remove and return the frames that leave as one message.

        Args:
            max_bytes: of its body.
            now_s: a clock that never steps, seconds.
        """
        frames = pop_neighbours(self._frames, max_bytes)
        self._bytes -= sum(len(one.body) for one in frames)
        # What waited with it and did not fit leaves too; what comes then waits for its turn.
        self._is_leaving = bool(self._frames)
        self._sent_s, self._has_fresh = now_s, False
        return frames


def pop_neighbours(queue: deque[StoredFrame], max_bytes: int) -> list[StoredFrame]:
    """Take the next frame from a queue, and those behind it that fit in the same message.

    Args:
        queue: frames that wait, oldest first; not empty.
        max_bytes: of a body.
    """
    frames = [queue.popleft()]
    size, plain, values = _measure(frames[0])
    while queue and len(frames) < MOST_FRAMES and queue[0].seq == frames[-1].seq + 1:
        more = _measure(queue[0])
        size, plain, values = size + more[0], plain + more[1], values + more[2]
        if size > max_bytes or plain > MAX_BYTES or values > MAX_VALUES:
            break
        frames.append(queue.popleft())
    return frames


def _measure(frame: StoredFrame) -> tuple[int, int, int]:
    """(bytes, bytes before compression, values) that a frame adds to a message."""
    return len(frame.body), plain_bytes(frame.body) + BEGIN_BYTES, frame.values


def merge(frames: Sequence[StoredFrame], encoder: BodyEncoder | None = None) -> list[Message]:
    """One message of neighbouring frames; one of each if a frame among them is damaged.

    Args:
        frames: at least one, without a hole in their numbers.
        encoder: compresses; None: a new one.
    """
    first, last = frames[0], frames[-1]
    if len(frames) > 1:
        try:
            body = join(((one.seq, one.values, one.body) for one in frames), encoder)
            values = sum(one.values for one in frames)
            begin, end = min(one.first_ms for one in frames), max(one.last_ms for one in frames)
            return [Message(first.seq, last.seq, values, body, last.chain, begin, end)]
        except FrameError as error:
            _log.error("frames %d to %d are sent apart: %s", first.seq, last.seq, error)
    return [
        Message(one.seq, one.seq, one.values, one.body, one.chain, one.first_ms, one.last_ms)
        for one in frames
    ]
