"""Whether a line can carry what its devices are asked, in sentences of ``qulink check``. Pure.

Two loads decide. The least one counts only what is certain: characters on the wire and pauses that
are kept. The usual one adds what a quick device takes to answer. A least load above all of the
time is refused; a usual one that leaves little room is warned of (decision 39).
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

ROOM = 0.8
"""A line that is busier has no room for a silent device, a repeated request or a slow answer."""

_STEP_MS = 500
"""A proposed interval is a multiple of it; of a tenth, if it is shorter."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of the devices of one line.

    Attributes:
        asked: of whom, and where, as part of a sentence.
        line: what is busy, as part of a sentence.
        least: part of the time that it is busy at least; 1 is all of it.
        usual: the same if all devices answer quickly.
        intervals_ms: of all groups.
    """

    asked: str
    line: str
    least: float
    usual: float
    intervals_ms: Iterable[int]

    def impossible(self) -> Iterator[str]:
        """A sentence, if no device can be quick enough."""
        if self.least > 1:
            yield (
                f"what is asked of {self.asked} needs at least {self.least * 1_000:,.0f} ms of "
                f"each 1,000 ms of {self.line}, however quickly they answer: {self._proposal()}"
            )

    def doubtful(self) -> Iterator[str]:
        """A sentence, if they can hardly be."""
        if self.least > 1 or self.usual <= ROOM:
            return
        what = "what cannot be asked in time" if self.usual > 1 else "what waits for a silent one"
        yield (
            f"what is asked of {self.asked} needs {self.usual * 1_000:,.0f} ms of each 1,000 ms "
            f"of {self.line} if all of them answer quickly; {what} is skipped: {self._proposal()}"
        )

    def _proposal(self) -> str:
        """Intervals that leave room."""
        factor = self.usual / ROOM
        intervals = set(self.intervals_ms)
        if len(intervals) > 1:
            return f"intervals {math.ceil(10 * factor) / 10:g} times as long fit"
        needed_ms = intervals.pop() * factor
        step_ms = _STEP_MS if needed_ms > _STEP_MS else _STEP_MS / 10
        return f"interval_ms: {math.ceil(needed_ms / step_ms) * step_ms:.0f} fits"
