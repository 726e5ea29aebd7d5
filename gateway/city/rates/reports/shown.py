"""How a rate is written. One rule for pages, charts, files and the command line.

Rounded half up to the decimals of its definition, but never onto or over an edge that it does not
reach: 59.996 is 59.99 and not 60.00, 99.996 is no 100.00, 0.004 no 0.00, and 60.001, which is in
the band above 60, is 60.01. Edges are 0, 100, the goals of the plan, the targets of counties and
the edges of bands. The exact figure are the two integers beside it.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from functools import cache, partial

from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.model import Definition
from gateway.city.rates.plan import plan_path


def percent_text(
    rate: Fraction | None, decimals: int = 2, edges: Iterable[Fraction] | None = None
) -> str:
    """A rate for display: ``47.73``; ``—`` if there is none.

    Args:
        rate: per cent, at least 0.
        decimals: how many are shown.
        edges: what is shown must lie on the same side of; None: those of plan and product.
    """
    if rate is None:
        return "—"
    # In whole numbers: a float may lie on either side of a half, and round() takes halves to even.
    unit = 10**decimals
    rounded = (2 * rate.numerator * unit + rate.denominator) // (2 * rate.denominator)
    whole, part = divmod(_on_its_side(rounded, rate, unit, edges or edges_of()), unit)
    return f"{whole}.{part:0{decimals}d}" if decimals else str(whole)


def _on_its_side(rounded: int, rate: Fraction, unit: int, edges: Iterable[Fraction]) -> int:
    """What is shown, in units of the last decimal, where the rate is below or above an edge."""
    for edge in edges:
        above = rate.numerator * edge.denominator - edge.numerator * rate.denominator
        if above < 0:
            rounded = min(rounded, -(-edge.numerator * unit // edge.denominator) - 1)
        elif above > 0:
            rounded = max(rounded, edge.numerator * unit // edge.denominator + 1)
    return rounded


@cache
def edges_of(*definitions: Definition) -> tuple[Fraction, ...]:
    """The edges that figures are kept apart from: of plan, product and more records."""
    records = (*builtin_definitions().values(), *definitions)
    bands = {edge for one in records for band in one.bands for edge in (band.above, band.upto)}
    # The first point is what was measured, and the others are to be reached.
    goals = {one.percent for one in plan_path()[1:] if not one.interpolated}
    goals |= {one.percent for record in definitions for one in record.targets}
    return tuple(sorted({Fraction(0), Fraction(100)} | bands | goals))


def points_text(gap: Fraction | None) -> str:
    """A difference of rates with its sign: ``−12.27``; a dash for None."""
    if gap is None:
        return "—"
    sign = "" if gap == 0 else "+" if gap > 0 else "−"
    return sign + percent_text(abs(gap))


Shown = Callable[[Fraction | None], str]
"""Writes a rate of one definition."""


def shown_by(definition: Definition) -> Shown:
    """How the rates of a definition are written."""
    return partial(percent_text, decimals=definition.decimals, edges=edges_of(definition))


def shown_number(rate: Fraction | None, write: Shown) -> Decimal | None:
    """A rate as it is shown, for files: all its digits and no more; None if there is none."""
    return None if rate is None else Decimal(write(rate))
