"""Days of the books are those of Asia/Shanghai; times are UTC milliseconds."""

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
