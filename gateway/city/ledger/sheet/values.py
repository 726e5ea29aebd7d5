"""From the text of a cell to a value; every refusal says what would be right. Pure.

A converter takes the cell's text (never empty) and today's date, returns the value, and raises
``ValueError`` with the message for the person who filled the cell.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from difflib import get_close_matches

from edge_config.models import ledger_number as rule
from edge_config.models import uscc
from edge_config.models.wide import narrow
from edge_config.tables import formats
from edge_config.tables.sheet import Odd, Oddity
from gateway.city.ledger.codes import COUNTIES, FORMER_COUNTIES, Name, is_industry

Value = str | bool | float | date | tuple[str, ...] | None
Converter = Callable[[str, date], Value]

_DAY = re.compile(
    r"(\d{4})\s*[-/.年\s]\s*(\d{1,2})\s*[-/.月\s]\s*(\d{1,2})\s*[日号.]?"
    r"(?:[T\s]*(?:上午|下午|[AP]M)?\s*\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:[AP]M|Z)?)?"
)
"""A time of day behind it does not count."""
_NUMERALS = "〇一二三四五六七八九"
_NUMERAL = re.compile(f"[{_NUMERALS}零十]+")
_SERIAL_DAY = re.compile(r"[2-9]\d{4}")
"""Day numbers of spreadsheets: five digits are days from 1954 on."""
_ERROR_VALUES = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"}
)
_NOTHING = frozenset({"nan", "NaN", "NaT", "None", "NULL", "null", "<NA>"})
_OLDEST = 1900
_SINCE_EVER = 1970
"""What the first row of a machine or enterprise says holds since then."""
_AHEAD = 10
"""Years in which machines that are being built are commissioned."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SHORTENED = re.compile(r"\d(?:\.\d+)?E\+\d+", re.IGNORECASE)
_COMPACT_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})")
_CODE = re.compile(r"[0-9A-Z]{1,20}")
_ROSTER = re.compile(r"[0-9A-Z_-]{1,32}")
_YES = frozenset({"是", "有", "y", "yes", "true", "1", "√"})
_NO = frozenset({"否", "无", "n", "no", "false", "0", "×"})


def plain(text: str) -> str:
    """A code as the ledger holds it.

    Full-width characters are made narrow, invisible ones and spaces around are dropped.
    """
    if text.isascii():
        return text.strip()
    return "".join(one for one in narrow(text) if unicodedata.category(one) != "Cf").strip()


def computed(text: str) -> str:
    """The text of a cell, unless a program wrote there that it had none.

    Raises:
        ValueError: it is an error value, as ``#REF!``, or what stands for nothing, as ``nan``.
    """
    if text in _ERROR_VALUES:
        raise ValueError(str(Oddity(Odd.ERROR, text)))
    if text in _NOTHING:
        raise ValueError(f"{text} is what a program writes for nothing; leave the cell empty")
    return text


def prose(limit: int) -> Converter:
    """Text for people, as it was written (full-width brackets stay), of at most ``limit``."""
    return lambda text, _today: _kept(" ".join(text.split()), limit)


def code(limit: int) -> Converter:
    """A number or code of the enterprise's own, of at most ``limit`` characters."""
    return lambda text, _today: _kept(_unshortened(text), limit)


def ledger_number(limit: int) -> Converter:
    """A machine's or a site's number, in the form in which edges and city know it."""
    return lambda text, _today: rule.held(_unshortened(text), limit)


def _kept(text: str, limit: int) -> str:
    if len(text) > limit:
        raise ValueError(f"has {len(text)} characters; at most {limit} are kept")
    if _CONTROL.search(text):
        raise ValueError(f"{text!r} holds a line break or another control character; take it out")
    return text


def _unshortened(text: str) -> str:
    """A plain code, unless a spreadsheet took it for a number and lost digits of it.

    Raises:
        ValueError: it has the form ``1.23E+17``.
    """
    found = plain(text)
    if _SHORTENED.fullmatch(found):
        raise ValueError(
            f"{found} is a number that a spreadsheet has shortened; "
            f"format the column as text and write the code again{_IN_CSV}"
        )
    return found


_IN_CSV = '; in a CSV file as ="…" or with \' in front'
"""How a code of digits gets through a spreadsheet."""
_ROUNDED = re.compile(r"\d{15}000")
"""18 digits of which a spreadsheet kept 15."""


def credit_code(text: str, _today: date) -> str:
    """A unified social credit code with its check digit."""
    found = _unshortened(text).upper()
    problem = uscc.problem(found)
    if problem and _ROUNDED.fullmatch(found):
        raise ValueError(
            f"{found} has lost its last digits, of which a spreadsheet keeps 15; "
            f"format the column as text and write the code again{_IN_CSV}"
        )
    if problem:
        raise ValueError(
            f"{found} {problem}"
            if problem.startswith(("has", "contains"))
            else f"{found}: {problem}"
        )
    return found


