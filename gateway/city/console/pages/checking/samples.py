"""Looks on site: the rates that they verify, and machines that were found otherwise."""

from collections.abc import Callable, Iterable

from starlette.requests import Request
from starlette.routing import Route

from gateway.city.console.asking import principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.checking.drawn import (
    ADDRESS,
    LEAST_DRAWS,
    MOST_DRAWS,
    MOST_MACHINES,
    may_draw,
    published_months,
)
from gateway.city.console.pages.choice import Choice, MonthView
from gateway.city.rates.sampling.begun import begun
from gateway.city.rates.sampling.looks import Look, looks
from gateway.city.rates.sampling.sheet import Seen
from gateway.web.formats import moment
from gateway.web.pages import Endpoint, View
from gateway.web.tables import Cell, Table

COLUMNS = (
    "number", "month", "definition", "entered", "entered_by", "enterprise", "site_no", "asset_no",
    "expected", "found", "connected", "photo",
)  # fmt: skip
_HEADINGS = {
    name: f"sample.{name}" for name in ("number", "entered", "entered_by", "expected", "found",
                                        "connected", "photo")
}  # fmt: skip


def route(endpoint: Callable[[MonthView], Endpoint], context: ConsoleContext) -> Route:
    """The address of the page."""
    return Route(ADDRESS, endpoint(SamplesPage(context).view))


class SamplesPage:
    """The page of looks on site, for who inspects; of machines those of the reader's scope."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    async def view(self, request: Request, choice: Choice) -> View:
        """Every look, the last one first."""
        synthetic = self._context.config.demonstration
        read, asking = self._context.database.read, principal_of(request)
        found = await read(looks, choice.scope, synthetic=synthetic)
        drawn = await read(begun, choice.scope, synthetic=synthetic)
        data = {
            "looks": found,
            "choice": choice,
            "drawn": [one for one in drawn if one.look is None],
            "may_draw": may_draw(asking, self._context),
            "months": await read(published_months, synthetic),
            "definitions": [one for one in choice.definitions if one.measure == "networked"],
            "headline": self._context.config.definitions.headline,
            "sizes": (LEAST_DRAWS, MOST_DRAWS, MOST_MACHINES),
        }
        return View("samples.html", data, table=_file(found))


def _file(found: Iterable[Look]) -> Table:
    rows = [_row(look, one) for look in found for one in look.differing]
    return Table("samples", COLUMNS, rows, {}, _HEADINGS)


def _row(look: Look, one: Seen) -> dict[str, Cell]:
    return {
        "number": look.number,
        "month": look.sample.month,
        "definition": look.sample.definition,
        "entered": moment(look.entered_ms),
        "entered_by": look.made_by,
        "enterprise": one.uscc,
        "site_no": one.site_no,
        "asset_no": one.asset_no,
        "expected": one.expected,
        "found": one.found,
        "connected": one.connected,
        "photo": one.photo,
    }
