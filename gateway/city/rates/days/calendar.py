"""Days of rest by the official holiday calendar (``calendar.yaml``)."""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Self

import yaml
from pydantic import Field, model_validator

from gateway.city.rates.model import StrictModel

_SATURDAY = 5


class HolidayYear(StrictModel):
    """How the holidays of a year are arranged.

    Attributes:
        source: number of the notice of the State Council's office.
        holidays: first and last days.
        working: Saturdays and Sundays on which is worked in exchange.
    """

    source: str
    holidays: tuple[tuple[date, date], ...] = Field(min_length=1)
    working: tuple[date, ...]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        odd = [day for day in self.working if day.weekday() < _SATURDAY or self.is_off(day)]
        if odd:
            raise ValueError(f"{odd[0]} is no Saturday or Sunday that is worked")
        return self

    def is_off(self, day: date) -> bool:
        """Whether a day lies in a holiday."""
        return any(first <= day <= last for first, last in self.holidays)


class _File(StrictModel):
    years: dict[int, HolidayYear]


@cache
def holiday_years() -> Mapping[int, HolidayYear]:
    """The years whose arrangement is known."""
    package = __name__.rpartition(".")[0]
    text = files(package).joinpath("calendar.yaml").read_text(encoding="utf-8")
    return _File.model_validate(yaml.safe_load(text)).years


@cache
def is_rest(day: date) -> bool | None:
    """Whether a day is one of rest; None: the arrangement of its year is not known."""
    year = holiday_years().get(day.year)
    if year is None:
        return None
    return year.is_off(day) or (day.weekday() >= _SATURDAY and day not in year.working)


def unknown_years(days: Iterable[date]) -> list[int]:
    """The years of some days whose arrangement is not known."""
    return sorted({day.year for day in days} - holiday_years().keys())
