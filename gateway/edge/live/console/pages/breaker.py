"""Whether a device is left alone for now and until when, how long it is waited for, how it answers.

All of it is known anyway, or read off the frames that are kept: nothing is measured for a page.
"""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from gateway.drivers.extras import Resting
from gateway.drivers.frames import FrameLog
from gateway.edge.live.devices import DeviceRecord


class Answering(NamedTuple):
    """How long a device takes for an answer.

    Attributes:
        usual_ms: half of the answers came sooner, milliseconds.
        slowest_ms: the longest, milliseconds.
    """

    usual_ms: float
    slowest_ms: float


class Breaker(NamedTuple):
    """What keeps a device that does not answer from costing its line more than it must.

    Attributes:
        failures: since its last answer.
        retry_ms: when it is tried again, UTC milliseconds; 0: it is not left alone.
        timeout_ms: how long one answer is waited for; 0: the driver does not say.
        answers: how long it takes for one; None: no answer is kept.
        resting: what is not asked for now.
    """

    failures: int
    retry_ms: int
    timeout_ms: int
    answers: Answering | None
    resting: Sequence[Resting]


def breaker_of(device: DeviceRecord) -> Breaker:
    """How it is now."""
    return Breaker(
        device.failures_in_row,
        device.retry_ms,
        device.timeout_ms(),
        answering(device.frames),
        device.resting(),
    )


def milliseconds(value: float) -> str:
    """``0.8``, ``12``: no more digits than mean something."""
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"  # noqa: PLR2004 - two digits


def answering(frames: FrameLog) -> Answering | None:
    """By the frames that are kept; None: no answer is among them."""
    took_s = frames.answered_s()
    return Answering(1_000 * median(took_s), 1_000 * max(took_s)) if took_s else None
