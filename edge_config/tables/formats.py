"""How a spreadsheet shows the number in a cell, which is what its author means. Pure."""

import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple


class Format(NamedTuple):
    """A number format, as far as it changes what a number means.

    Attributes:
        is_date: the number counts days.
        zeros: digits that are shown at least, as 6 of ``000000``; 0: as many as there are.
        before: text in front of them, as ``A-`` of ``"A-"000``.
        behind: text behind them.
        shows_more: what a person sees is more than the digits of the number: ``1.2E+04`` of
            12000, ``7号`` of 7 by ``0"号"``, ``12-34`` of 1234.
    """

    is_date: bool = False
    zeros: int = 0
    before: str = ""
    behind: str = ""
    shows_more: bool = False


GENERAL = Format()
_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
"""Built-in formats of days and times, Chinese ones included (ECMA-376 part 1, 18.8.30)."""
_SHOW_MORE = frozenset({2, *range(4, 14), *range(23, 27), *range(39, 45), 48})
"""Built-in formats with decimals, currencies, per cent, exponents and fractions."""
_TOKEN = re.compile(
    r'"(?P<text>[^"]*)"|\\(?P<one>.)|\[(?P<bracket>[^\]]*)\]|[_*].|(?P<code>.)', re.DOTALL
)
_OTHER_DIGITS = re.compile(r"DBNum|\$[^-\]]", re.IGNORECASE)
"""Chinese numerals, or the sign of a currency."""
_WHOLE_NUMBER = re.compile(r"[#?]*(?P<width>0[0#?]*)?|General|@", re.IGNORECASE)
"""Places of digits; from the first 0 on they are shown in any case."""
_DAY_OR_TIME = re.compile("[ymdhs年月日时分秒]", re.IGNORECASE)
_EXACT = 10**15
"""Spreadsheets keep 15 digits; the rest of a longer number is not what was typed."""
_FIRST_DAY, _FIRST_DAY_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001 - no zone
_LAST_DAY = 2_958_465
"""31 December 9999, the last day of spreadsheets."""
_NO_LEAP_DAY = 60
"""Spreadsheets have a 29 February 1900; days before it have a number one lower."""


def format_of(number: int, codes: dict[int, str]) -> Format:
    """A format by its number.

    Args:
        number: built-in, or one of the workbook's own.
        codes: the workbook's own formats.
    """
    if number in codes:
        return _parsed(codes[number])
    return Format(is_date=number in _DATES, shows_more=number in _SHOW_MORE)


@lru_cache(256)
def _parsed(code: str) -> Format:
    shown, before, behind, is_other = "", "", "", False
    for token in _TOKEN.finditer(_first_section(code)):
        text = token["text"] or token["one"] or ""
        shown += token["code"] or ""
        before, behind = (before, behind + text) if shown else (before + text, behind)
        is_other = is_other or _OTHER_DIGITS.match(token["bracket"] or "") is not None
    if _DAY_OR_TIME.search(shown):
        return Format(is_date=True)
    places = _WHOLE_NUMBER.fullmatch(re.sub(",(?=.)", "", shown.strip()))
    width = len(places["width"] or "") if places and not is_other else 0
    # One zero is any whole number, as 0"kW"; only a width tells of digits that were dropped.
    if width > 1:
        return Format(False, width, before, behind)
    return Format(shows_more=places is None or is_other or bool((before + behind).strip()))


def _first_section(code: str) -> str:
    """The format of positive numbers: up to a semicolon that is no text."""
    return re.match(r'(?:"[^"]*"|\\.|[^;])*', code, re.DOTALL)[0]  # type: ignore[index] # always


def number_text(value: float, shown: Format, *, from_1904: bool) -> str:
    """A number as its author sees it; one of more than 15 digits as ``9.14403001922038E+17``."""
    if shown.is_date and 0 <= value <= _LAST_DAY:
        return _moment_text(value, from_1904=from_1904)
    if value != value or abs(value) >= _EXACT:  # noqa: PLR0124 - not a number
        return f"{value:.15G}"
    if not value.is_integer():
        return repr(value)
    digits = str(int(value))
    return f"{shown.before}{digits.zfill(shown.zeros)}{shown.behind}" if shown.zeros else digits


def day_of(number: int, *, from_1904: bool) -> date:
    """The day that a spreadsheet keeps as a number.

    Raises:
        OverflowError: beyond the calendar.
    """
    return _moment(number, from_1904=from_1904).date()


def _moment(value: float, *, from_1904: bool) -> datetime:
    if from_1904:
        return _FIRST_DAY_1904 + timedelta(days=value)
    return _FIRST_DAY + timedelta(days=value + (value < _NO_LEAP_DAY))


def _moment_text(value: float, *, from_1904: bool) -> str:
    seconds = round(value * 86_400)
    moment = _moment(seconds // 86_400, from_1904=from_1904) + timedelta(seconds=seconds % 86_400)
    if value < 1:
        return f"{moment:%H:%M:%S}"
    return moment.date().isoformat() if value.is_integer() else f"{moment:%Y-%m-%d %H:%M:%S}"
