"""A month in full: every dimension with its statistics, and what other rules would make of it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from starlette.requests import Request
from starlette.routing import Route

from gateway.city.access.principal import Permission
from gateway.city.console.asking import Gate
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.choice import Choice, MonthEndpoint
from gateway.city.console.queries.figures import FILE_WAIT_S, PAST_S, Figures
from gateway.city.console.remember import Remembered
from gateway.city.ledger.codes import Name
from gateway.city.rates.cells.dimensions import DIMENSIONS, Dimension
from gateway.city.rates.comparing.break_words import break_words
from gateway.city.rates.comparing.breaks import Break, breaks
from gateway.city.rates.comparing.sensitivity import NO_SHIFTS, Variant, sensitivity
from gateway.city.rates.comparing.shown import own_of
from gateway.city.rates.reports.export import as_table
from gateway.web.pages import View
from gateway.web.tables import is_file

T = TypeVar("T")

ADDRESS = "/details"
SHOWN: tuple[Dimension, ...] = tuple(by for by in DIMENSIONS if by != "enterprise")
"""Enterprises have a page of their own."""


class Details:
    """The page ``/details``."""

    def __init__(self, context: ConsoleContext, figures: Figures) -> None:
        self._context, self._figures = context, figures
        self._remembered = Remembered()

    async def view(self, request: Request, choice: Choice) -> View:
        """A month by one dimension, with statistics, bounds and sensitivity."""
        by, wait_s = dimension(request), FILE_WAIT_S if is_file(request) else None
        name = choice.definition.id
        month = await self._figures.month(name, choice.scope, wait_s, choice.month)
        table = month.table(by)
        rules = () if is_file(request) else await self._rules(choice)
        data = {
            "choice": choice,
            "by": by,
            "dimensions": SHOWN,
            "table": table,
            "rules": rules,
            "own": own_of(rules),
            "no_shifts": NO_SHIFTS,
            "breaks": () if is_file(request) else await self._breaks(choice),
        }
        return View("details.html", data, table=as_table(table))

    async def _rules(self, choice: Choice) -> tuple[Variant, ...]:
        """The month by other rules of continuity, as far as its reader may see it."""
        make = partial(self._ask, sensitivity, choice.definition.id, choice.month)
        key = ("rules", choice.definition.id, choice.month)
        found: tuple[Variant, ...] = await self._remembered.get(key, PAST_S, make, FILE_WAIT_S)
        months = [one.month and await self._figures.seen(one.month, choice.scope) for one in found]
        return tuple(replace(one, month=part) for one, part in zip(found, months, strict=True))

    async def _breaks(self, choice: Choice) -> list[Name]:
        """What makes the month no plain continuation, for who sees the whole city."""
        if not choice.scope.is_whole:
            return []
        make = partial(self._ask, breaks, choice.definition.id, choice.month)
        key = ("breaks", choice.definition.id, choice.month)
        found: tuple[Break, ...] = await self._remembered.get(key, PAST_S, make, FILE_WAIT_S)
        return [break_words(one, choice.definition) for one in found]

    async def _ask(self, function: Callable[..., T], definition: str, month: str | None) -> T:
        context = self._context
        return await context.apart.read(
            function,
            definition,
            month,
            context.now_ms(),
            demonstration=context.config.demonstration,
            definitions=context.definitions,
        )


def dimension(request: Request) -> Dimension:
    """The dimension that an address asks for; counties where it is silent."""
    asked = request.query_params.get("by", "")
    return next((by for by in SHOWN if by == asked), "county")


def routes(gate: Gate, month: MonthEndpoint, views: Details) -> list[Route]:
    """The page's address."""
    return gate.allow(Permission.FIGURES, Route(ADDRESS, month(views.view)))
