"""From the text of a cell to a sum of money or a number of people. Pure.

Converters as those of ``values.py``: they raise ``ValueError`` with what would be right.
"""

import re
from datetime import date
from math import isfinite

from gateway.city.ledger.sheet.values import plain

_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d*)?")
_DECIMAL = re.compile(r"\d+(?:\.\d*)?(?:E[+-]?\d+)?", re.IGNORECASE)
_MOST_PEOPLE = 10_000_000


def amount(text: str, _today: date) -> float:
    """A sum of money in yuan, not negative."""
    number = plain(text).removeprefix("¥").removesuffix("元")
    return _number(plain(text), number, "sum of money", "yuan")


def revenue(text: str, _today: date) -> float:
    """A sum of money in 万元, not negative."""
    found = plain(text)
    number = found.removeprefix("¥").removesuffix("万元")
    if number.endswith(("元", "亿")):
        raise ValueError(f"{found!r} is not in 万元; write 2000 for 2000万元")
    return _number(found, number, "sum of money", "万元")


def people(text: str, _today: date) -> int:
    """A number of people, whole."""
    found = plain(text)
    number = _number(found, found.removesuffix("人"), "number of people", "people")
    if number != int(number) or number > _MOST_PEOPLE:
        raise ValueError(f"{found!r} is no number of people; write a whole number, as 300")
    return int(number)


def _number(written: str, text: str, what: str, unit: str) -> float:
    """A number that is not negative, of a text without its unit."""
    number = text.strip()
    if "," in number and not _GROUPED.fullmatch(number):
        said = "has commas that part no thousands; write it as 1234.56"
        raise ValueError(f"{written!r} {said}")
    number = number.replace(",", "")
    if number.startswith("-"):
        raise ValueError(f"{written!r} is no {what}; it must be 0 or more")
    if not _DECIMAL.fullmatch(number) or not isfinite(float(number)):
        raise ValueError(f"{written!r} is no number of {unit}; write it as 1234.56")
    return float(number)
