"""One machine or enterprise of the ledger: what was said of it, and the form that corrects it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.city.access.principal import Permission, Scope
from gateway.city.console.asking import note_view, principal_of, signature
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.identifiers.asked import demand_login, is_number
from gateway.city.console.pages.ledger.lists import ADDRESS, ENTERPRISES
from gateway.city.console.pages.ledger.words import told
from gateway.city.console.queries.ledger import enterprise_of, machine_of, memberships
from gateway.city.ledger.bitemporal.acts import Doing, Kind
from gateway.city.ledger.bitemporal.timeline import (
    Saying,
    corrections_of,
    said_of_enterprise,
    said_of_machine,
)
from gateway.city.ledger.importing.correcting import (
    Corrected,
    Shown,
    Which,
    correct,
    shown,
)
from gateway.city.ledger.importing.terms import OutdatedError
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.withdrawal import WithdrawalError, withdraw_machine
from gateway.city.rates.frozen.touched import FrozenMonth, frozen_from
from gateway.core.days import day_of
from gateway.web.forms import form_of
from gateway.web.pages import Pages, View

MACHINES = f"{ADDRESS}/machines"
_KEY_DIGITS = 18
_FIELDS = 40
_DATES = frozenset(
    {"commissioned_on", "status_since", "verified_on", "ledger_verified_on", "valid_from"}
)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row that who asks sees.

    Attributes:
        which: it is.
        found: of the query of its table, with its enterprise's or its own name.
        shown: as it is today.
        sayings: all that was said of it that decides a figure.
        acts: on the page that named it: when (UTC ms) and by whom.
        rosters: an enterprise's stays on them.
    """

    which: Which
    found: Any
    shown: Shown
    sayings: Sequence[Saying]
    acts: Sequence[tuple[int, str]]
    rosters: Sequence[Any] = ()

    @property
    def address(self) -> str:
        """Of its page."""
        of = MACHINES if self.which.table == "equipment" else ENTERPRISES
        return f"{of}/{self.which.key}"

    @property
    def said(self) -> str:
        """Its name, for the history and the audit log."""
        return _said(self.which, self.found)


class RowPage:
    """Pages of the rows of one table, ``equipment`` or ``enterprise``."""

    def __init__(self, context: ConsoleContext, pages: Pages, table: str) -> None:
        self._context = context
        self._pages = pages
        self._table = table

    async def view(self, request: Request) -> View:
        """What was said of it: valid from when, known since when, by whom, from what."""
        row = await self._row(request)
        await note_view(self._context, request, row.found.uscc)
        data = {"row": row, "told": told, "done": request.query_params.get("done", "")}
        return View("ledger_row.html", data | self._allowed(request))

    async def form(self, request: Request) -> View:
        """The row as a form."""
        row = await self._row(request)
        return View("ledger_correct.html", _form(row, row.shown.texts, row.shown.digest))

    async def correct(self, request: Request) -> Response:
        """``POST``: say what would change, or with ``confirm`` change it.

        Raises:
            HTTPException: 403 foreign form, or a console without a login; 404 no such row.
        """
        demand_login(self._context)
        fields, row = await form_of(request, _FIELDS), await self._row(request)
        is_sure = "confirm" in fields
        doing = Doing(Kind.CORRECTION, signature(request), row.said, self._context.now_ms())
        act = partial(correct, dry_run=not is_sure)
        seen = fields.get("seen", "")
        try:
            found = await self._context.database.run(act, row.which, fields, seen, doing)
        except OutdatedError:
            data = _form(row, fields, row.shown.digest) | {"outdated": True}
            return self._pages.render(request, View("ledger_correct.html", data), 409)
        if is_sure and found.report is not None:
            return RedirectResponse(f"{row.address}?done=corrected", 303)
        data = _form(row, fields, seen) | {"preview": found, "problems": found.problems}
        data |= await self._months(found)
        status = 400 if found.problems else 200
        return self._pages.render(request, View("ledger_correct.html", data), status)

    async def withdraw(self, request: Request) -> Response:
        """``POST``: the row was typed by mistake; there never was such a machine.

        Raises:
            HTTPException: 403 foreign form, or a console without a login; 404 no such row.
        """
        demand_login(self._context)
        fields, row = await form_of(request), await self._row(request)
        name = MachineName(row.found.uscc, row.found.site_no, row.found.asset_no)
        reason, now_ms = fields.get("reason", ""), self._context.now_ms()
        try:
            await self._context.database.run(
                withdraw_machine, name, reason, now_ms, signature(request)
            )
        except WithdrawalError:
            data = {"row": row, "told": told, "done": "", "no_reason": True}
            view = View("ledger_row.html", data | self._allowed(request))
            return self._pages.render(request, view, 400)
        return RedirectResponse(f"{row.address}?done=withdrawn", 303)

    def _allowed(self, request: Request) -> dict[str, object]:
        may = principal_of(request).may(Permission.CORRECT)
        return {"may_correct": may and self._context.config.console.has_login, "problems": {}}

    async def _months(self, found: Corrected) -> Mapping[str, object]:
        """From which day it holds, and the frozen months behind that day."""
        now_ms, frozen = self._context.now_ms(), list[FrozenMonth]()
        since = min(found.report.since, default=None) if found.report else None
        if since is not None and since < day_of(now_ms):
            kind = self._context.config.demonstration
            frozen = await self._context.database.read(frozen_from, since, demonstration=kind)
        return {"since": since or day_of(now_ms), "frozen": frozen}

    async def _row(self, request: Request) -> _Row:
        """The row that an address names.

        Raises:
            HTTPException: 404 there is none, or none that who asks sees.
        """
        scope, key = principal_of(request).scope, request.path_params["key"]
        if self._table == "equipment" and not is_number(key, _KEY_DIGITS):
            raise HTTPException(404)
        row = await self._context.database.read(
            _read, self._table, key, scope, self._context.now_ms()
        )
        if row is None:
            raise HTTPException(404)
        return row


def _said(which: Which, found: Any) -> str:
    if which.table == "enterprise":
        return str(which.key)
    return f"{found.uscc} {found.site_no} {found.asset_no}"


def _read(connection: Connection, table: str, key: str, scope: Scope, now_ms: int) -> _Row | None:
    found: Any
    if table == "equipment":
        which, sayings = Which(table, int(key)), said_of_machine(connection, int(key))
        found = machine_of(connection, scope, int(key))
    else:
        which, sayings = Which(table, key), said_of_enterprise(connection, key)
        found = enterprise_of(connection, scope, key)
    now = shown(connection, which, now_ms) if found is not None else None
    if now is None:
        return None
    acts = [(one.known_ms, one.made_by) for one in sayings]
    acts += corrections_of(connection, _said(which, found))
    stays = memberships(connection, key) if table == "enterprise" else ()
    return _Row(which, found, now, sayings, sorted(acts), stays)


def _form(row: _Row, texts: Mapping[str, str], seen: str) -> dict[str, object]:
    given = {one.key: texts.get(one.key, "") for one in row.which.columns}
    return {
        "row": row,
        "given": given,
        "seen": seen,
        "preview": None,
        "problems": {},
        "outdated": False,
        "told": told,
        "dates": _DATES,
    }
