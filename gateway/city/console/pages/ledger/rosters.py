"""Rosters (名录): which there are, since when who is on them, and who is on one on a day."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row
from starlette.exceptions import HTTPException
from starlette.requests import Request

from gateway.city.access.principal import Permission
from gateway.city.console.asking import principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.ledger.importing import IMPORT
from gateway.city.console.pages.ledger.lists import ADDRESS, PAGE_ROWS, page_of
from gateway.city.console.queries.ledger import (
    MEMBER_ORDERS,
    MembersWanted,
    count_members,
    members,
    rosters,
)
from gateway.city.ledger.codes import county_name
from gateway.core.days import day_of
from gateway.web.pages import View
from gateway.web.tables import Cell, Table, is_file

ROSTERS = f"{ADDRESS}/rosters"
_LONGEST = 100


class RosterPages:
    """All rosters, and one."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    async def view(self, request: Request) -> View:
        """The rosters that have members of one's scope."""
        today = day_of(self._context.now_ms())
        scope = principal_of(request).scope
        found = await self._context.database.read(rosters, scope)
        may_import = principal_of(request).may(Permission.IMPORT_LEDGER)
        data = {"rosters": found, "today": today, "address": ROSTERS, "may_import": may_import}
        return View("ledger_rosters.html", data | {"form_address": IMPORT})

    async def one(self, request: Request) -> View:
        """Who was on a roster on a day, and the days on which that changed.

        Raises:
            HTTPException: 404 there is no such roster, or nobody on it whom one sees.
        """
        given, read = request.query_params, self._context.database.read
        scope, code = principal_of(request).scope, request.path_params["key"]
        asked = _wanted(given, code, day_of(self._context.now_ms()))
        found = await read(rosters, scope, code)
        if not found:
            raise HTTPException(404)
        if is_file(request):
            table = _table(await read(members, scope, asked), asked)
            return View("ledger_roster.html", {}, table=table)
        count = await read(count_members, scope, asked)
        page, pages = page_of(given.get("page", ""), count)
        part = slice(page * PAGE_ROWS, (page + 1) * PAGE_ROWS)
        data = {
            "roster": found[0], "asked": asked, "address": f"{ROSTERS}/{code}", "count": count,
            "members": await read(members, scope, asked, part), "page": page, "pages": pages,
            "rosters_address": ROSTERS, "county_name": county_name,
        }  # fmt: skip
        return View("ledger_roster.html", data)


def _wanted(given: Mapping[str, str], code: str, today: date) -> MembersWanted:
    """Who is asked for by an address; what it cannot mean is not asked."""
    sort = given.get("sort", "")
    known = sort if sort in MEMBER_ORDERS else "code"
    text = given.get("enterprise", "")[:_LONGEST]
    day = _day(given.get("day", "")) or today
    return MembersWanted(code, day, text, known, given.get("order") == "desc")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _table(found: Sequence[Row[Any]], asked: MembersWanted) -> Table:
    names = ("roster", "uscc", "enterprise", "county", "valid_from", "valid_to", "approved_by")
    rows: list[dict[str, Cell]] = [
        {
            "roster": asked.code,
            "uscc": one.uscc,
            "enterprise": one.name,
            "county": county_name(one.county).zh,
            "valid_from": one.valid_from.isoformat(),
            "valid_to": one.valid_to.isoformat() if one.valid_to else None,
            "approved_by": one.approved_by,
        }
        for one in found
    ]
    heads = {one: f"rosters.{one}" for one in names}
    return Table(f"roster-{asked.code}", names, rows, {"day": asked.day.isoformat()}, heads)
