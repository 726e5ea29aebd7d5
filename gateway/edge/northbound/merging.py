"""Small frames that wait together leave together. Pure.

A gateway that is behind has thousands of frames of a second each; a message costs the city the
same whatever it holds. One that has little to send leaves it for a second, so that the commits of
that second – which make it durable – are one message.
"""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.edge.buffer.frames import MAX_BYTES, MAX_VALUES
from gateway.edge.buffer.outgoing import StoredFrame
from gateway.wire.columns import FrameError
from gateway.wire.frame import BodyEncoder, join, plain_bytes
from gateway.wire.records import BEGIN_BYTES

_log = logging.getLogger(__name__)

MOST_FRAMES = 1_000
"""Frames of one message; what it holds is bounded as a single frame is."""

LITTLE_BYTES = 64 * 1024
"""What waits for its second to end; more than that leaves at once."""


@dataclass(frozen=True, slots=True)
class Message:
    """What leaves as one message.

    Attributes:
        first: number of the oldest frame in it.
        seq: number of the newest.
        values: values in all of them.
        body: flags byte and body.
    """

    first: int
    seq: int
    values: int
    body: bytes


def take_neighbours(queue: deque[StoredFrame], max_bytes: int) -> list[StoredFrame]:
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
            return [Message(first.seq, last.seq, sum(one.values for one in frames), body)]
        except FrameError as error:
            _log.error("frames %d to %d are sent apart: %s", first.seq, last.seq, error)
    return [Message(one.seq, one.seq, one.values, one.body) for one in frames]
