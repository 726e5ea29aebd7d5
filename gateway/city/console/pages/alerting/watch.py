"""The own watch-list: what is on it, how it is now, and the buttons that change it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.city.access import users
from gateway.city.access.principal import Principal
from gateway.city.alerts import watching
from gateway.city.alerts.delivery import contacts
from gateway.city.alerts.model import Level, Subject
from gateway.city.alerts.saying import place_address, place_name
from gateway.city.alerts.standing import Alert, listed
from gateway.city.console.asking import principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.machine import machine_address
from gateway.city.console.queries.figures import Figures
from gateway.city.console.queries.gateways import GatewayState
from gateway.city.db.tables import enterprise, equipment, evidence
from gateway.city.ledger.names import MachineName
from gateway.city.rates.reports.table import PublishedMonth, RateCell
from gateway.web.forms import form_of
from gateway.web.i18n import Language
from gateway.web.pages import Pages, View, preferences
from gateway.web.waiting import NotYetError

ADDRESS = "/watch"
MOST_ALERTS = 1_000
_FIGURES = {
    Level.COUNTY: "county",
    Level.AREA: "area",
    Level.INDUSTRY: "industry",
    Level.ENTERPRISE: "enterprise",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is watched, and how it is now.

    Attributes:
        subject: what.
        name: for readers.
        of: the enterprise that it belongs to; empty: it is of none, or one itself.
        address: of its page.
        cell: its rate; None: it has none, or not yet.
        gateway: its state; None: it is no gateway.
        last_ms: newest valid data of a machine; None: it is none, or never sent.
        alerts: how many alerts go on, of it and of what lies in it.
    """

    subject: Subject
    name: str
    of: str
    address: str
    cell: RateCell | None
    gateway: GatewayState | None
    last_ms: int | None
    alerts: int


class WatchPage:
    """The page and what its forms do."""

    def __init__(self, context: ConsoleContext, pages: Pages, figures: Figures) -> None:
        self._context, self._pages, self._figures = context, pages, figures

    async def view(self, request: Request) -> View:
        """What who asks watches and still sees."""
        return await self._view(request)

    async def change(self, request: Request) -> Response:
        """``POST``: put something on the own list, or take it off; leads back to where it was.

        Raises:
            HTTPException: 400 no such kind of thing; 403 foreign form.
        """
        fields, asking = await form_of(request), principal_of(request)
        if fields.get("level") not in set(Level) or fields.get("act") not in {"add", "remove"}:
            raise HTTPException(400)
        level, key, now_ms = Level(fields["level"]), fields.get("key", ""), self._context.now_ms()
        act = watching.add if fields["act"] == "add" else watching.remove
        try:
            await self._context.database.run(act, asking, level, key.strip(), now_ms)
        except watching.WatchError as error:
            view = await self._view(request, refusal=str(error), given=fields)
            return self._pages.render(request, view, 400)
        return RedirectResponse(_local(fields.get("back", "")), 303)

    async def contact(self, request: Request) -> Response:
        """``POST``: where mails for who asks go; an empty address: nowhere.

        Raises:
            HTTPException: 403 foreign form; 404 the city sends no mails.
        """
        fields, asking = await form_of(request), principal_of(request)
        mail = self._context.config.alerts.mail
        if mail is None:
            raise HTTPException(404)
        language = contacts.language_of(fields.get("language", ""))
        given = contacts.Contact(fields.get("address", "").strip(), language)
        now_ms = self._context.now_ms()
        try:
            await self._context.database.run(contacts.keep, asking, mail, given, now_ms)
        except contacts.ContactError as error:
            view = await self._view(request, problem=str(error), given=fields)
            return self._pages.render(request, view, 400)
        return RedirectResponse(f"{ADDRESS}#contact", 303)

    async def _view(
        self,
        request: Request,
        refusal: str = "",
        problem: str = "",
        given: Mapping[str, str] | None = None,
    ) -> View:
        asking = principal_of(request)
        lines = await self._lines(asking, preferences(request).language)
        data = {
            "lines": lines,
            "levels": [Level.GATEWAY, Level.ENTERPRISE, Level.COUNTY, Level.AREA, Level.INDUSTRY],
            "refusal": refusal,
            "problem": problem,
            **await self._mails(asking),
            "given": given or {},
            "is_shared": asking.name in {"token", "local"},
            "definition": self._figures.headline,
            "now_ms": self._context.now_ms(),
        }
        return View("watch.html", data, ("list",), 4.0)

    async def _mails(self, asking: Principal) -> Mapping[str, object]:
        """Where mails for who asks go, and which domains they may be of; none for no user."""
        mail, read = self._context.config.alerts.mail, self._context.database.read
        user = await read(users.find, asking.name) if mail else None
        contact = await read(contacts.of, asking.name)
        return {"domains": mail.domains if mail and user else (), "contact": contact}

    async def _lines(self, asking: Principal, language: Language) -> list[Line]:
        read, scope = self._context.database.read, asking.scope
        subjects = await read(_own, asking)
        named = await read(_names, subjects)
        alerts = await read(listed, scope, limit=MOST_ALERTS, ended=False)
        month = await self._month(asking)
        states = {
            one.row.id: one
            for one in (await self._figures.gateways.states(scope)).of(
                "good", "warn", "bad", "idle"
            )
        }
        return [_line(one, language, named, month, states, alerts) for one in subjects]

    async def _month(self, asking: Principal) -> PublishedMonth | None:
        try:
            return await self._figures.month(self._figures.headline.id, asking.scope)
        except NotYetError:
            return None


