"""A published table as lines of a file, or of a page. Pure."""

from typing import Literal

from gateway.city.ledger.codes import Name, county_name, industry_name
from gateway.city.rates.model import Definition
from gateway.city.rates.period import last_day
from gateway.city.rates.publishing.grid import TOTAL, Key
from gateway.city.rates.publishing.publish import PublishedCell, PublishedTable
from gateway.city.rates.reports.export import NOTE_WORDS, approval_notes, counted_headings
from gateway.city.rates.reports.shown import shown_by, shown_number
from gateway.web.tables import Cell, Table

Lines = Literal["county", "industry", "county-industry"]
LINES: tuple[Lines, ...] = ("county", "industry", "county-industry")

COLUMNS = (
    "county",
    "county_zh",
    "county_en",
    "industry",
    "industry_zh",
    "industry_en",
    "networked",
    "equipment",
    "enterprises",
    "pooled_percent",
    "mean_percent",
    "obs_status",
    "conf_status",
)

_WORDS = {**NOTE_WORDS, **{one: one for one in ("obs_status", "conf_status")}}
_ALL_COUNTIES = Name("全市", "Whole city")
_ALL_INDUSTRIES = Name("全部行业", "All industries")


def lines(table: PublishedTable, by: Lines) -> list[tuple[Key, PublishedCell]]:
    """Cells in order of their codes, the city's total last; nobody is in those that are missing."""

    def wanted(key: Key) -> bool:
        county, industry = key
        if by == "county":
            return industry == TOTAL
        return county == TOTAL if by == "industry" else TOTAL not in key

    total = (TOTAL, TOTAL)
    parts = [(key, one) for key, one in sorted(table.cells.items()) if wanted(key) and key != total]
    return [*parts, (total, table.at())]


def place(key: Key) -> tuple[Name, Name]:
    """Names of county and industry."""
    county, industry = key
    return (
        county_name(county) if county else _ALL_COUNTIES,
        industry_name(industry) if industry else _ALL_INDUSTRIES,
    )


def as_file(table: PublishedTable, by: Lines, definition: Definition) -> Table:
    """A published table to take away; what is withheld is empty there, and its status says so.

    Args:
        table: as the public may see it.
        by: what the lines are.
        definition: the record that it was computed by, as ``record_for`` finds it.
    """
    made = table.table
    is_told = made.definition_hash == definition.hash
    return Table(
        name=f"{made.definition}-{made.month}-{by}-public",
        columns=COLUMNS,
        rows=[_row(key, one, definition) for key, one in lines(table, by)],
        notes={
            "definition": made.definition,
            "definition_version": definition.version if is_told else None,
            "definition_hash": made.definition_hash,
            "month": made.month,
            "status": made.status,
            "vintage": made.vintage,
            "audience": table.audience,
            **approval_notes(definition.approval_on(last_day(made.month))),
        },
        headings=counted_headings(definition),
        words=_WORDS,
    )


def _row(key: Key, one: PublishedCell, definition: Definition) -> dict[str, Cell]:
    county, industry = place(key)
    return {
        "county": key[0],
        "county_zh": county.zh,
        "county_en": county.en,
        "industry": key[1],
        "industry_zh": industry.zh,
        "industry_en": industry.en,
        **_figures(one, definition),
        "obs_status": one.obs_status,
        "conf_status": one.conf_status,
    }


def _figures(one: PublishedCell, definition: Definition) -> dict[str, Cell]:
    shown = one.figures
    if shown is None:
        return {}
    write = shown_by(definition)
    rates = {"pooled_percent": shown.pooled, "mean_percent": shown.mean}
    return {
        "networked": shown.networked,
        "equipment": shown.equipment,
        "enterprises": shown.enterprises,
        **{name: shown_number(rate, write) for name, rate in rates.items()},
    }
