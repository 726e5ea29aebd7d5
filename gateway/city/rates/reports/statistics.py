"""What is told of a cell beside its rate, for files, programs and the command line. Pure."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

from gateway.city.rates.cells.excused import Excused
from gateway.city.rates.cells.statistics import Statistics
from gateway.city.rates.reports.shown import Shown, percent_text, shown_number
from gateway.city.rates.reports.table import RateCell
from gateway.web.tables import Cell

STATISTICS_COLUMNS = (
    "p25_percent",
    "median_percent",
    "p75_percent",
    "enterprises_in_scope",
    "ledgers_verified",
    "coverage_percent",
    "enterprises_missing",
    "undetermined",
    "lower_percent",
    "upper_percent",
    "bounds_equipment",
    "machine_days",
    "days_of_rest",
    "days_stopped",
    "excused_percent",
    "days_said_late",
)


def statistics_row(cell: RateCell, write: Shown) -> dict[str, Cell]:
    """The columns of :data:`STATISTICS_COLUMNS` of one line; empty: not kept, or unknown."""
    told, bounds, written = cell.statistics, cell.bounds, partial(shown_number, write=write)
    found: dict[str, Cell] = dict.fromkeys(STATISTICS_COLUMNS)
    if told is not None:
        if told.spread is not None:
            found |= zip(STATISTICS_COLUMNS[:3], map(written, told.spread), strict=True)
        found |= _of_enterprises(told, write)
    if bounds is not None:
        found |= {
            "lower_percent": written(bounds.lower),
            "upper_percent": written(bounds.upper),
            "bounds_equipment": Decimal(machines_text(bounds.equipment)),
        }
    return found


def _of_enterprises(told: Statistics, write: Shown) -> dict[str, Cell]:
    return {
        "enterprises_in_scope": told.in_scope,
        "ledgers_verified": told.verified,
        "coverage_percent": shown_number(told.coverage, write),
        "enterprises_missing": told.missing,
        "undetermined": told.undetermined,
        **excused_row(told.excused, write),
    }


def excused_row(told: Excused | None, write: Shown) -> dict[str, Cell]:
    """The columns of days on neither side; nothing where all days count, or it was not kept."""
    if told is None:
        return {}
    return {
        "machine_days": told.days,
        "days_of_rest": told.rest,
        "days_stopped": told.stopped,
        "excused_percent": shown_number(told.share, write),
        "days_said_late": told.late,
    }


def statistics_json(cell: RateCell, write: Shown) -> dict[str, Any]:
    """The same for programs, nested under ``statistics``; nothing where it was not kept."""
    if cell.statistics is None:
        return {}
    row = statistics_row(cell, write)
    numbers = {
        name.removesuffix("_percent"): float(one) if isinstance(one, Decimal) else one
        for name, one in row.items()
    }
    return {"statistics": numbers}


def statistics_words(cell: RateCell, write: Shown) -> Iterator[str]:
    """The statistics of a cell in lines."""
    told, bounds = cell.statistics, cell.bounds
    if told is None:
        yield "各企业分布、台账覆盖率和上下界未留存（早期结果） statistics: the result is older"
        return
    if told.spread is not None:
        p25, median, p75 = map(write, told.spread)
        yield (
            f"各企业分布 rates of {cell.enterprises} enterprises: "
            f"P25 {p25} · 中位数 median {median} · P75 {p75}"
        )
    yield (
        f"台账覆盖率 ledger coverage: {told.verified}/{told.in_scope}"
        f" = {write(told.coverage)} % · 情况不明 unknown: "
        f"{told.missing} 家企业 enterprises, {told.undetermined} 台缺日期 machines lack a date"
    )
    if told.excused is not None and told.excused.share is not None:
        yield _excused_words(told.excused, write)
    if bounds is None:
        yield "上下界 bounds: — （无从推算 nothing tells）"
    elif bounds.lower != bounds.upper:
        yield (
            f"上下界 bounds: {write(bounds.lower)} … {write(bounds.upper)} % "
            f"(N = {machines_text(bounds.equipment)})"
        )


def _excused_words(told: Excused, write: Shown) -> str:
    late = f"，事后补录 said late {told.late}" if told.late else ""
    return (
        f"剔除的设备日 machine days on neither side: {write(told.share)} % of {told.days} "
        f"（休息日 rest {write(told.part(told.rest))} %，"
        f"计划停机 planned stops {write(told.part(told.stopped))} %{late}）"
    )


def machines_text(number: Fraction) -> str:
    """Machines that are assumed may be a mean of some: two decimals where it is no integer."""
    if number.denominator == 1:
        return str(number.numerator)
    return percent_text(number, 2, (Fraction(0),))
