"""Rates of a month, and what moved them."""

from fractions import Fraction
from typing import Literal

from pydantic import Field
from starlette.requests import Request

from gateway.city.access.principal import Permission
from gateway.city.console.api.answers.saying import (
    AimSaid,
    Of,
    Rate,
    Words,
    aim_said,
    of,
    rate,
    words,
)
from gateway.city.console.api.declaring import (
    FIGURES,
    ListAsked,
    MonthAsked,
    Operation,
    Said,
)
from gateway.city.console.api.paging import part
from gateway.city.console.asking import demand
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.choice import Choice, Choosing
from gateway.city.console.pages.movers import DECIMALS, earlier_month
from gateway.city.console.queries.figures import FILE_WAIT_S, Figures
from gateway.city.rates.cells.cell import Cell
from gateway.city.rates.cells.dimensions import Dimension
from gateway.city.rates.publishing.operational import vintage_month
from gateway.city.rates.publishing.publish import operational
from gateway.city.rates.reports.movers import Mover, change, movers
from gateway.city.rates.reports.shown import percent_text, shown_by
from gateway.city.rates.reports.table import PublishedMonth, RateCell, RateTable
from gateway.web.access.problems import RefusedError

MOST_VINTAGES = 100_000


class FiguresAsked(MonthAsked, ListAsked):
    """A month by a definition, of what its lines are, and one line alone."""

    by: Dimension = "county"
    key: str = Field("", max_length=32, examples=["330822"])
    vintage: int | None = Field(None, ge=1, le=MOST_VINTAGES)


class MoversAsked(MonthAsked, ListAsked):
    """A month by a definition, and what its parts are."""

    by: Literal["county", "industry", "enterprise"] = "county"
    key: str = Field("", max_length=32, examples=["330822"])


class Line(Said):
    """A figure of the whole scope, or of a part of it."""

    key: str = Field(description="code of the part; city for all that is seen")
    name: Words
    networked: int | None = Field(description="K; null: nothing is known of the month")
    equipment: int = Field(description="N")
    enterprises: int = Field(description="with N above 0")
    pooled: Rate | None = Field(description="100 K / N; null where N = 0")
    mean: Rate | None = Field(description="of the rates of enterprises")
    lower: Rate | None = Field(description="pooled, if nothing that is unknown is networked")
    upper: Rate | None = Field(description="pooled, if all that is unknown is networked")
    obs_status: Literal["A", "P", "Q", "M"] = Field(description="SDMX CL_OBS_STATUS")
    conf_status: Literal["F", "N"] = Field(description="SDMX CL_CONF_STATUS")
    target: AimSaid | None = Field(description="of a county; null: the line is none")


class FiguresSaid(Said):
    """Figures of a month."""

    of: Of
    by: str
    total: Line
    data: list[Line] = Field(description="in order of keys")
    next: str | None = Field(description="cursor of the next part; null: this is the last")


class Moved(Said):
    """What a part did to the rate of the whole since the month before."""

    key: str
    name: Words
    before: Line | None
    now: Line | None
    points: str = Field(description="percentage points, four decimals", examples=["-0.1250"])
    points_fraction: str = Field(description="exact", examples=["-1/8"])


class MoversSaid(Said):
    """Parts by what they did, those that moved the whole most first."""

    of: Of
    by: str
    month_before: str
    change: str | None = Field(description="percentage points, exact; null: a rate is unknown")
    data: list[Moved]
    next: str | None


