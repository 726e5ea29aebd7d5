"""What buffers are filled with in tests."""

import os
from collections.abc import Callable
from datetime import date

from gateway.core.batch import Gap
from gateway.core.books import Counts
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.buffer.incoming import Commit, GroupProgress, NewFrame
from gateway.wire.frame import BodyEncoder

DAY = date(2026, 5, 1)
Open = Callable[..., Buffer]


def frame(values: int, size: int = 100, at_ms: int = 0, gaps: tuple[Gap, ...] = ()) -> NewFrame:
    body = BodyEncoder().encode(gaps) if gaps else os.urandom(size)
    return NewFrame(body, values, at_ms, at_ms, (("d", DAY, values),), len(gaps))


def commit(*frames: NewFrame, gaps: tuple[Gap, ...] = ()) -> Commit:
    values = sum(one.values for one in frames)
    counts = {("d", DAY): Counts(due=values, ok=values, buffered=values)}
    return Commit(frames, counts, {("d", "g"): GroupProgress(values, values)}, gaps)
