"""When each device is asked: how evenly a gateway polls, seen from the device. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

_ARCS = 20
"""A poll that is later than all but one of so many parts of an interval passes for punctual."""


@dataclass(slots=True)
class Watch:
    """Polls of every device since the last report.

    Attributes:
        interval_s: how often each device is to be polled.
        since_s: when the last report was, seconds since 1970.
        polls: device → times at which a poll of it began, seconds.
    """

    interval_s: float
    since_s: float
    polls: dict[int, list[float]] = field(default_factory=dict)

    def began(self, device: int, at_s: float) -> None:
        """Note that a poll of a device begins."""
        self.polls.setdefault(device, []).append(at_s)

    def report(self, now_s: float) -> str:
        """What was seen since the last report, as one JSON line; begins anew.

        ``late_ms`` says how much later than its earliest in the time a device's poll begins: a
        gateway's ticks are exact multiples of the interval apart, so what differs is its own.
        """
        seconds, self.since_s = now_s - self.since_s, now_s
        polls, self.polls = self.polls, {}
        late = sorted(chain.from_iterable(lateness(p, self.interval_s) for p in polls.values()))
        quantiles = np.percentile(late, (50, 99, 100)).tolist() if late else [0.0] * 3
        names = ("p50", "p99", "max")
        return json.dumps(
            {
                "seconds": round(seconds, 3),
                "polls": sum(map(len, polls.values())),
                "devices": len(polls),
                "late_ms": {n: round(1000 * q, 2) for n, q in zip(names, quantiles, strict=True)},
            }
        )


def lateness(at_s: Sequence[float], interval_s: float) -> list[float]:
    """Seconds by which each poll began after the place in the interval of the earliest one.

    The earliest is looked for where polls are densest: the place before which a poll would have
    been early is also the one that a poll nearly an interval late comes to, and a single such
    poll would make all others late.

    Args:
        at_s: when polls of one device began; most within some of an interval's twentieths.
        interval_s: between two ticks.
    """
    places = np.asarray(at_s) % interval_s
    arc = interval_s / _ARCS
    late = (places - _densest(places, interval_s, arc) + arc) % interval_s
    exact: list[float] = (late - late.min()).tolist()
    return exact


def _densest(places: np.ndarray, interval_s: float, arc: float) -> float:
    """The place that begins the arc of the interval with the most places in it."""
    ascending = np.sort(places)
    around = np.concatenate((ascending, ascending + interval_s))
    ends = np.searchsorted(around, ascending + arc, side="right")
    return float(ascending[np.argmax(ends - np.arange(len(ascending)))])
