"""Rate tables as files, for the console and the command line."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from gateway.city.rates.frozen.results import CORRECTIONS, Correction
from gateway.city.rates.model import Approval, Definition
from gateway.city.rates.reports.aims import AIM_COLUMNS, Aim, aim_json, aim_notes, aim_row
from gateway.city.rates.reports.shown import Shown, shown_by, shown_number
from gateway.city.rates.reports.statistics import (
    STATISTICS_COLUMNS,
    excused_row,
    statistics_json,
    statistics_row,
)
from gateway.city.rates.reports.table import RateCell, RateTable
from gateway.web.formats import moment
from gateway.web.tables import DEMONSTRATION, Cell, Table

_AUDIENCE = "operational"
"""A :class:`RateTable` is for readers of rows: the public gets ``PublishedTable``."""

COLUMNS = (
    "key",
    "name_zh",
    "name_en",
    "networked",
    "equipment",
    "enterprises",
    "pooled_percent",
    "mean_percent",
    *STATISTICS_COLUMNS,
)


def as_table(
    table: RateTable, cells: Iterable[RateCell] | None = None, of_county: Aim | None = None
) -> Table:
    """A rate table to take away.

    Args:
        table: the rates; by county, each line has the county's target.
        cells: the lines; without them all, behind the total.
        of_county: what is said of the county that all lines are of.
    """
    chosen = (table.city, *table.cells) if cells is None else cells
    write, aims = shown_by(table.definition), table.aims
    return Table(
        name=f"{table.definition.id}-{table.month}-{table.by}",
        columns=(*COLUMNS, *(AIM_COLUMNS if table.by == "county" else ())),
        rows=[_row(cell, write) | aim_row(aims.get(cell.key)) for cell in chosen],
        notes=rate_notes(table) | aim_notes(of_county),
        headings=counted_headings(table.definition),
        words=NOTE_WORDS,
    )


NOTE_WORDS: Mapping[str, str] = {
    "status": "rate.status",
    "audience": "audience",
    "correction": "correction",
    "approval": "approval_state",
    "county_target": "county_target",
}
"""Where the words of codes are, among :func:`rate_notes` and beside counties."""


def counted_headings(definition: Definition) -> dict[str, str]:
    """What numerator and denominator of a definition are called."""
    return {
        "networked": f"column.numerator.{definition.measure}",
        "equipment": f"column.denominator.{definition.measure}",
    }


def rate_notes(table: RateTable) -> dict[str, Cell]:
    """What stands beside every figure: definition, month, status, time."""
    return {
        "definition": table.definition.id,
        "definition_version": None if table.outdated else table.definition.version,
        "definition_hash": table.definition_hash,
        "month": table.month,
        "audience": _AUDIENCE,
        "status": table.told_status,
        "vintage": table.vintage,
        "as_of": moment(table.as_of_ms),
        "computed": moment(table.computed_ms),
        **({} if table.root is None else {"evidence_root": table.root}),
        **_days(table),
        **_excused(table),
        **approval_notes(table.approval),
        **_correction(table.correction),
    }


def _days(table: RateTable) -> dict[str, Cell]:
    """What is to be known of the days of rest; nothing where they are as they were."""
    years = " ".join(map(str, table.unknown_years))
    return {
        **({"unknown_holidays_of": years} if years else {}),
        **({"rest_days_changed": True} if table.rest_changed else {}),
    }


def _excused(table: RateTable) -> dict[str, Cell]:
    """How much of the total is on neither side."""
    told = table.city.statistics
    return excused_row(told.excused if told else None, shown_by(table.definition))


def approval_notes(given: Approval | None) -> dict[str, Cell]:
    """Who approved the definition; a record that nobody has approved is pending (待批准)."""
    if given is None:
        return {"approval": "pending"}
    return {
        "approval": "approved",
        "approved_by": given.approved_by,
        "approved_on": given.approved_on.isoformat(),
        "approval_document": given.document,
    }


def approval_words(given: Approval | None) -> str:
    """The same in a line."""
    if given is None:
        return "口径待批准 definition not approved yet"
    return f"口径批准 approved {given.approved_on} {given.approved_by} {given.document}"


def _correction(made: Correction | None) -> dict[str, Cell]:
    """Why and by whom a frozen month was published anew."""
    if made is None:
        return {}
    return {
        "correction": made.reason,
        "correction_note": made.note or None,
        "corrected_by": made.corrected_by or None,
    }


def correction_words(made: Correction) -> str:
    """Why a frozen month was published anew, and who answers for it."""
    why = CORRECTIONS[made.reason]
    told = (f"更正 correction: {why.zh} {why.en}", made.note, made.corrected_by)
    return " · ".join(one for one in told if one)


def _counts(cell: RateCell) -> dict[str, Cell]:
    """Who a rate is of, and the integers that it is made of; as files and programs name them."""
    return {
        "key": cell.key,
        "name_zh": cell.name.zh,
        "name_en": cell.name.en,
        "networked": cell.known_networked,
        "equipment": cell.equipment,
        "enterprises": cell.enterprises,
    }


def _row(cell: RateCell, write: Shown) -> dict[str, Cell]:
    """A line of a file; what is not known is empty there, never 0."""
    return {
        **_counts(cell),
        "pooled_percent": shown_number(cell.pooled, write),
        "mean_percent": shown_number(cell.mean, write),
        **statistics_row(cell, write),
    }


def table_json(table: RateTable) -> dict[str, Any]:
    """A table for programs: rates in per cent, rounded as shown, beside their integers."""
    definition, write, aims = table.definition, shown_by(table.definition), table.aims
    return {
        "definition": definition.id,
        "definition_version": None if table.outdated else definition.version,
        "definition_hash": table.definition_hash,
        "name_zh": definition.name_zh,
        "name_en": definition.name_en,
        "month": table.month,
        "audience": _AUDIENCE,
        "status": table.told_status,
        "vintage": table.vintage,
        **({} if table.correction is None else {"correction": asdict(table.correction)}),
        "as_of_ms": table.as_of_ms,
        "computed_ms": table.computed_ms,
        **({} if table.root is None else {"evidence_root": table.root}),
        **_days(table),
        **approval_notes(table.approval),
        "demonstration": table.demonstration,
        **({"data": DEMONSTRATION} if table.demonstration else {}),
        "by": table.by,
        "city": _cell(table.city, write),
        "cells": [_cell(one, write) | aim_json(aims.get(one.key)) for one in table.cells],
        **({"of_which": [_cell(one, write) for one in table.of_which]} if table.of_which else {}),
    }


def _cell(cell: RateCell, write: Shown) -> dict[str, Any]:
    return {
        **_counts(cell),
        "pooled": _number(cell.pooled, write),
        "mean": _number(cell.mean, write),
        **statistics_json(cell, write),
        **({} if cell.score is None else {"score": float(cell.score)}),
    }


def _number(rate: Fraction | None, write: Shown) -> float | None:
    shown = shown_number(rate, write)
    return None if shown is None else float(shown)
