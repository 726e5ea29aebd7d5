"""Rate tables as JSON and CSV."""

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from gateway.city.rates.compute import percent_text
from gateway.city.rates.frozen.results import CORRECTIONS, Correction
from gateway.city.rates.reports.table import RateCell, RateTable

DEMONSTRATION = "演示数据"
"""Stands on everything that synthetic machines went into."""

CSV_HEADER = (
    "指标 definition",
    "月份 month",
    "状态 status",
    "代码 key",
    "名称",
    "name",
    "联网台数 networked",
    "设备台数 equipment",
    "企业数 enterprises",
    "联网率% pooled",
    "企业平均% mean",
    "版次 vintage",
    "说明 note",
)


def shown(rate: Fraction | None, decimals: int) -> float | None:
    """A rate as a number with the decimals that are shown; None if there is none."""
    return None if rate is None else float(percent_text(rate, decimals))


def table_json(table: RateTable) -> dict[str, Any]:
    """A table for programs: rates in per cent, rounded as shown, beside their integers."""
    definition = table.definition
    return {
        "definition": definition.id,
        "definition_version": None if table.outdated else definition.version,
        "definition_hash": table.definition_hash,
        "name_zh": definition.name_zh,
        "name_en": definition.name_en,
        "month": table.month,
        "status": table.status,
        "vintage": table.vintage,
        **({} if table.correction is None else {"correction": asdict(table.correction)}),
        "as_of_ms": table.as_of_ms,
        "computed_ms": table.computed_ms,
        "demonstration": table.demonstration,
        **({"note_zh": DEMONSTRATION} if table.demonstration else {}),
        "by": table.by,
        "city": _cell(table.city, definition.decimals),
        "cells": [_cell(one, definition.decimals) for one in table.cells],
    }


def _cell(cell: RateCell, decimals: int) -> dict[str, Any]:
    return {
        "key": cell.key,
        "name_zh": cell.name.zh,
        "name_en": cell.name.en,
        "networked": cell.networked,
        "equipment": cell.equipment,
        "enterprises": cell.enterprises,
        "pooled": shown(cell.pooled, decimals),
        "mean": shown(cell.mean, decimals),
        **({} if cell.score is None else {"score": float(cell.score)}),
    }


def table_csv(table: RateTable) -> str:
    """A table for spreadsheets, the city's line first; every line says what it is.

    A byte order mark lets them read Chinese.
    """
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(CSV_HEADER)
    vintage = "" if table.vintage is None else table.vintage
    note = " · ".join(_notes(table))
    decimals = table.definition.decimals
    for cell in (table.city, *table.cells):
        writer.writerow(
            [
                table.definition.id,
                table.month,
                table.status,
                cell.key,
                _text(cell.name.zh),
                _text(cell.name.en),
                cell.networked,
                cell.equipment,
                cell.enterprises,
                "" if cell.pooled is None else percent_text(cell.pooled, decimals),
                "" if cell.mean is None else percent_text(cell.mean, decimals),
                vintage,
                note,
            ]
        )
    return out.getvalue()


def _notes(table: RateTable) -> Iterator[str]:
    if table.demonstration:
        yield DEMONSTRATION
    if table.correction is not None:
        yield correction_words(table.correction)


def correction_words(made: Correction) -> str:
    """Why a frozen month was published anew, and who answers for it."""
    words = CORRECTIONS[made.reason]
    return f"更正 correction: {words.zh} {words.en} · {made.note} · {made.corrected_by}"


def _text(name: str) -> str:
    """A name that a spreadsheet does not take for a formula."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t")) else name