def industry(text: str, _today: date) -> str:
    """A GB/T 4754-2017 class; a door letter in front (``C3451``) is dropped."""
    found = plain(text).upper()
    if re.fullmatch(r"[A-T]\d{4}", found):
        found = found[1:]
    if not is_industry(found):
        raise ValueError(f"{found!r} is no GB/T 4754-2017 class; write its four digits, as 3451")
    return found


def choice(known: Mapping[str, Name], what: str) -> Converter:
    """One of a code list, by code, Chinese or English name."""
    spellings = {
        _folded(spelling): key
        for key, name in known.items()
        for spelling in (key, name.zh, name.en, f"{key} {name.zh}", f"{key} {name.en}")
    }
    listed = ", ".join(f"{key} {name.zh}" for key, name in known.items())

    def convert(text: str, _today: date) -> str:
        wanted = _folded(text)
        if wanted in spellings:
            return spellings[wanted]
        # Codes that look alike are of places that do not.
        near = [] if wanted.isdigit() else get_close_matches(wanted, list(spellings), n=1)
        hint = f"; did you mean {spellings[near[0]]}? There" if near else "; there"
        raise ValueError(f"unknown {what} {plain(text)!r}{hint} are: {listed}")

    return convert


def _folded(text: str) -> str:
    return plain(text).casefold().replace("_", " ")


_known_county = choice(COUNTIES, "county")


def county(text: str, today: date) -> str:
    """A county of the city by code or name; of one that was given up, where its places are now."""
    found = plain(text)
    for code, former in FORMER_COUNTIES.items():
        if found in (code, former.name.zh, f"{code} {former.name.zh}"):
            now = ", ".join(f"{one} {COUNTIES[one].zh}" for one in former.now)
            raise ValueError(
                f"{code} {former.name.zh} is no county any more; write where it operates, of {now}"
            )
    return str(_known_county(text, today))


def yes_no(text: str, _today: date) -> bool:
    """是 or 否, in the usual spellings."""
    found = plain(text).casefold()
    if found in _YES or found in _NO:
        return found in _YES
    raise ValueError(f"{found!r} is neither 是 nor 否 (yes, no)")


def day(text: str, _today: date) -> date:
    """A date in one of the usual spellings, or as the number that Excel makes of it."""
    found = plain(text)
    if _SERIAL_DAY.fullmatch(found):
        return serial_day(found, from_1904=False)
    arabic = _NUMERAL.sub(_arabic, found) if "年" in found else found
    match = _DAY.fullmatch(arabic) or _COMPACT_DAY.fullmatch(arabic)
    if match is None:
        raise ValueError(f"{found!r} is no date; write it as 2024-05-31")
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise ValueError(f"{found!r} is no day of the calendar") from None


def is_serial_day(text: str) -> bool:
    """Whether a text may be the number of a day in a spreadsheet."""
    return _SERIAL_DAY.fullmatch(text) is not None


def serial_day(text: str, *, from_1904: bool) -> date:
    """The day that a spreadsheet keeps as a number of five digits."""
    return formats.day_of(int(text), from_1904=from_1904)


def _arabic(numeral: re.Match[str]) -> str:
    """``二〇二四`` → 2024, ``二十一`` → 21."""
    tens, ten, ones = numeral[0].replace("零", "〇").rpartition("十")
    digits = "".join(str(_NUMERALS.index(one)) for one in ones)
    if not ten:
        return digits
    return str(10 * (_NUMERALS.index(tens) if tens in _NUMERALS and tens else 1) + int(digits or 0))


def commissioning_day(text: str, today: date) -> date:
    """A date that a machine of today can have been, or will be, commissioned on.

    One that is mistyped (2204) would keep the machine out of every figure without a word.
    """
    found = day(text, today)
    if not _OLDEST <= found.year <= today.year + _AHEAD:
        raise ValueError(
            f"{found} is no year of a machine's commissioning: {_OLDEST} to {today.year + _AHEAD}"
        )
    return found


def effective_day(text: str, today: date) -> date:
    """The day from which a change holds: not in the future, and behind "since ever"."""
    found = past_day(text, today)
    if found.year <= _SINCE_EVER:
        raise ValueError(f"{found} is no day of a change; leave it empty, or write when it changed")
    return found


def past_day(text: str, today: date) -> date:
    """A date that is not in the future."""
    found = day(text, today)
    if found > today:
        raise ValueError(f"{found} lies in the future; today is {today}")
    return found


def prefix_part(text: str, _today: date) -> str:
    """The enterprise's part of an identifier prefix; upper case, so that no two differ in case."""
    found = plain(text).upper()
    if not _CODE.fullmatch(found):
        raise ValueError(f"{found!r} must be 1 to 20 letters and digits")
    return found


def rosters(text: str, _today: date) -> tuple[str, ...]:
    """Roster codes, separated by semicolon, comma or 、."""
    found = [part for part in re.split(r"[;,、\s]+", plain(text).upper()) if part]
    wrong = [part for part in found if not _ROSTER.fullmatch(part)]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is no roster code; write letters and digits, as KEY")
    return tuple(dict.fromkeys(found))