@dataclass(frozen=True, slots=True)
class _Named:
    enterprises: Mapping[str, str]
    machines: Mapping[str, tuple[str, MachineName, int | None]]


def _own(connection: Connection, asking: Principal) -> list[Subject]:
    """What is watched and still seen: a scope that was narrowed shows no more than it holds."""
    return watching.visible(connection, asking.scope, watching.of(connection, asking.name))


def _names(connection: Connection, subjects: Sequence[Subject]) -> _Named:
    usccs = sorted({one.uscc for one in subjects if one.uscc})
    own = select(enterprise.c.uscc, enterprise.c.name).where(enterprise.c.uscc.in_(usccs))
    ids = [int(one.key) for one in subjects if one.level is Level.MACHINE]
    newest = func.max(evidence.c.last_ms)
    sent = select(evidence.c.machine_id, newest).where(evidence.c.machine_id.in_(ids))
    last = {row[0]: row[1] for row in connection.execute(sent.group_by(evidence.c.machine_id))}
    machines = {
        str(row.id): (
            row.name,
            MachineName(row.uscc, row.site_no, row.asset_no),
            last.get(row.id),
        )
        for row in connection.execute(select(equipment).where(equipment.c.id.in_(ids)))
    }
    return _Named({row.uscc: row.name for row in connection.execute(own)}, machines)


def _line(
    one: Subject,
    language: Language,
    named: _Named,
    month: PublishedMonth | None,
    states: Mapping[str, GatewayState],
    alerts: Sequence[Alert],
) -> Line:
    machine = named.machines.get(one.key) if one.level is Level.MACHINE else None
    owner = named.enterprises.get(one.uscc, one.uscc)
    name, of, address = owner, "", f"/enterprises/{one.uscc}"
    if machine is not None:
        name, of, address = (
            f"{machine[0]} {machine[1].asset_no}",
            owner,
            machine_address(*machine[1]),
        )
    elif one.level is Level.GATEWAY:
        name, of = one.key, owner
    elif not one.uscc:
        name, address = place_name(language, one), place_address(one)
    return Line(
        subject=one,
        name=name,
        of=of,
        address=address,
        cell=_cell(one, month),
        gateway=states.get(one.key) if one.level is Level.GATEWAY else None,
        last_ms=machine[2] if machine else None,
        alerts=sum(watching.is_watched((one,), each) for each in alerts),
    )


def _cell(one: Subject, month: PublishedMonth | None) -> RateCell | None:
    if month is None:
        return None
    if one.level is Level.CITY:
        return month.city
    if one.level not in _FIGURES:
        return None
    table = month.table(_FIGURES[one.level])  # type: ignore[arg-type]
    return next((cell for cell in table.cells if cell.key == one.key), None)


def _local(back: str) -> str:
    """The page that a form was on, if it is one of ours."""
    is_ours = back.startswith("/") and not back.startswith("//") and "\\" not in back
    return back if is_ours and back.isascii() and back.isprintable() else ADDRESS
