"""The pages ``/wall`` and ``/wall/{area}``."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route

from gateway.city.access.principal import Permission, Scope, ScopeKind
from gateway.city.alerts.standing import count
from gateway.city.console.asking import Gate
from gateway.city.console.charts.drawing import TrendDrawing, plan_note
from gateway.city.console.charts.pictures import Pictures
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.choice import Choice, ChoiceError, MonthView
from gateway.city.console.pages.movers import earlier_month
from gateway.city.console.pages.overview import places_of
from gateway.city.console.queries.figures import FILE_WAIT_S, Figures
from gateway.city.console.queries.moment import Moment, lacking_now
from gateway.city.console.wall.tiles import beside, marks, tiles
from gateway.city.ledger.codes import FUNCTIONAL_AREAS, county_name, industry_name
from gateway.city.rates.cells.heat import heat
from gateway.city.rates.plan import plan_distance
from gateway.city.rates.reports.export import as_table
from gateway.city.rates.reports.movers import change
from gateway.city.rates.reports.table import PublishedMonth
from gateway.web.pages import Endpoint, View, preferences
from gateway.web.tables import is_file
from gateway.web.waiting import NotYetError

ADDRESS = "/wall"
SECONDS, SHORTEST, LONGEST = 15, 2, 300
"""How long a view stays, unless the address says otherwise."""
REFRESH_S = 5.0
DIVISIONS = 7
"""Rows that can be read from five metres; the divisions with the most machines."""
LIVE = ("asof", "rate", "trend", "map", "divisions", "now")


class Wall:
    """Views that take turns; what goes on now stands apart from the rate, below all of them."""

    def __init__(self, context: ConsoleContext, figures: Figures, pictures: Pictures) -> None:
        self._context = context
        self._figures = figures
        self._drawing = TrendDrawing(context, figures, pictures)

    async def view(self, request: Request, choice: Choice) -> View:
        """Everything on the screen, of the city or of one functional area."""
        area = request.path_params.get("area", "")
        own = replace(choice, scope=_scope_of(choice.scope, area))
        name, wait_s = own.definition.id, FILE_WAIT_S if is_file(request) else None
        moment = await self._figures.moment(name, own.scope, wait_s, own.month)
        month = moment.months[name]
        language = preferences(request).language
        data: dict[str, object] = {
            "choice": own,
            "area": FUNCTIONAL_AREAS.get(area),
            "seconds": _seconds(request),
            "plan_note": plan_note(language),
            "computed_ms": month.computed_ms,
            "now_ms": self._context.now_ms(),
            **_shown(month, is_city=own.scope.is_whole),
            **await self._drawing.on_wall(own, language),
            "change": await self._change(own, month),
            **await self._now(moment, own.scope),
        }
        table = month.table("industry" if area else "county")
        return View("wall.html", data, LIVE, REFRESH_S, as_table(table))

    async def _change(self, choice: Choice, now: PublishedMonth) -> object:
        try:
            name, scope = choice.definition.id, choice.scope
            before = await self._figures.month(name, scope, month=earlier_month(choice))
        except (ChoiceError, NotYetError):
            return None
        return change(before.city, now.city)

    async def _now(self, moment: Moment[PublishedMonth], scope: Scope) -> dict[str, object]:
        """The live layer: of this moment, whatever month the rate is of."""
        states = moment.gateways or await self._figures.gateways.states(scope)
        lacking = moment.gaps
        if lacking is None:
            lacking = await self._context.database.read(lacking_now, scope)
        return {
            "online": moment.months.get("ONL"),
            "gateways_online": states.online,
            "gateways": len(states.worst_first),
            "lasting": lacking.lasting,
            "alerts": await self._context.database.read(count, scope, ended=False),
        }


def _shown(month: PublishedMonth, *, is_city: bool) -> dict[str, Any]:
    table = month.table("county")
    hot = heat(month.cells.get("county-industry", {}))
    sizes = {key: sum(one.equipment for one in row.values()) for key, row in hot.items()}
    largest = sorted(sizes, key=lambda key: (-sizes[key], key))
    return {
        "table": table,
        "plan": plan_distance(
            table.definition, table.lead(table.city), month.as_of_ms - 1, is_city=is_city
        ),
        "tiles": tiles(table, places_of(table)),
        "marks": marks(table.of_which),
        "beside": beside(table),
        "divisions": {key: hot[key] for key in largest[:DIVISIONS]},
        "others": max(0, len(largest) - DIVISIONS),
        "counties": sorted({county for row in hot.values() for county in row}),
        "county_name": county_name,
        "industry_name": industry_name,
    }


def _scope_of(scope: Scope, area: str) -> Scope:
    """Whose rows the screen is of.

    Raises:
        HTTPException: 404 there is no such area, or it is not all seen.
    """
    if not area:
        return scope
    is_own = scope.kind is ScopeKind.AREAS and area in scope.keys
    if area not in FUNCTIONAL_AREAS or not (scope.is_whole or is_own):
        raise HTTPException(404)
    return Scope(ScopeKind.AREAS, frozenset({area}))


def _seconds(request: Request) -> int:
    asked = request.query_params.get("seconds", "")
    is_short = asked.isascii() and asked.isdecimal() and len(asked) <= len(str(LONGEST))
    return min(max(int(asked), SHORTEST), LONGEST) if is_short else SECONDS


def routes(gate: Gate, endpoint: Callable[[MonthView], Endpoint], wall: Wall) -> list[Route]:
    """The addresses of the wall screen."""
    paths = (ADDRESS, f"{ADDRESS}/{{area}}")
    return gate.allow(Permission.FIGURES, *(Route(path, endpoint(wall.view)) for path in paths))
