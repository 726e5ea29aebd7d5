"""The week of a plant: on which days it works, written as people write it. Pure."""

import re
from datetime import date, timedelta

from gateway.city.ledger.sheet.values import plain

DAYS = 7
MAX_WEEKS = 4
_NAMES = "一二三四五六日"
_SUNDAYS = {"天": "日", "7": "日", "0": "日"}
_PREFIX = re.compile(r"星期|礼拜|周")
_RANGE = re.compile(r"([一二三四五六日])[-–—~至到]([一二三四五六日])")
_BETWEEN = re.compile(r"[、,;\s和及]")
EXAMPLE = "write 一至六, 1-6, or 一二四五六日; weeks that take turns with / between them: 1-5/1-6"


def weeks(text: str, _today: date) -> str:
    """The days of work of a week, or of weeks that take turns.

    Args:
        text: ``一至六``, ``周一至周六``, ``1-6``, ``124567``; several weeks with ``/`` between.

    Returns:
        For each week seven characters from Monday on, 1 for a day of work: ``1111110/1111100``.

    Raises:
        ValueError: it cannot be read, or has no day of work.
    """
    parts = plain(text).replace("／", "/").split("/")
    if len(parts) > MAX_WEEKS:
        raise ValueError(f"{len(parts)} weeks take turns; at most {MAX_WEEKS} can")
    found = "/".join(_week(part, text) for part in parts)
    if "1" not in found:
        raise ValueError("has no day of work; enter a planned stop (qulink ledger stops) instead")
    return found


def _week(part: str, text: str) -> str:
    bare = _BETWEEN.sub("", _PREFIX.sub("", part))
    for digit, name in enumerate(_NAMES[:6], start=1):
        bare = bare.replace(str(digit), name)
    for other, name in _SUNDAYS.items():
        bare = bare.replace(other, name)
    listed = _RANGE.sub(_spelled, bare)
    if not listed or set(listed) - set(_NAMES):
        raise ValueError(f"{text!r} is no week of work; {EXAMPLE}")
    return "".join("1" if name in listed else "0" for name in _NAMES)


def _spelled(found: re.Match[str]) -> str:
    first, last = _NAMES.index(found[1]), _NAMES.index(found[2])
    return _NAMES[first : last + 1] if first <= last else _NAMES[first:] + _NAMES[: last + 1]


def is_worked(pattern: str, begun: date, day: date) -> bool:
    """Whether the weeks of :func:`weeks` have a day of work on a day.

    Args:
        pattern: of the schedule.
        begun: its first day, whose week is the first one.
        day: on or after it.
    """
    parts = pattern.split("/")
    monday = begun - timedelta(days=begun.weekday())
    return parts[(day - monday).days // DAYS % len(parts)][day.weekday()] == "1"


def shown(pattern: str) -> str:
    """The weeks for people: ``一二三四五六 / 一二三四五``."""
    return " / ".join(
        "".join(name for name, mark in zip(_NAMES, part, strict=True) if mark == "1")
        for part in pattern.split("/")
    )
