"""Days of the books are those of Asia/Shanghai; times are UTC milliseconds."""

from datetime import date, datetime, timedelta, timezone
from functools import lru_cache

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has one zone without daylight saving since 1991; a fixed offset is exact."""

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
OFFSET_MS = 8 * HOUR_MS
"""What Asia/Shanghai is ahead of UTC."""
MAX_AHEAD_MS = 60_000
"""Clocks that differ by no more agree; a time further ahead of the clock of whoever judges it is
not believed."""
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def day_of(time_ms: int) -> date:
    """The Asia/Shanghai day of a UTC millisecond time."""
    return _day((time_ms + OFFSET_MS) // DAY_MS)


@lru_cache(maxsize=64)
def _day(number: int) -> date:
    return date.fromordinal(_EPOCH_ORDINAL + number)


def day_start_ms(day: date) -> int:
    """UTC milliseconds at which an Asia/Shanghai day begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).timestamp() * 1000)
