"""Breaks in words and for programs. Pure."""

from fractions import Fraction
from typing import Any

from gateway.city.ledger.codes import Name
from gateway.city.rates.cells.cell import Cell
from gateway.city.rates.comparing.breaks import Break
from gateway.city.rates.model import Definition
from gateway.city.rates.reports.shown import Shown, points_text, shown_by


def leading(definition: Definition, cell: Cell) -> Fraction | None:
    """The figure that a definition puts first."""
    return cell.mean if definition.aggregate == "mean" else cell.pooled


def break_words(one: Break, definition: Definition) -> Name:
    """What has changed, and the month that is counted both ways."""
    write = shown_by(definition)
    before, after = (_side(definition, cell, write) for cell in (one.before, one.after))
    points = points_text(_points(one, definition))
    if one.why == "definition":
        return Name(
            f"B 口径变更：{one.month} 按旧口径 {before}，按现口径 {after}，相差 {points} 个百分点",
            f"B break, another definition: {one.month} was {before}, and is {after} by the present "
            f"one, {points} points",
        )
    return Name(
        f"B 名录变更（新入 {one.joined} 家，退出 {one.left} 家）：{one.month} 按上月名录 {before}，"
        f"按本月名录 {after}，相差 {points} 个百分点",
        f"B break, another roster (joined: {one.joined}, left: {one.left}): {one.month} is "
        f"{before} by the roster of the month before, {after} by its own, {points} points",
    )


def break_json(one: Break, definition: Definition) -> dict[str, Any]:
    """The same for programs."""
    write, points = shown_by(definition), _points(one, definition)
    return {
        "flag": "B",
        "why": one.why,
        "month": one.month,
        "before": _numbers(one.before, write),
        "after": _numbers(one.after, write),
        "points": None if points is None else points_text(points),
        **({"joined": one.joined, "left": one.left} if one.why == "roster" else {}),
    }


def _points(one: Break, definition: Definition) -> Fraction | None:
    before, after = (leading(definition, cell) for cell in (one.before, one.after))
    return None if before is None or after is None else after - before


def _side(definition: Definition, cell: Cell, write: Shown) -> str:
    rate = leading(definition, cell)
    if rate is None:
        return f"— (—/{cell.equipment})"
    return f"{write(rate)} % ({cell.networked}/{cell.equipment})"


def _numbers(cell: Cell, write: Shown) -> dict[str, Any]:
    known = cell.pooled is not None
    return {
        "networked": cell.networked if known else None,
        "equipment": cell.equipment,
        "pooled": float(write(cell.pooled)) if known else None,
        "mean": None if cell.mean is None else float(write(cell.mean)),
    }
