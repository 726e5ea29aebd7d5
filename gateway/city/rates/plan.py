"""The plan's path of the networking rate: three points, and straight lines between them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from importlib.resources import files
from itertools import pairwise

import yaml

from gateway.city.rates.definitions import PACKAGE
from gateway.city.rates.model import Definition, ExactNumber, StrictModel
from gateway.core.days import day_of


class _Point(StrictModel):
    year: int
    percent: ExactNumber


class Plan(StrictModel):
    """The plan as data (``plan.yaml``)."""

    indicator_zh: str
    indicator_en: str
    interpolation: str
    interpolation_zh: str
    interpolation_en: str
    points: tuple[_Point, ...]


@dataclass(frozen=True, slots=True)
class PlanValue:
    """One year-end of the path.

    Attributes:
        year: the value holds on 31 December of it.
        percent: exact.
        interpolated: it lies between two points of the plan and is not the plan's own.
    """

    year: int
    percent: Fraction
    interpolated: bool


@cache
def load_plan() -> Plan:
    """The plan that comes with the product."""
    text = files(PACKAGE).joinpath("plan.yaml").read_text(encoding="utf-8")
    return Plan.model_validate(yaml.safe_load(text))


def plan_path() -> tuple[PlanValue, ...]:
    """Every year-end from the first point of the plan to the last."""
    points = load_plan().points
    last = PlanValue(points[-1].year, points[-1].percent, interpolated=False)
    between = [value for start, end in pairwise(points) for value in _leg(start, end)]
    return (*between, last)


def _leg(start: _Point, end: _Point) -> Iterator[PlanValue]:
    slope = (end.percent - start.percent) / (end.year - start.year)
    for year in range(start.year, end.year):
        yield PlanValue(year, start.percent + slope * (year - start.year), year != start.year)


def is_planned(definition: Definition) -> bool:
    """Whether the plan's values are of such a rate: of networked machines, by their own controller.

    Rates of key or of digital machines alone, of machines that a sensor was added to, of digital
    machines and of ledgers have other numerators or denominators, and no target in the plan.
    """
    return definition.measure == "networked" and definition.level > 1 and not definition.only


def plan_on(day: date) -> Fraction | None:
    """The path on a day, per cent; None outside the plan's years.

    A year's value holds on its 31 December; between two of them the path is straight.
    """
    years = {value.year: value.percent for value in plan_path()}
    if day == date(day.year, 12, 31):
        return years.get(day.year)
    before, after = years.get(day.year - 1), years.get(day.year)
    if before is None or after is None:
        return None
    elapsed = (day - date(day.year - 1, 12, 31)).days
    length = (date(day.year, 12, 31) - date(day.year - 1, 12, 31)).days
    return before + (after - before) * Fraction(elapsed, length)


def target() -> PlanValue:
    """The last point of the plan."""
    return plan_path()[-1]


def plan_distance(
    definition: Definition, rate: Fraction | None, now_ms: int, *, is_city: bool
) -> dict[str, object]:
    """How far a rate is from the path today and from the plan's last value.

    Args:
        definition: of the rate.
        rate: per cent, exact; None: unknown.
        now_ms: UTC milliseconds.
        is_city: it is of the whole city, as the plan is; a part's is compared with nothing.

    Returns:
        All None for a rate that the plan does not name, and of a part, else
        ``path`` (per cent today; None outside the plan's years), ``path_gap``, ``target``,
        ``target_year`` and ``target_gap`` (percentage points, from unrounded rates).
    """
    if not (is_city and is_planned(definition)):
        return dict.fromkeys(("path", "path_gap", "target", "target_year", "target_gap"))
    path, last = plan_on(day_of(now_ms)), target()
    return {
        "path": path,
        "path_gap": None if rate is None or path is None else rate - path,
        "target": last.percent,
        "target_year": last.year,
        "target_gap": None if rate is None else rate - last.percent,
    }
