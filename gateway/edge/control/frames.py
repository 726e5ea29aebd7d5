"""Frames of a device as commands are answered with them: dated and in words."""

import time
from collections.abc import Callable, Iterable

import msgspec

from gateway.drivers.frames import Frame


class FrameNow(msgspec.Struct, frozen=True):
    """One frame.

    Attributes:
        number: in the order in which they went; the device's first since the start has 0.
        time_ms: when, UTC milliseconds by the clock as it goes now; a float, as one millisecond
            has several.
        direction: ``sent``, ``received`` or ``note``.
        data: the bytes in hexadecimal digits.
        words: what it says, or the note.
    """

    number: int
    time_ms: float
    direction: str
    data: str
    words: str


class Frames(msgspec.Struct, frozen=True):
    """Frames of one device.

    Attributes:
        is_recording: whether its driver keeps frames.
        count: how many there were since the start; the number of the next one.
        frames: those that were asked for, if they are kept.
    """

    is_recording: bool
    count: int
    frames: list[FrameNow]

    @classmethod
    def of(
        cls,
        is_recording: bool,
        count: int,
        frames: Iterable[tuple[int, Frame]],
        explain: Callable[[Frame], str],
        now_ms: int,
    ) -> "Frames":
        """Date and explain numbered frames."""
        now_s = time.monotonic()

        def shown(number: int, frame: Frame) -> FrameNow:
            time_ms = round(now_ms - (now_s - frame.at_s) * 1000, 3)
            words = frame.note or explain(frame)
            return FrameNow(number, time_ms, str(frame.direction), frame.data.hex(), words)

        return cls(is_recording, count, [shown(*one) for one in frames])
