"""What is published: the same for everybody who looks."""

from typing import Literal

from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import Request

from gateway.city.console.api.answers.saying import Rate, Words, rate, words
from gateway.city.console.api.declaring import FIGURES, ListAsked, MonthAsked, Operation, Said
from gateway.city.console.api.paging import part
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.published import PublishedPage
from gateway.city.rates.publishing.grid import Key
from gateway.city.rates.publishing.lines import lines, place
from gateway.city.rates.publishing.publish import PublishedCell
from gateway.city.rates.publishing.stored import (
    NotPublishedError,
    published_definitions,
    record_for,
)
from gateway.city.rates.reports.shown import Shown, shown_by
from gateway.web.access.problems import RefusedError


class PublishedAsked(MonthAsked, ListAsked):
    """A published month; the newest one where none is named."""

    by: Literal["county", "industry", "county-industry"] = "county"


class PublishedLine(Said):
    """A cell as the public has it: all of it, or nothing."""

    county: str = Field(description="code; empty: the whole city")
    county_name: Words
    industry: str = Field(description="code; empty: all industries")
    industry_name: Words
    withheld: bool = Field(description="somebody is in it who is not shown; that is not 0")
    networked: int | None
    equipment: int | None
    enterprises: int | None
    pooled: Rate | None
    mean: Rate | None
    obs_status: Literal["A", "P", "Q", "M"] = Field(description="SDMX CL_OBS_STATUS")
    conf_status: Literal["F", "N"] = Field(description="SDMX CL_CONF_STATUS")


class PublishedSaid(Said):
    """A published table."""

    definition: str
    definition_hash: str = Field(description="of the record that it was computed with")
    month: str
    status: Literal["P", "F"]
    vintage: int
    by: str
    months: list[str] = Field(description="that are published, the newest first")
    demonstration: bool
    data: list[PublishedLine]
    next: str | None


class PublishedApi:
    """The operation about what is published.

    Args:
        context: of the console.
        page: that shows the same to people.
    """

    def __init__(self, context: ConsoleContext, page: PublishedPage) -> None:
        self._context = context
        self._page = page

    def operations(self) -> list[Operation]:
        """What can be asked for."""
        answer = self.published
        return [
            Operation("published", "/published", FIGURES, PublishedAsked, PublishedSaid, answer)
        ]

    async def published(self, _request: Request, asked: PublishedAsked) -> PublishedSaid:
        """A published month by county, by industry, or by both."""
        name = asked.definition or self._context.config.definitions.headline
        known = {one.id: one for one in published_definitions(self._context.definitions)}
        if name not in known:
            raise HTTPException(404)
        public = await self._page.publication()
        try:
            table = public.table(name, asked.month or None)
        except NotPublishedError as error:
            raise RefusedError(404, "not_published", str(error)) from error
        found, cursor = part(lines(table, asked.by), lambda one: " ".join(one[0]), asked)
        made, write = table.table, shown_by(record_for(table, known[name]))
        return PublishedSaid(
            definition=made.definition,
            definition_hash=made.definition_hash,
            month=made.month,
            status=made.status,
            vintage=made.vintage,
            by=asked.by,
            months=public.months(name),
            demonstration=self._context.config.demonstration,
            data=[_line(key, cell, write) for key, cell in found],
            next=cursor,
        )


def _line(key: Key, cell: PublishedCell, write: Shown) -> PublishedLine:
    county, industry = place(key)
    shown = cell.figures
    return PublishedLine(
        county=key[0],
        county_name=words(county),
        industry=key[1],
        industry_name=words(industry),
        withheld=cell.withheld,
        networked=shown.networked if shown else None,
        equipment=shown.equipment if shown else None,
        enterprises=shown.enterprises if shown else None,
        pooled=rate(shown.pooled, write) if shown else None,
        mean=rate(shown.mean, write) if shown else None,
        obs_status=cell.obs_status,
        conf_status=cell.conf_status,
    )
