"""Rosters (名录): which there are, since when who is on them, and who is on one on a day."""

from datetime import date

from starlette.exceptions import HTTPException
from starlette.requests import Request

from gateway.city.access.principal import Permission
from gateway.city.console.asking import principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.ledger.importing import IMPORT
from gateway.city.console.pages.ledger.lists import ADDRESS
from gateway.city.console.queries.ledger import Roster, rosters
from gateway.city.ledger.codes import county_name
from gateway.core.days import day_of
from gateway.web.pages import View
from gateway.web.tables import Cell, Table

ROSTERS = f"{ADDRESS}/rosters"


class RosterPages:
    """All rosters, and one."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    async def view(self, request: Request) -> View:
        """The rosters that have members of one's scope."""
        today = day_of(self._context.now_ms())
        scope = principal_of(request).scope
        found = await self._context.database.read(rosters, scope, today)
        may_import = principal_of(request).may(Permission.IMPORT_LEDGER)
        data = {"rosters": found, "address": ROSTERS, "may_import": may_import}
        return View("ledger_rosters.html", data | {"form_address": IMPORT})

    async def one(self, request: Request) -> View:
        """Who was on a roster on a day, and the days on which that changed.

        Raises:
            HTTPException: 404 there is no such roster, or nobody on it whom one sees.
        """
        today = day_of(self._context.now_ms())
        day = _day(request.query_params.get("day", "")) or today
        scope, code = principal_of(request).scope, request.path_params["key"]
        found = await self._context.database.read(rosters, scope, day, code)
        if not found:
            raise HTTPException(404)
        data = {
            "roster": found[0], "day": day, "address": f"{ROSTERS}/{code}",
            "rosters_address": ROSTERS, "county_name": county_name,
        }  # fmt: skip
        return View("ledger_roster.html", data, table=_table(found[0], day))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _table(roster: Roster, day: date) -> Table:
    names = ("roster", "uscc", "enterprise", "county", "valid_from", "valid_to", "approved_by")
    rows: list[dict[str, Cell]] = [
        {
            "roster": roster.code,
            "uscc": one.uscc,
            "enterprise": one.name,
            "county": county_name(one.county).zh,
            "valid_from": one.valid_from.isoformat(),
            "valid_to": one.valid_to.isoformat() if one.valid_to else None,
            "approved_by": one.approved_by,
        }
        for one in roster.members
    ]
    heads = {one: f"rosters.{one}" for one in names}
    return Table(f"roster-{roster.code}", names, rows, {"day": day.isoformat()}, heads)
