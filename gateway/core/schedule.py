"""When to read next: phases that spread the load, nominal ticks, back-off. Pure."""

from zlib import crc32


def phase_ms(key: str, interval_ms: int) -> int:
    """Offset of a device's ticks within its interval, the same after every restart.

    Args:
        key: ``gateway/device/group``.
        interval_ms: period, milliseconds.

    Returns:
        0 … interval_ms − 1.
    """
    return crc32(key.encode()) % interval_ms


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


def backoff_ms(failures: int, minimum_ms: int, maximum_ms: int) -> int:
    """Wait before the next attempt: doubles from ``minimum_ms`` after each failure.

    Args:
        failures: consecutive failures so far, at least 1.
        minimum_ms: first wait.
        maximum_ms: longest wait.
    """
    return min(maximum_ms, minimum_ms << min(failures - 1, 30))
