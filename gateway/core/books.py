"""The books: what was due, what came of it. One tag at one time is the unit.

Invariants, for every device and day::

    due = ok + failed + skipped
    ok  = suppressed + buffered
    buffered = stored + pending + dropped      (closed by the city's side)
"""

from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has one zone without daylight saving since 1991; a fixed offset is exact."""


DAY_MS = 86_400_000
_OFFSET_MS = 8 * 3_600_000
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def day_of(time_ms: int) -> date:
    """The Asia/Shanghai day of a UTC millisecond time."""
    return _day((time_ms + _OFFSET_MS) // DAY_MS)


@lru_cache(maxsize=64)
def _day(number: int) -> date:
    return date.fromordinal(_EPOCH_ORDINAL + number)


def day_start_ms(day: date) -> int:
    """UTC milliseconds at which an Asia/Shanghai day begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).timestamp() * 1000)


@dataclass(slots=True)
class Counts:
    """Counters of one device on one day (or any sum of such).

    ``dropped`` counts values that had been buffered and were given up, by cause code.
    """

    due: int = 0
    ok: int = 0
    failed: int = 0
    skipped: int = 0
    suppressed: int = 0
    buffered: int = 0
    dropped: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Counts") -> None:
        """Add another set of counters to this one."""
        self.due += other.due
        self.ok += other.ok
        self.failed += other.failed
        self.skipped += other.skipped
        self.suppressed += other.suppressed
        self.buffered += other.buffered
        for cause, count in other.dropped.items():
            self.dropped[cause] = self.dropped.get(cause, 0) + count

    @property
    def balanced(self) -> bool:
        """Whether the two equations of the edge hold."""
        return (
            self.due == self.ok + self.failed + self.skipped
            and self.ok == self.suppressed + self.buffered
        )


COUNTERS = tuple(f.name for f in fields(Counts) if f.name != "dropped")
"""Names of the whole-number counters, in the order of the books."""
