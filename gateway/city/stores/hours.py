"""How many values of which quality an hour holds: what the stores' answers are put together by.

Pure. Hours of Asia/Shanghai begin with those of UTC.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gateway.city.stores.api import Series, SeriesHours
from gateway.city.stores.marks import DOUBTED, REPLAYED
from gateway.core.days import HOUR_MS


def hour_of(time_ms: int) -> int:
    """Beginning of the hour that a time lies in."""
    return time_ms - time_ms % HOUR_MS


def hours_between(from_ms: int, to_ms: int) -> Iterator[tuple[int, int]]:
    """A span cut where hours begin: ``from_ms <= time < to_ms`` of each piece."""
    start = from_ms
    while start < to_ms:
        stop = min(to_ms, hour_of(start) + HOUR_MS)
        yield start, stop
        start = stop


@dataclass(slots=True)
class Tally:
    """What is known of one hour, by series.

    Attributes:
        values: how many values there are.
        marked: how many of them are not GOOD.
        replayed: how many are replays.
        doubted: how many are in clock doubt.
        first_ms: time of the first value.
        last_ms: time of the last value.
    """

    values: Counter[Series] = field(default_factory=Counter)
    marked: Counter[Series] = field(default_factory=Counter)
    replayed: Counter[Series] = field(default_factory=Counter)
    doubted: Counter[Series] = field(default_factory=Counter)
    first_ms: dict[Series, int] = field(default_factory=dict)
    last_ms: dict[Series, int] = field(default_factory=dict)

    def note(self, series: Series, code: int, count: int) -> None:
        """Note values that are not GOOD, by their status byte."""
        self.marked[series] += count
        if code in REPLAYED:
            self.replayed[series] += count
        elif code in DOUBTED:
            self.doubted[series] += count

    def result(self) -> Sequence[SeriesHours]:
        """One entry for each series."""
        return [self._of(series) for series in self.values]

    def _of(self, series: Series) -> SeriesHours:
        replayed, doubted = self.replayed[series], self.doubted[series]
        return SeriesHours(
            series,
            hour_of(self.first_ms[series]),
            self.values[series] - self.marked[series],
            self.marked[series] - replayed - doubted,
            replayed,
            doubted,
            self.first_ms[series],
            self.last_ms[series],
        )