class FiguresApi:
    """Operations about figures.

    Args:
        context: of the console.
        figures: of the city.
        choosing: month and definition of a request.
    """

    def __init__(self, context: ConsoleContext, figures: Figures, choosing: Choosing) -> None:
        self._context = context
        self._figures = figures
        self._choosing = choosing

    def operations(self) -> list[Operation]:
        """What can be asked for."""
        return [
            Operation("figures", "/figures", FIGURES, FiguresAsked, FiguresSaid, self.figures),
            Operation("movers", "/movers", FIGURES, MoversAsked, MoversSaid, self.movers),
        ]

    async def figures(self, request: Request, asked: FiguresAsked) -> FiguresSaid:
        """A month by county, industry, functional area or enterprise."""
        _demand_rows(request, asked)
        choice = await self._choosing.choice(request)
        if asked.vintage is None:
            month = await self._month(choice, choice.month)
        else:
            month = await self._vintage(choice, asked.vintage)
        if asked.by not in month.cells:
            words = f"{month.month} was stored without figures by {asked.by}; ask by county"
            raise RefusedError(404, "not_kept", words)
        table = month.table(asked.by)
        cells = [one for one in table.cells if asked.key in {"", one.key}]
        found, cursor = part(cells, lambda one: one.key, asked)
        lines, total = [line(one, table) for one in found], line(table.city, table)
        return FiguresSaid(of=of(month, choice), by=asked.by, total=total, data=lines, next=cursor)

    async def movers(self, request: Request, asked: MoversAsked) -> MoversSaid:
        """What moved the rate since the month before."""
        _demand_rows(request, asked)
        choice = await self._choosing.choice(request)
        earlier = earlier_month(choice)
        before, now = await self._month(choice, earlier), await self._month(choice, choice.month)
        all_moved = [one for one in movers(before, now, asked.by) if asked.key in {"", one.key}]
        found, cursor = part(all_moved, lambda one: one.key, asked)
        whole = change(before.city, now.city)
        return MoversSaid(
            of=of(now, choice),
            by=asked.by,
            month_before=earlier,
            change=None if whole is None else _fraction(whole),
            data=[_moved(one, before.table(asked.by), now.table(asked.by)) for one in found],
            next=cursor,
        )

    async def _vintage(self, choice: Choice, number: int) -> PublishedMonth:
        """A month as a result of it was stored.

        Raises:
            RefusedError: 404 there is no such result.
        """
        context, name = self._context, choice.definition.id
        found = await context.database.read(
            vintage_month,
            name,
            choice.shown,
            number,
            context.now_ms(),
            demonstration=context.config.demonstration,
            definitions=context.definitions,
        )
        if found is None:
            words = f"{name} of {choice.shown} has no vintage {number}; /months tells which it has"
            raise RefusedError(404, "no_vintage", words)
        return await self._figures.seen(found, choice.scope)

    async def _month(self, choice: Choice, month: str | None) -> PublishedMonth:
        name, scope = choice.definition.id, choice.scope
        return await self._figures.month(name, scope, FILE_WAIT_S, month)


def line(cell: RateCell, table: RateTable) -> Line:
    """A line of a table, as its reader may have it."""
    shown = operational(
        Cell(cell.networked, cell.equipment, cell.enterprises, cell.pooled, cell.mean),
        table.status,
    )
    write = shown_by(table.definition)
    return Line(
        key=cell.key,
        name=words(cell.name),
        networked=cell.known_networked,
        equipment=cell.equipment,
        enterprises=cell.enterprises,
        pooled=rate(cell.pooled, write),
        mean=rate(cell.mean, write),
        lower=rate(cell.bounds.lower, write) if cell.bounds else None,
        upper=rate(cell.bounds.upper, write) if cell.bounds else None,
        obs_status=shown.obs_status,
        conf_status=shown.conf_status,
        target=aim_said(table.aims.get(cell.key)),
    )


def _moved(one: Mover, before: RateTable, now: RateTable) -> Moved:
    sign = "-" if one.points < 0 else ""
    return Moved(
        key=one.key,
        name=words(one.name),
        before=None if one.before is None else line(one.before, before),
        now=None if one.now is None else line(one.now, now),
        points=sign + percent_text(abs(one.points), DECIMALS, ()),
        points_fraction=_fraction(one.points),
    )


def _fraction(exact: Fraction) -> str:
    return f"{exact.numerator}/{exact.denominator}"


def _demand_rows(request: Request, asked: FiguresAsked | MoversAsked) -> None:
    """Enterprises are rows of theirs, whatever is asked of them."""
    if asked.by == "enterprise":
        demand(request, Permission.ENTERPRISES)
        demand(request, Permission.EXPORT)
