"""Which enterprises a page lists, and in which order: read off its address. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from gateway.city.console.pages.enterprises.lacking import Lack
from gateway.city.console.queries.database import EnterpriseRow
from gateway.city.console.search.words import folded, query
from gateway.city.rates.reports.table import RateCell

PAGE_ROWS = 50
SORTS = ("rate", "machines", "change", "county", "industry", "name")
_FALLING = frozenset({"rate", "machines", "change"})
"""What begins with the highest, unless the address says otherwise."""
_PAGE_DIGITS = 6
_EXACT = 128
"""Bits behind the point."""


@dataclass(frozen=True, slots=True)
class Line:
    """An enterprise of the list.

    Attributes:
        row: of the ledger.
        cell: its figures; None: it is out of the definition's scope.
        lead: the figure that the definition puts first; None: there is none.
        change: since the month before, percentage points; None: that is not known.
        lack: why it has no rate; None: it has one.
    """

    row: EnterpriseRow
    cell: RateCell | None
    lead: Fraction | None
    change: Fraction | None
    lack: Lack | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an address asks for.

    Attributes:
        county, industry: codes; empty: all.
        name: a part of the name or code.
        only_lacking: enterprises without a rate alone.
        sort: one of :data:`SORTS`.
        falling: the highest first.
        page: from 0.
    """

    county: str = ""
    industry: str = ""
    name: str = ""
    only_lacking: bool = False
    sort: str = "rate"
    falling: bool = True
    page: int = 0

    @property
    def is_filtered(self) -> bool:
        """Whether some enterprises are left out."""
        return bool(self.county or self.industry or self.name or self.only_lacking)

    @property
    def kept(self) -> tuple[tuple[str, str], ...]:
        """Parameters of the address that a form hands on, without the page."""
        only = "1" if self.only_lacking else ""
        filters = {"county": self.county, "industry": self.industry, "name": self.name}
        order = {"sort": self.sort, "order": "desc" if self.falling else "asc", "lacking": only}
        return tuple((key, value) for key, value in (filters | order).items() if value)

    def next_order(self, sort: str) -> str:
        """How the head of a column sorts next: the other way where it sorts already."""
        falls = not self.falling if sort == self.sort else sort in _FALLING
        return "desc" if falls else "asc"


def wanted(asked: Mapping[str, str]) -> Wanted:
    """Read an address; what makes no sense there is as if it were not."""
    sort = asked.get("sort", "")
    sort = sort if sort in SORTS else "rate"
    order, page = asked.get("order", ""), asked.get("page", "")
    is_page = page.isascii() and page.isdecimal() and len(page) <= _PAGE_DIGITS
    return Wanted(
        asked.get("county", ""),
        asked.get("industry", ""),
        query(asked.get("name", "")).text,
        asked.get("lacking", "") == "1",
        sort,
        order == "desc" if order in {"asc", "desc"} else sort in _FALLING,
        int(page) if is_page else 0,
    )


def arrange(lines: Iterable[Line], asked: Wanted) -> list[Line]:
    """Those that are asked for, in order; those without the figure that sorts come last."""
    words = query(asked.name).words
    chosen = [one for one in lines if _is_asked_for(one, asked, words)]
    chosen.sort(key=lambda one: (alphabetical(one.row.name), one.row.uscc))
    value = _VALUES[asked.sort]
    known = [one for one in chosen if value(one) is not None]
    known.sort(key=value, reverse=asked.falling)
    return known + [one for one in chosen if value(one) is None]


def _is_asked_for(one: Line, asked: Wanted, words: tuple[str, ...]) -> bool:
    text = folded(f"{one.row.name}\x1f{one.row.uscc}") if words else ""
    return (
        asked.county in {"", one.row.county}
        and one.row.industry.startswith(asked.industry)
        and (one.lack is not None or not asked.only_lacking)
        and all(word in text for word in words)
    )


def alphabetical(name: str) -> bytes:
    """A key that sorts names as readers of Chinese look them up, whatever the machine's locale.

    GB 18030 has the common characters in the order of their pinyin.
    """
    return name.encode("gb18030", "replace")


def _machines(one: Line) -> int | None:
    return None if one.cell is None else one.cell.equipment


def _order(number: Fraction | None) -> int | None:
    """What orders rates as they are themselves, which are slow to compare.

    Exact: two of denominators below 2⁶⁴ differ by 2⁻¹²⁸ at least.
    """
    return None if number is None else (number.numerator << _EXACT) // number.denominator


_VALUES: Mapping[str, Callable[[Line], Any]] = {
    "rate": lambda one: _order(one.lead),
    "machines": _machines,
    "change": lambda one: _order(one.change),
    "county": lambda one: one.row.county,
    "industry": lambda one: one.row.industry,
    "name": lambda one: alphabetical(one.row.name),
}
