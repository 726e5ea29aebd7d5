"""Read the arrangement of holidays: that of the product, and what a city's file adds to it."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from edge_config.files.yaml_file import read_document
from edge_config.mistakes.explain import validate
from edge_config.mistakes.problems import ConfigError
from edge_config.models.validation import valid_or_none
from gateway.city.rates.days.calendar import (
    Calendar,
    HolidayYear,
    HolidayYears,
    calendar_of,
    mistakes,
)


@cache
def _builtin() -> dict[int, HolidayYear]:
    package = __name__.rpartition(".")[0]
    with as_file(files(package).joinpath("calendar.yaml")) as file:
        return _years(file)


def builtin_calendar() -> Calendar:
    """The years that come with the product (``calendar.yaml``)."""
    return calendar_of(_builtin())


def load_calendar(extra: Path | None) -> Calendar:
    """The years of the product and those of a city's file, which add to them or replace them.

    Args:
        extra: YAML as ``calendar.yaml``, as ``calendar.file`` of the city names it.

    Raises:
        ConfigError: the file cannot be read or is wrong; with every mistake, by line.
    """
    return calendar_of({**_builtin(), **(_years(extra) if extra else {})})


def _years(file: Path) -> dict[int, HolidayYear]:
    document = read_document(file)
    problems = document.problems
    found = validate(HolidayYears, document.data, document.problem, problems)
    for year, one in _readable(document.data):
        for where, words in mistakes(year, one):
            problems.append(document.problem(("years", str(year), *where), words))
    if found is None or problems:
        raise ConfigError(problems)
    return found.years


def _readable(data: Any) -> Iterator[tuple[int, HolidayYear]]:
    """The years that can be looked at, though something is wrong with others."""
    years = data.get("years") if isinstance(data, dict) else None
    for year, written in years.items() if isinstance(years, dict) else ():
        one = valid_or_none(HolidayYear, written)
        if one is not None and year.isdecimal():
            yield int(year), one
