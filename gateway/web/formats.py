"""How numbers, times and addresses are written on pages. Pure; times are shown as Asia/Shanghai."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from math import isfinite
from urllib.parse import urlencode

from starlette.requests import Request

from gateway.core.days import SHANGHAI
from gateway.web.i18n import Language, action_words, cause_words, reason_advice, text

NOTHING = "—"

_LONGEST = 1e15
"""From here on the digits of a float are no longer those of its value."""


def integer(number: int | None) -> str:
    """A count in groups: ``12,345``; a dash for None."""
    return NOTHING if number is None else f"{number:,}"


def per_second(rate: float) -> str:
    """A rate with one decimal: ``1,234.5``."""
    return f"{rate:,.1f}"


def size(length_bytes: int) -> str:
    """A length in bytes: ``512 B``, ``1.5 KiB``, ``20.0 MiB``."""
    if length_bytes < 1024:  # noqa: PLR2004 - the unit itself
        return f"{length_bytes} B"
    mebibytes = length_bytes / 2**20
    return f"{mebibytes:,.1f} MiB" if mebibytes >= 1 else f"{length_bytes / 1024:.1f} KiB"


def moment(time_ms: int | None) -> str:
    """``2026-11-23 20:41:05`` of UTC milliseconds; a dash for None or 0."""
    return _stamp(time_ms, "%Y-%m-%d %H:%M:%S")


def clock(time_ms: int | None) -> str:
    """``20:41:05`` of UTC milliseconds; a dash for None or 0."""
    return _stamp(time_ms, "%H:%M:%S")


def when(time_ms: int | None, now_ms: int) -> str:
    """The clock for a time of today, with its date for any other: ``20:41:05``."""
    today = moment(now_ms)[:10]
    stamp = moment(time_ms)
    return stamp.removeprefix(f"{today} ")


def _stamp(time_ms: int | None, pattern: str) -> str:
    if not time_ms:
        return NOTHING
    try:
        return datetime.fromtimestamp(time_ms / 1000, SHANGHAI).strftime(pattern)
    except (OverflowError, ValueError, OSError):
        return NOTHING  # a device may claim any time; a page must not fail over it


def age(language: Language, length_ms: int) -> str:
    """``3 min ago`` or ``3 分前``: the largest unit of a length in milliseconds."""
    return text(language, "unit.ago", length=duration(language, length_ms, units=1))


def duration(language: Language, length_ms: int | None, units: int = 2) -> str:
    """``3 min 12 s`` or ``3 分钟 12 秒``: the largest units of a length in milliseconds."""
    if length_ms is None:
        return NOTHING
    seconds = max(0, length_ms) // 1000
    parts = [(seconds // 86_400, "day"), (seconds // 3_600 % 24, "hour")]
    parts += [(seconds // 60 % 60, "minute"), (seconds % 60, "second")]
    first = next((at for at, (count, _) in enumerate(parts) if count), len(parts) - 1)
    shown = [part for at, part in enumerate(parts[first : first + units]) if part[0] or at == 0]
    return " ".join(text(language, f"unit.{unit}", count=count) for count, unit in shown)


def reading(language: Language, value: object) -> str:
    """A measured value: two decimals, four digits where small or huge, yes/no for booleans."""
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
    if not isfinite(value):
        return NOTHING
    is_usual = value == 0 or 1 <= abs(value) < _LONGEST
    return f"{value:,.2f}" if is_usual else f"{value:.4g}"


def onward(request: Request, kept: Sequence[str], target: str) -> str:
    """An address that hands on the parameters ``kept`` of this page.

    Args:
        request: for this page.
        kept: names of parameters.
        target: path, perhaps with parameters and a fragment of its own.
    """
    address, mark, fragment = target.partition("#")
    if parameters := urlencode(handed_on(request, kept)):
        address += ("&" if "?" in address else "?") + parameters
    return address + mark + fragment


def handed_on(request: Request, kept: Sequence[str]) -> list[tuple[str, str]]:
    """The parameters ``kept`` that the address of this page has, for its links and forms."""
    asked = request.query_params
    return [(name, asked[name]) for name in kept if asked.get(name)]


def with_parameter(request: Request, **parameters: object) -> str:
    """The address of this page with parameters set, as in ``?lang=en``; relative."""
    return "?" + request.url.include_query_params(**parameters).query


def filters(language: Language) -> dict[str, Callable[..., object]]:
    """What every template can write a value with."""
    return {
        "integer": integer,
        "moment": moment,
        "clock": clock,
        "when": when,
        "size": size,
        "per_second": per_second,
        "age": partial(age, language),
        "duration": partial(duration, language),
        "reading": partial(reading, language),
        "cause": partial(cause_words, language),
        "reason_advice": partial(reason_advice, language),
        "action": partial(action_words, language),
    }
