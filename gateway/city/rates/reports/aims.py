"""A county's figure beside what it is to reach: one rule for pages, files and programs. Pure.

A target that is not met never reads as met: the gap is of exact fractions, and a rate is written on
its own side of every target (:mod:`gateway.city.rates.reports.shown`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any

from gateway.city.rates.model import Target
from gateway.city.rates.reports.shown import percent_text, points_text
from gateway.web.tables import Cell

AIM_COLUMNS = ("county_target", "county_target_percent", "county_target_year", "county_target_gap")


class AimState(StrEnum):
    """What is to be said of a county and its target."""

    MET = "met"
    NOT_MET = "not_met"
    NO_RATE = "no_rate"  # there is a target, and nothing to hold against it
    NONE = "none"  # none is in force, which is no target of 0
    PART = "part"  # not all of the county is seen, and a target is of all of it


@dataclass(frozen=True, slots=True)
class Aim:
    """A county's target in force on the last day of a month, and how far the county is from it.

    Attributes:
        state: what is to be said; the others are None unless there is a target.
        target: with its document.
        gap: the county's figure less the target, percentage points, exact; None: no figure.
    """

    state: AimState
    target: Target | None = None
    gap: Fraction | None = None


def aim(target: Target | None, rate: Fraction | None, *, is_whole: bool) -> Aim:
    """What is said of a county.

    Args:
        target: in force on the day that the figure is of; None: none is.
        rate: the figure that the definition puts first, per cent, exact; None: there is none.
        is_whole: all enterprises of the county are seen.
    """
    if not is_whole:
        return Aim(AimState.PART)
    if target is None:
        return Aim(AimState.NONE)
    if rate is None:
        return Aim(AimState.NO_RATE, target)
    gap = rate - target.percent
    return Aim(AimState.MET if gap >= 0 else AimState.NOT_MET, target, gap)


def aim_row(found: Aim | None) -> dict[str, Cell]:
    """The columns of :data:`AIM_COLUMNS` of a county's line; empty: there is no such figure."""
    if found is None:
        return {}
    row: dict[str, Cell] = {"county_target": found.state.value}
    if found.target is not None:
        row["county_target_percent"] = Decimal(percent_text(found.target.percent))
        row["county_target_year"] = found.target.year
    if found.gap is not None:
        row["county_target_gap"] = gap_number(found.gap)
    return row


def aim_notes(found: Aim | None) -> dict[str, Cell]:
    """The same beside a table that is of one county, with the document."""
    told = aim_row(found)
    if found is None or found.target is None:
        return told
    return told | {"county_target_document": found.target.document}


def aim_words(found: Aim | None) -> Iterator[str]:
    """A county's target in a line for the command line; none where none is set."""
    if found is None or found.target is None:
        return
    target = found.target
    goal = f"目标 target {percent_text(target.percent)} % ({target.year})"
    if found.gap is None:
        yield f"{goal}: 联网率不详 the rate is unknown · {target.document}"
        return
    state = "已达到 met" if found.gap >= 0 else "未达到 not met"
    yield f"{goal}: {state} {points_text(found.gap)} · {target.document}"


def aim_json(found: Aim | None) -> dict[str, Any]:
    """A county's target for programs, under ``target``; nothing of what is no county."""
    if found is None:
        return {}
    target, gap = found.target, found.gap
    return {
        "target": {
            "state": found.state.value,
            "percent": None if target is None else float(target.percent),
            "year": None if target is None else target.year,
            "document": None if target is None else target.document,
            "gap": None if gap is None else float(gap_number(gap)),
        }
    }


def gap_number(gap: Fraction) -> Decimal:
    """A gap as it is shown, for files: never 0 where there is one."""
    return Decimal(points_text(gap).replace("−", "-").replace("+", ""))
