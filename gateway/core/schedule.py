"""When to read next: nominal ticks and back-off; phases are chosen in :mod:`.slots`. Pure."""

from collections.abc import Iterator
from datetime import date, timedelta

from gateway.core.days import day_of, day_start_ms


def next_tick_ms(now_ms: int, interval_ms: int, phase: int) -> int:
    """The first nominal tick strictly after ``now_ms`` (UTC milliseconds).

    Ticks are ``k × interval + phase`` since 1970, so they do not drift and agree across restarts.
    """
    return ((now_ms - phase) // interval_ms + 1) * interval_ms + phase


def ticks_between(after_ms: int, before_ms: int, interval_ms: int, phase: int) -> int:
    """How many ticks ``t`` there are with ``after_ms < t < before_ms``."""
    if before_ms <= after_ms + 1:
        return 0
    return (before_ms - 1 - phase) // interval_ms - (after_ms - phase) // interval_ms


def last_tick_ms(now_ms: int, interval_ms: int, phase: int) -> int:
    """The last nominal tick at or before ``now_ms``."""
    return (now_ms - phase) // interval_ms * interval_ms + phase


def ticks_by_day(
    after_ms: int, upto_ms: int, interval_ms: int, phase: int
) -> Iterator[tuple[date, int]]:
    """How many ticks ``t`` with ``after_ms < t <= upto_ms`` fall on each Asia/Shanghai day.

    Yields:
        (day, ticks) in order of the days; days without a tick are left out.
    """
    while after_ms < upto_ms:
        day = day_of(after_ms + 1)
        end = min(upto_ms, day_start_ms(day + timedelta(days=1)) - 1)
        count = ticks_between(after_ms, end + 1, interval_ms, phase)
        if count:
            yield day, count
        after_ms = end


def backoff_ms(failures: int, minimum_ms: int, maximum_ms: int, chance: float = 0.0) -> int:
    """Wait before the next attempt: doubles from ``minimum_ms`` after each failure.

    Args:
        failures: consecutive failures so far, at least 1.
        minimum_ms: first wait.
        maximum_ms: longest wait.
        chance: 0 … 1 at random: makes the wait up to a quarter shorter, so that devices that
            were lost together are not tried together for ever.
    """
    # A device may be away for months: the number shifted must not grow with that.
    wait_ms = min(maximum_ms, minimum_ms << min(failures - 1, 30))
    return round(wait_ms * (1 - chance / 4))
