"""Which month, by which definition, a page shows: ``?month=2026-09&definition=ENR-B``."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request

from gateway.city.access.principal import Scope
from gateway.city.console.asking import principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.queries.figures import Figures
from gateway.city.console.remember import Remembered
from gateway.city.rates.model import Definition
from gateway.city.rates.period import MonthError, first_day, month_of, months_between
from gateway.city.rates.plan import is_planned
from gateway.city.rates.reports.trend import known_since
from gateway.core.days import day_of
from gateway.web.pages import Endpoint, View, ViewFunction

KEPT = ("month", "definition")
"""Parameters that every link of the pages hands on."""
SINCE_S = 60.0
LIST_MONTHS = 60
"""So many months are offered; an older one can still be asked for in the address."""


class ChoiceError(Exception):
    """What an address asks for cannot be shown; says why by a key of the catalogue."""

    def __init__(self, key: str, **words: str) -> None:
        super().__init__(key)
        self.key, self.words = key, words


@dataclass(frozen=True, slots=True)
class Choice:
    """What a page shows, and what else it may.

    Attributes:
        scope: of who asks; figures are of it.
        definition: by which it counts.
        month: ``YYYY-MM``; None: the running one.
        running: the running month.
        since: the first month that anything is known of.
        months: to choose from, the newest first.
        definitions: to choose from.
    """

    scope: Scope
    definition: Definition
    month: str | None
    running: str
    since: str
    months: tuple[str, ...]
    definitions: tuple[Definition, ...]

    @property
    def shown(self) -> str:
        """The month that is shown."""
        return self.month or self.running

    @property
    def is_planned(self) -> bool:
        """Whether the plan says what is to be reached: by this rate, and in the whole city."""
        return self.scope.is_whole and is_planned(self.definition)


MonthView = Callable[[Request, Choice], Awaitable[View]]
"""What a page shows of a month by a definition."""
MonthEndpoint = Callable[[MonthView], Endpoint]
"""Makes the answer to an address of a view of a month."""


class Choosing:
    """Reads month and definition off a request."""

    def __init__(self, context: ConsoleContext, figures: Figures) -> None:
        self._context = context
        self._headline = figures.headline
        self._remembered = Remembered()

    async def choice(self, request: Request) -> Choice:
        """What an address asks for; the running month by the headline where it is silent.

        Raises:
            ChoiceError: no such month or definition, or one without the other.
        """
        asked = request.query_params
        running = month_of(day_of(self._context.now_ms()))
        since = await self._since() or running
        month = _month(asked.get("month", ""), since, running)
        definition = self._definition(asked.get("definition", ""))
        if month is not None and definition.measure == "answering":
            raise ChoiceError("no_past", definition=definition.id)
        scope = principal_of(request).scope
        return self._offered(scope, definition, month, since, running)

    def _offered(
        self, scope: Scope, definition: Definition, month: str | None, since: str, running: str
    ) -> Choice:
        months = months_between(since, running)[-LIST_MONTHS:]
        known = tuple(self._context.definitions.values())
        return Choice(scope, definition, month, running, since, tuple(reversed(months)), known)

    async def _since(self) -> str:
        read = partial(self._context.database.read, known_since)
        return await self._remembered.get("since", SINCE_S, read)

    def _definition(self, name: str) -> Definition:
        if not name:
            return self._headline
        found = self._context.definitions.get(name)
        if found is None:
            raise ChoiceError("no_definition", ids=", ".join(self._context.definitions))
        return found

    def told(self, function: MonthView) -> ViewFunction:
        """A view of a month; a page that says what is wrong where there is none to show."""

        async def view(request: Request) -> View:
            try:
                return await function(request, await self.choice(request))
            except ChoiceError as error:
                return await self._refused(request, error)

        return view

    async def _refused(self, request: Request, error: ChoiceError) -> View:
        running = month_of(day_of(self._context.now_ms()))
        scope, since = principal_of(request).scope, await self._since() or running
        choice = self._offered(scope, self._headline, None, since, running)
        data = {"choice": choice, "key": error.key, "words": error.words}
        return View("unchosen.html", data, status=404)


def _month(text: str, since: str, running: str) -> str | None:
    if not text or text == running:
        return None
    try:
        first_day(text)
    except MonthError:
        raise ChoiceError("no_month") from None
    if text > running:
        raise ChoiceError("not_begun", month=text, running=running)
    if text < since:
        raise ChoiceError("before", month=text, since=since)
    return text
