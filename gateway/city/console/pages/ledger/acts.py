"""What was done to the ledger: a list of acts, one with its rows, and undoing it."""

import asyncio
from functools import partial

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.city.access.principal import Permission
from gateway.city.console.asking import principal_of, signature
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.identifiers.asked import demand_login, is_number
from gateway.city.console.pages.ledger.lists import ADDRESS, PAGE_ROWS
from gateway.city.console.pages.ledger.words import told
from gateway.city.ledger.bitemporal.acts import Doing, Kind
from gateway.city.ledger.undoing.acts import (
    Act,
    act_of,
    acts_page,
    enterprises_named,
    enterprises_said,
    machines_said,
    machines_told,
)
from gateway.city.ledger.undoing.undo import UndoError, Undoing, undoing
from gateway.city.ledger.undoing.undone import being_undone, undo
from gateway.city.rates.frozen.touched import FrozenMonth, frozen_from
from gateway.core.days import day_of
from gateway.web.forms import form_of
from gateway.web.pages import Pages, View

ACTS = f"{ADDRESS}/acts"
MOST_ON_PAGE = 20_000
"""An act that said more is undone by the command: it takes too long for a page."""
_DIGITS = 12


class ActPages:
    """Acts, for who sees all rows: one act may speak of many enterprises."""

    def __init__(self, context: ConsoleContext, pages: Pages) -> None:
        self._context = context
        self._pages = pages

    async def view(self, request: Request) -> View:
        """Acts, the newest first."""
        _demand_whole(request)
        given = request.query_params.get("before", "")
        before = int(given) if is_number(given, _DIGITS) else None
        acts, more = await self._context.database.read(acts_page, before, PAGE_ROWS)
        data = {"acts": acts, "more": acts[-1].change if more else None, "is_first": before is None}
        return View("ledger_acts.html", data | {"address": ACTS})

    async def show(self, request: Request) -> View:
        """One act, and the rows of which it said something."""
        act, given = await self._act(request), request.query_params.get("after", "")
        after = int(given) if is_number(given, _DIGITS) else 0
        data = await self._context.database.read(_rows_of, act, after)
        data["going"] = await self._context.database.read(being_undone, act.number)
        done = request.query_params.get("done", "")
        return View("ledger_act.html", data | self._shared(request, act) | {"done": done})

    async def preview(self, request: Request) -> View:
        """What undoing it would change, or why it cannot be undone."""
        act = await self._act(request)
        return View("ledger_undo.html", await self._undoing(request, act))

    async def undo(self, request: Request) -> Response:
        """``POST``: undo it by a new act.

        Raises:
            HTTPException: 403 foreign form, or a console without a login; 404 no such act.
        """
        demand_login(self._context)
        await form_of(request)
        act = await self._act(request)
        if sum(act.counts.values()) > MOST_ON_PAGE:
            raise HTTPException(404)
        doing = Doing(Kind.UNDO, signature(request), str(act.number), self._context.now_ms())
        try:
            await asyncio.to_thread(undo, self._context.database, act.number, doing)
        except UndoError as error:
            data = self._shared(request, act) | {"refused": str(error), "found": None}
            return self._pages.render(request, View("ledger_undo.html", data), 409)
        return RedirectResponse(f"{ACTS}/{act.number}?done=undone", 303)

    async def _undoing(self, request: Request, act: Act) -> dict[str, object]:
        shared = self._shared(request, act)
        if shared["is_large"]:
            return shared | {"refused": "", "found": None}
        try:
            found = await self._context.database.read(undoing, act.number)
        except UndoError as error:
            return shared | {"refused": str(error), "found": None}
        frozen = await self._frozen(found)
        return shared | {"refused": "", "found": found, "frozen": frozen}

    async def _frozen(self, found: Undoing) -> list[FrozenMonth]:
        first, today = min(found.since, default=None), day_of(self._context.now_ms())
        if first is None or first >= today:
            return []
        months = partial(frozen_from, demonstration=self._context.config.demonstration)
        return await self._context.database.read(months, first)

    def _shared(self, request: Request, act: Act) -> dict[str, object]:
        may = principal_of(request).may(Permission.CORRECT)
        return {
            "act": act,
            "address": f"{ACTS}/{act.number}",
            "acts_address": ACTS,
            "told": told,
            "may_undo": may and self._context.config.console.has_login,
            "is_large": sum(act.counts.values()) > MOST_ON_PAGE,
        }

    async def _act(self, request: Request) -> Act:
        """The act that an address names.

        Raises:
            HTTPException: 404 there is none, or who asks does not see all rows.
        """
        _demand_whole(request)
        key = request.path_params["key"]
        act = None
        if is_number(key, _DIGITS):
            act = await self._context.database.read(act_of, int(key))
        if act is None:
            raise HTTPException(404)
        return act


def _demand_whole(request: Request) -> None:
    """Acts speak of everybody's rows.

    Raises:
        HTTPException: 404 who asks does not see all of them.
    """
    if not principal_of(request).scope.is_whole:
        raise HTTPException(404)


def _rows_of(connection: Connection, act: Act, after: int) -> dict[str, object]:
    ids, more = machines_said(connection, act.number, after, PAGE_ROWS)
    codes, more_firms = enterprises_said(connection, act.number, PAGE_ROWS)
    return {
        "machines": machines_told(connection, act.number, ids),
        "more": ids[-1] if more else None,
        "is_first": not after,
        "firms": enterprises_named(connection, codes),
        "more_firms": more_firms,
    }
