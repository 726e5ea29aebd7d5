"""What moved the rate since the month before: parts of the city, then machines of an enterprise."""

from collections.abc import Callable
from decimal import Decimal

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route

from gateway.city.access.principal import Permission
from gateway.city.console.asking import Gate
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.choice import Choice, ChoiceError, MonthView
from gateway.city.console.queries.database import enterprise_of
from gateway.city.console.queries.figures import FILE_WAIT_S, Figures
from gateway.city.rates.cells.dimensions import SINCE_EVER, Dimension
from gateway.city.rates.period import first_day, month_of, previous_month
from gateway.city.rates.reports.export import NOTE_WORDS, rate_notes
from gateway.city.rates.reports.movers import Mover, change, moved_machines, movers
from gateway.city.rates.reports.shown import percent_text
from gateway.web.pages import Endpoint, View
from gateway.web.tables import Cell, Table, is_file

ADDRESS = "/movers"
SHOWN = 50
"""Parts on a page; the others are summed in one line, and are all in the file."""
DECIMALS = 4
"""Of contributions in files: they are parts of a change that may itself be small."""


class Movers:
    """The page ``/movers`` and, below it, an enterprise's."""

    def __init__(self, context: ConsoleContext, figures: Figures) -> None:
        self._context = context
        self._figures = figures

    async def view(self, request: Request, choice: Choice) -> View:
        """Counties, industries or enterprises by what they did to the rate."""
        by, earlier = _dimension(request), earlier_month(choice)
        wait_s = FILE_WAIT_S if is_file(request) else None
        name, scope = choice.definition.id, choice.scope
        before = await self._figures.month(name, scope, wait_s, earlier)
        now = await self._figures.month(name, scope, wait_s, choice.month)
        found = movers(before, now, by)
        data = {
            "choice": choice,
            "by": by,
            "dimensions": SINCE_EVER,
            "before": before,
            "now": now,
            "change": change(before.city, now.city),
            "movers": found[:SHOWN],
            "rest": found[SHOWN:],
        }
        notes = rate_notes(now.table(by)) | {"month_before": earlier}
        return View("movers.html", data, table=_file(found, f"movers-{now.month}-{by}", notes))

    async def enterprise(self, request: Request, choice: Choice) -> View:
        """Machines of an enterprise that are counted otherwise than the month before, and why."""
        uscc, earlier = request.path_params["uscc"], earlier_month(choice)
        row = await self._context.database.read(enterprise_of, uscc, choice.scope)
        if row is None:
            raise HTTPException(404)
        name = choice.definition.id
        before = await self._figures.machines(uscc, name, earlier)
        now = await self._figures.machines(uscc, name, choice.month)
        moved = moved_machines(before, now)
        data = {"choice": choice, "row": row, "earlier": earlier, "moved": moved}
        return View("moved.html", data)


def routes(gate: Gate, endpoint: Callable[[MonthView], Endpoint], views: Movers) -> list[Route]:
    """The addresses of the movers."""
    return gate.allow(
        Permission.ENTERPRISES,
        Route(ADDRESS, endpoint(views.view)),
        Route(f"{ADDRESS}/{{uscc}}", endpoint(views.enterprise)),
    )


def _dimension(request: Request) -> Dimension:
    asked = request.query_params.get("by", "")
    return next((by for by in SINCE_EVER if by == asked), "county")


def earlier_month(choice: Choice) -> str:
    """The month before the one that is shown.

    Raises:
        ChoiceError: nothing is known of it, or the definition has no past.
    """
    earlier = month_of(previous_month(first_day(choice.shown)))
    if choice.definition.measure == "answering":
        raise ChoiceError("no_past", definition=choice.definition.id)
    if earlier not in choice.months:
        raise ChoiceError("before", month=earlier, since=choice.months[-1])
    return earlier


def _file(found: list[Mover], name: str, notes: dict[str, Cell]) -> Table:
    columns = (
        "key", "name_zh", "name_en", "networked_before", "equipment_before", "networked",
        "equipment", "points",
    )  # fmt: skip
    return Table(name, columns, [_cells(one) for one in found], notes, words=NOTE_WORDS)


def _cells(one: Mover) -> dict[str, Cell]:
    sign = "-" if one.points < 0 else ""
    return {
        "key": one.key,
        "name_zh": one.name.zh,
        "name_en": one.name.en,
        "networked_before": one.before.networked if one.before else None,
        "equipment_before": one.before.equipment if one.before else None,
        "networked": one.now.networked if one.now else None,
        "equipment": one.now.equipment if one.now else None,
        "points": Decimal(sign + percent_text(abs(one.points), DECIMALS, ())),
    }
