"""A month by several rules as lines of a file. Pure."""

from collections.abc import Sequence

from gateway.city.rates.comparing.sensitivity import Variant
from gateway.city.rates.reports.export import rate_notes
from gateway.city.rates.reports.shown import points_text, shown_by
from gateway.city.rates.reports.table import PublishedMonth
from gateway.web.tables import Cell, Table

COLUMNS = (
    "rule",
    "rule_zh",
    "rule_en",
    "is_own",
    "networked",
    "equipment",
    "pooled_percent",
    "points",
)


def own_of(found: Sequence[Variant]) -> PublishedMonth | None:
    """The month by the definition's own rule; None: there are no rules to compare."""
    return next((one.month for one in found if one.is_own), None)


def variant_row(one: Variant, own: PublishedMonth) -> dict[str, Cell]:
    """A line: K, N, pooled, and by how many points it is from the definition's own rule."""
    row: dict[str, Cell] = {
        "rule": one.rule,
        "rule_zh": one.name.zh,
        "rule_en": one.name.en,
        "is_own": one.is_own,
    }
    city = None if one.month is None else one.month.city
    if city is None or city.pooled is None:
        return row | dict.fromkeys(COLUMNS[len(row) :])
    before = own.city.pooled
    return row | {
        "networked": city.networked,
        "equipment": city.equipment,
        "pooled_percent": shown_by(own.definition)(city.pooled),
        "points": None if before is None else points_text(city.pooled - before),
    }


def variants_file(found: Sequence[Variant], own: PublishedMonth) -> Table:
    """The lines to take away."""
    return Table(
        name=f"{own.definition.id}-{own.month}-sensitivity",
        columns=COLUMNS,
        rows=[variant_row(one, own) for one in found],
        notes=rate_notes(own.table("county")),
    )
