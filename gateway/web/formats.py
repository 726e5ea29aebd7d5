"""How numbers and times read for people. Pure; times are shown as Asia/Shanghai."""

from datetime import datetime

from gateway.core.books import SHANGHAI
from gateway.web.i18n import Language, text

NOTHING = "–"
_LARGE = 100_000


def integer(number: int | None) -> str:
    """A count with thin groups: ``12 345``; a dash for None."""
    return NOTHING if number is None else f"{number:,}".replace(",", "\u202f")


def moment(time_ms: int | None) -> str:
    """``2026-11-23 20:41:05`` of UTC milliseconds; a dash for None or 0."""
    return _stamp(time_ms, "%Y-%m-%d %H:%M:%S")


def clock(time_ms: int | None) -> str:
    """``20:41:05`` of UTC milliseconds; a dash for None or 0."""
    return _stamp(time_ms, "%H:%M:%S")


def _stamp(time_ms: int | None, pattern: str) -> str:
    if not time_ms:
        return NOTHING
    try:
        return datetime.fromtimestamp(time_ms / 1000, SHANGHAI).strftime(pattern)
    except (OverflowError, ValueError, OSError):
        return NOTHING  # a device may claim any time; a page must not fail over it


def duration(language: Language, length_ms: int | None) -> str:
    """``3 min 12 s`` or ``3 分 12 秒``: the two largest units of a length in milliseconds."""
    if length_ms is None:
        return NOTHING
    seconds = max(0, length_ms) // 1000
    parts = [(seconds // 86_400, "day"), (seconds // 3_600 % 24, "hour")]
    parts += [(seconds // 60 % 60, "minute"), (seconds % 60, "second")]
    first = next((at for at, (count, _) in enumerate(parts) if count), len(parts) - 1)
    shown = [part for at, part in enumerate(parts[first : first + 2]) if part[0] or at == 0]
    return " ".join(text(language, f"unit.{unit}", count=count) for count, unit in shown)


def reading(language: Language, value: object) -> str:
    """A measured value: at most six significant digits, yes/no for booleans."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return text(language, "value.yes" if value else "value.no")
    if isinstance(value, int):
        return integer(value)
    if isinstance(value, float):
        return _decimal(value)
    return str(value)


def _decimal(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN
        return NOTHING
    if abs(value) >= _LARGE:
        return f"{value:,.0f}".replace(",", "\u202f")
    return f"{value:.2f}" if abs(value) >= 1 or value == 0 else f"{value:.4g}"
