"""The sheet to print: a month, a quarter or a year on A4, with nothing around it."""

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.routing import Route

from gateway.city.access.principal import Permission
from gateway.city.console.asking import Gate
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.choice import Choice, ChoiceError, MonthEndpoint
from gateway.city.console.queries.figures import Figures
from gateway.city.rates.comparing.spans import Span, SpanRates, one_month, quarter, year
from gateway.city.rates.period import MonthError
from gateway.city.rates.plan import plan_distance
from gateway.core.days import day_of
from gateway.web.pages import View

ADDRESS = "/print"
PERIODS = ("month", "quarter", "year")


class Sheet:
    """The page ``/print``: ``?month=2026-09``, ``?quarter=2026-Q3`` or ``?year=2026``."""

    def __init__(self, context: ConsoleContext, figures: Figures) -> None:
        self._context, self._figures = context, figures

    async def view(self, request: Request, choice: Choice) -> View:
        """Indicators of the whole and the table by county, of who asks."""
        kind, span = asked_span(request.query_params, choice)
        rates = await self._rates(span, choice)
        last, now_ms = rates.last, self._context.now_ms()
        data = {
            "kind": kind,
            "choice": choice,
            "rates": rates,
            "means": rates.means() if kind != "month" else {},
            "table": last,
            "plan": plan_distance(
                last.definition,
                last.lead(last.city),
                last.as_of_ms - 1,
                is_city=choice.scope.is_whole,
            ),
            "config": self._context.config.sheet,
            "made_on": day_of(now_ms),
            "now_ms": now_ms,
            "others": _addresses(choice, last.month),
            "back": _address("/", choice, "month", last.month),
        }
        return View("sheet.html", data)

    async def _rates(self, span: Span, choice: Choice) -> SpanRates:
        name, scope = choice.definition.id, choice.scope
        if len(span.months) == 1:  # the figures of the other pages, not another reading
            found = await self._figures.month(name, scope, month=choice.month)
            return SpanRates(span, (found,), (), "county")
        begun = [one for one in span.months if choice.since <= one <= choice.running]
        months = await self._figures.several(name, scope, begun)
        missing = tuple(one for one in span.months if one not in begun)
        return SpanRates(span, tuple(months), missing, "county")


def asked_span(given: Mapping[str, str], choice: Choice) -> tuple[str, Span]:
    """Which period an address asks for, and whether it is a month, a quarter or a year.

    Raises:
        ChoiceError: it names several, one that cannot be read, or one of which nothing is known.
    """
    named = [kind for kind in PERIODS if given.get(kind)]
    if len(named) > 1:
        raise ChoiceError("one_period")
    if named in ([], ["month"]):
        return "month", one_month(choice.shown)
    (kind,) = named
    try:
        span = quarter(given[kind]) if kind == "quarter" else year(given[kind])
    except MonthError:
        raise ChoiceError(f"no_{kind}") from None
    if choice.definition.measure == "answering":
        raise ChoiceError("no_past", definition=choice.definition.id)
    if span.months[0] > choice.running:
        raise ChoiceError("not_begun", month=span.name, running=choice.running)
    if span.months[-1] < choice.since:
        raise ChoiceError("before", month=span.name, since=choice.since)
    return kind, span


def _addresses(choice: Choice, month: str) -> dict[str, str]:
    """The sheets of the periods that end with, or hold, a month."""
    if choice.definition.measure == "answering":
        return {}
    in_quarter = f"{month[:4]}-Q{(int(month[5:]) + 2) // 3}"
    values = {"month": month, "quarter": in_quarter, "year": month[:4]}
    return {kind: _address(ADDRESS, choice, kind, value) for kind, value in values.items()}


def _address(path: str, choice: Choice, kind: str, value: str) -> str:
    return f"{path}?{urlencode({kind: value, 'definition': choice.definition.id})}"


def routes(gate: Gate, month: MonthEndpoint, views: Sheet) -> list[Route]:
    """The sheet's address."""
    return gate.allow(Permission.FIGURES, Route(ADDRESS, month(views.view)))
