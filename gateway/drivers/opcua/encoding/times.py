"""Whether the time of a pushed value can be believed; the gateway's is taken if not. Pure.

A controller whose battery is empty, or that sends local time as UTC, dates its values years or
hours wrong. But an old time alone proves nothing: the first value of a session is as old as its
last change, and a server may report the same value again.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from gateway.core.batch import NEVER, Mask
from gateway.core.status import GOOD, Reason, is_replay, uncertain
from gateway.drivers.api import Arrivals

OLDEST_MS = 1_136_073_600_000
"""2006-01-01: no server of OPC UA is older than its standard, so no value of one is."""

_CLOCK = uncertain(Reason.CLOCK)
_REPLAYS = np.array([is_replay(code) for code in range(256)])


class SourceTimes:
    """Judges the times of one group's values; outlives sessions.

    Args:
        count: how many items the group has.
        tolerance_ms: times that differ more from the gateway's clock need an excuse.
    """

    def __init__(self, count: int, tolerance_ms: int) -> None:
        self._tolerance_ms = self._patience_ms = tolerance_ms
        self._last_ms = np.full(count, NEVER, np.int64)
        self._is_wrong = np.zeros(count, np.bool_)  # the clock behind each, by its last value
        # Values that came with doubtful times, and these: a time that stays while values change
        # stands still.
        self._noted = np.full(count, None, object)
        self._noted_ms = np.full(count, NEVER, np.int64)

    def begin(self, publishing_ms: float) -> None:
        """A session begins: what comes first may be as old as its last change.

        Args:
            publishing_ms: for so long the server may keep a value back before it sends it.
        """
        self._last_ms[:] = self._noted_ms[:] = NEVER
        self._patience_ms = self._tolerance_ms + math.ceil(publishing_ms)

    def judge(self, arrivals: Arrivals, now_ms: int, *, is_server_wrong: bool) -> None:
        """Correct, in place, what cannot be: the gateway's time, and UNCERTAIN if it was GOOD.

        Args:
            arrivals: values in the order of their tags.
            now_ms: the gateway's clock, UTC milliseconds.
            is_server_wrong: the server's own clock is known to be; then old times have no excuse.
        """
        times, index = arrivals.time_ms, arrivals.index
        if not len(index):
            return
        early, late = now_ms - self._patience_ms, now_ms + self._tolerance_ms
        if times.min() >= early and times.max() <= late:  # mostly so
            self._last_ms[index] = times
            self._is_wrong[index] = False
            return
        previous = _previous(index, times, self._last_ms)
        is_first = (previous == NEVER) & ~self._is_wrong[index] & (not is_server_wrong)
        is_old_by_its_own_word = _REPLAYS[arrivals.status]
        is_repeated = (previous == times) & ~self._is_standing(arrivals)
        is_excused = is_first | is_repeated | is_old_by_its_own_word
        is_excused &= times >= OLDEST_MS
        wrong = (times > late) | ((times < early) & ~is_excused)
        self._last_ms[index] = times
        self._is_wrong[index] = wrong
        arrivals.status[wrong & (arrivals.status == GOOD)] = _CLOCK
        times[wrong] = now_ms

    def _is_standing(self, arrivals: Arrivals) -> Mask:
        """Which values are others than those before them, of the same item with the same time."""
        times, index = arrivals.time_ms, arrivals.index
        values = np.concatenate([column.astype(object) for column in arrivals.columns])
        is_standing: Mask = _previous(index, times, self._noted_ms) == times
        is_standing &= _previous(index, values, self._noted) != values
        self._noted[index], self._noted_ms[index] = values, times
        return is_standing


def _previous(index: npt.NDArray[np.uint32], given: Any, last: Any) -> Any:  # arrays of one type
    """What was given before each, for the same item; for the first of an item ``last``."""
    previous = last[index]
    previous[1:] = np.where(index[1:] == index[:-1], given[:-1], previous[1:])
    return previous
