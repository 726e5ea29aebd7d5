"""What the public may see of final months: the same for everybody who looks."""

import asyncio
import contextlib
from dataclasses import dataclass
from functools import partial

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route

from gateway.city.access.principal import Permission
from gateway.city.console.asking import Gate
from gateway.city.console.context import ConsoleContext
from gateway.city.console.exports.sdmx import sdmx_files
from gateway.city.console.exports.workbooks import workbooks
from gateway.city.console.queries.figures import FILE_WAIT_S
from gateway.city.console.remember import PATIENCE_S, Remembered
from gateway.city.rates.frozen.jobs import code_digest
from gateway.city.rates.model import Definition
from gateway.city.rates.period import last_day
from gateway.city.rates.publishing.kept import Origin, kept, recalled
from gateway.city.rates.publishing.lines import LINES, Lines, as_file, lines, place
from gateway.city.rates.publishing.record import rules_of_publication
from gateway.city.rates.publishing.stored import (
    FinalResults,
    NotPublishedError,
    Publication,
    final_results,
    publication,
    published_definitions,
    record_for,
)
from gateway.city.rates.reports.kept import write
from gateway.web.pages import Pages, View
from gateway.web.waiting import NotYetError

ADDRESS = "/published"
KEPT_FILE = "published.json"
"""In the city's data folder; may be deleted at any time."""
_LOOK_S = 60.0
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an address asks for.

    Attributes:
        definition: headline if none is named.
        month: the newest published one if none is named; empty if there is none.
        by: what the lines are.
    """

    definition: Definition
    month: str
    by: Lines


class PublishedPage:
    """Published tables as a page and as files."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context
        self._remembered = Remembered()
        self._file = context.config.data_dir / KEPT_FILE
        self._last: Publication | None = None
        self._started = False
        context.ahead.append(self._made)

    async def view(self, request: Request) -> View:
        """A month by county, by industry, or by both."""
        public = await self.publication()
        asked = self._asked(request, public)
        data = {
            "asked": asked,
            "months": public.months(asked.definition.id),
            "definitions": published_definitions(self._context.definitions),
            "kinds": LINES,
            "table": None,
        }
        try:
            table = public.table(asked.definition.id, asked.month)
        except NotPublishedError:
            return View("published.html", data, status=404 if asked.month else 200)
        shown = [(key, place(key), one) for key, one in lines(table, asked.by)]
        month, record = table.table.month, record_for(table, asked.definition)
        file = as_file(table, asked.by, record)
        data |= {"table": table, "lines": shown, "record": record}
        data["approval"] = record.approval_on(last_day(month))
        files = dict(workbooks(self._context, request, file, record, month, names=False))
        files |= sdmx_files(self._context, table, record)
        return View("published.html", data, table=file, files=files)

    async def publication(self) -> Publication:
        """What is public; while a result that was just stored is worked in, what was before it.

        That is no less true: its tables name their vintages, and it was public already.

        Raises:
            NotYetError: it is being worked out for the first time.
        """
        try:
            return await self._made()
        except NotYetError:
            if self._last is None:
                raise
            return self._last

    async def _made(self) -> Publication:
        """Worked out anew only when a result was stored, and kept for the next start."""
        read, demonstration = self._context.database.read, self._context.config.demonstration
        results = partial(read, final_results, demonstration=demonstration)
        stored = await self._remembered.get("stored", _LOOK_S, results, FILE_WAIT_S)
        wait_s = self._context.first_wait_s if self._last is None else PATIENCE_S
        make = partial(self._make, stored)
        self._last = await self._remembered.get(stored, _DAY_S, make, wait_s)
        return self._last

    async def _make(self, stored: FinalResults) -> Publication:
        context, demonstration = self._context, self._context.config.demonstration
        origin = await asyncio.to_thread(self._origin, stored)
        if not self._started:  # later it would be what this process has written
            self._started = True
            found = await asyncio.to_thread(self._recalled, origin)
            if found is not None:
                return found
        work = context.apart.read
        made = await work(publication, context.definitions, demonstration=demonstration)
        await asyncio.to_thread(write, self._file, kept(made, origin))
        return made

    def _origin(self, stored: FinalResults) -> Origin:
        """All that decides what is public: results, rules, records, and the program itself."""
        rules = rules_of_publication().model_dump_json()
        names = sorted(one.id for one in published_definitions(self._context.definitions))
        demonstration = self._context.config.demonstration
        return code_digest(), rules, " ".join(names), str(demonstration), str(stored)

    def _recalled(self, origin: Origin) -> Publication | None:
        with contextlib.suppress(OSError):
            return recalled(self._file.read_bytes(), origin)
        return None

    def _asked(self, request: Request, public: Publication) -> _Asked:
        given = request.query_params
        headline = self._context.config.definitions.headline
        known = {one.id: one for one in published_definitions(self._context.definitions)}
        by = next((one for one in LINES if one == given.get("by", LINES[0])), None)
        definition = known.get(given.get("definition") or headline)
        if by is None or definition is None:
            raise HTTPException(404)
        newest = next(iter(public.months(definition.id)), "")
        return _Asked(definition, given.get("month") or newest, by)


def routes(gate: Gate, pages: Pages, views: PublishedPage) -> list[Route]:
    """The page's address."""
    return gate.allow(Permission.FIGURES, Route(ADDRESS, pages.endpoint(views.view)))
