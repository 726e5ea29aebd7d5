"""Papers of one sort: those that stand, a form that enters one, and ending one."""

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.city.access.principal import Permission
from gateway.city.console.asking import principal_of, signature
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.identifiers.asked import demand_login, is_number
from gateway.city.console.pages.ledger.importing import IMPORT
from gateway.city.console.pages.ledger.lists import ADDRESS, PAGE_ROWS, page_of
from gateway.city.ledger.bitemporal.acts import Doing
from gateway.city.ledger.importing.terms import OutdatedError, Terms
from gateway.city.ledger.papers.entering import Ending, Entered, end, enter, paper_of
from gateway.city.ledger.papers.shown import (
    ORDERS,
    Shown,
    Wanted,
    count_papers,
    paper_numbered,
    papers,
)
from gateway.city.ledger.papers.sort import PaperError, Sort
from gateway.city.ledger.sheet.problems import LedgerError
from gateway.city.rates.frozen.touched import FrozenMonth, frozen_from
from gateway.core.days import day_of
from gateway.web.forms import form_of
from gateway.web.pages import Pages, View
from gateway.web.tables import Cell, Table, is_file

_DIGITS, _LONGEST = 12, 100


class PaperPages:
    """The pages of a sort.

    Args:
        context: of the console.
        pages: render what a form is answered with.
        sort: of the papers.
    """

    def __init__(self, context: ConsoleContext, pages: Pages, sort: Sort[Any]) -> None:
        self._context = context
        self._pages = pages
        self._sort = sort
        self.address = f"{ADDRESS}/{sort.name}"

    async def view(self, request: Request) -> View:
        """Those that stand: of an enterprise or all, on a day or any; a file has all of them."""
        given, read = request.query_params, self._context.database.read
        asked = self._sort, principal_of(request).scope, wanted_of(given)
        if is_file(request):
            found = await read(papers, *asked)
            return View("ledger_papers.html", {}, table=self._table(found))
        count = await read(count_papers, *asked)
        page, pages = page_of(given.get("page", ""), count)
        part = slice(page * PAGE_ROWS, (page + 1) * PAGE_ROWS)
        data = {
            "rows": await read(papers, *asked, part), "count": count,
            "page": page, "pages": pages, "asked": asked[-1],
            "done": given.get("done", ""), "import_address": IMPORT,
        }  # fmt: skip
        return View("ledger_papers.html", data | self._shared(request))

    async def form(self, request: Request) -> View:
        """An empty form."""
        return View("ledger_paper_new.html", self._form(request, {}))

    async def enter(self, request: Request) -> Response:
        """``POST``: say what would change, or with ``confirm`` change it.

        Raises:
            HTTPException: 403 foreign form, or a console without a login.
        """
        demand_login(self._context)
        fields, now_ms = await form_of(request), self._context.now_ms()
        doing = Doing(self._sort.entering, signature(request), "", now_ms)
        terms = Terms(principal_of(request).scope, fields.get("basis", ""))
        is_sure = "confirm" in fields
        try:
            rows = paper_of(self._sort, fields, day_of(now_ms))
            act = partial(enter, terms=terms, dry_run=not is_sure)
            made = await self._context.database.run(act, self._sort, rows, doing)
        except LedgerError as error:
            problems = {one.column: one.message for one in error.problems}
            return self._answer(request, fields, 400, problems=problems)
        except OutdatedError:
            return self._answer(request, fields, 409, outdated=True)
        if is_sure:
            return RedirectResponse(f"{self.address}?done=entered", 303)
        frozen = await self._frozen(min(made.since, default=None))
        return self._answer(request, fields, 200, preview=made, frozen=frozen)

    async def ending(self, request: Request) -> View:
        """One that stands, and the form that ends it."""
        found = await self._one(request)
        return View("ledger_paper_end.html", self._shared(request) | {"one": found, "given": {}})

    async def end(self, request: Request) -> Response:
        """``POST``: end it.

        Raises:
            HTTPException: 403 foreign form, or a console without a login.
        """
        demand_login(self._context)
        fields, key = await form_of(request), request.path_params["key"]
        number = int(key) if is_number(key, _DIGITS) else 0
        ending = Ending(number, fields.get("reason", ""), _day(fields.get("last_day", "")))
        scope, who = principal_of(request).scope, signature(request)
        act = partial(end, scope=scope)
        now_ms = self._context.now_ms()
        try:
            await self._context.database.run(act, self._sort, ending, now_ms, who)
        except PaperError as error:
            found = await self._found(request)
            data = self._shared(request) | {"one": found, "given": fields, "refused": str(error)}
            status = 400 if found else 409
            return self._pages.render(request, View("ledger_paper_end.html", data), status)
        return RedirectResponse(f"{self.address}?done=ended", 303)

    async def _one(self, request: Request) -> Shown:
        """The paper that an address names.

        Raises:
            HTTPException: 404 none of this number stands, or none that who asks sees.
        """
        found = await self._found(request)
        if found is None:
            raise HTTPException(404)
        return found

    async def _found(self, request: Request) -> Shown | None:
        key, scope = request.path_params["key"], principal_of(request).scope
        if not is_number(key, _DIGITS):
            return None
        return await self._context.database.read(paper_numbered, self._sort, scope, int(key))

    async def _frozen(self, first: date | None) -> list[FrozenMonth]:
        """Frozen months behind the first day of what is entered."""
        if first is None or first >= day_of(self._context.now_ms()):
            return []
        months = partial(frozen_from, demonstration=self._context.config.demonstration)
        return await self._context.database.read(months, first)

    def _answer(
        self,
        request: Request,
        fields: Mapping[str, str],
        status: int,
        *,
        problems: Mapping[str, str] | None = None,
        preview: Entered | None = None,
        frozen: list[FrozenMonth] | None = None,
        outdated: bool = False,
    ) -> Response:
        data = self._form(request, fields) | {
            "problems": problems or {}, "preview": preview, "frozen": frozen or (),
            "outdated": outdated,
        }  # fmt: skip
        return self._pages.render(request, View("ledger_paper_new.html", data), status)

    def _form(self, request: Request, fields: Mapping[str, str]) -> dict[str, object]:
        given = {one.key: fields.get(one.key, "") for one in self._sort.columns}
        if not fields:
            given["uscc"] = request.query_params.get("enterprise", "")[:_LONGEST]
        return self._shared(request) | {
            "given": given, "import_address": IMPORT, "problems": {}, "preview": None,
            "frozen": (), "outdated": False,
        }  # fmt: skip

    def _shared(self, request: Request) -> dict[str, object]:
        may = principal_of(request).may(Permission.IMPORT_LEDGER)
        return {
            "sort": self._sort,
            "address": self.address,
            "may_enter": may and self._context.config.console.has_login,
            "today": day_of(self._context.now_ms()),
            "refused": "",
        }

    def _table(self, found: list[Shown]) -> Table:
        keys = tuple(column.key for column in self._sort.columns)
        names = ("entry", "uscc", "enterprise", *keys[1:], "entered_on", "entered_by", "late")
        rows: list[dict[str, Cell]] = [
            {
                "entry": one.of.number, "enterprise": one.enterprise, **one.texts,
                "entered_on": one.of.entered_on.isoformat(), "entered_by": one.of.made_by,
                "late": one.of.is_late,
            }
            for one in found
        ]  # fmt: skip
        heads = {one: f"paper.column.{one}" for one in names}
        choices = {one.key: f"paper.code.{one.key}" for one in self._sort.columns if one.choices}
        return Table(f"ledger-{self._sort.name}", names, rows, {}, heads, choices)


def wanted_of(given: Mapping[str, str]) -> Wanted:
    """What an address asks for; what it cannot mean is not asked."""
    sort = given.get("sort", "")
    is_known = sort in ORDERS
    falling = given.get("order") != "asc" if is_known else True
    text, day = given.get("enterprise", "")[:_LONGEST], _day(given.get("day", ""))
    return Wanted(text, day, sort if is_known else "entered", falling)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
