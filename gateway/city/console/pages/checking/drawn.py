"""Samples on the page: drawing one, its sheet, and entering its machines one by one."""

import asyncio
from collections.abc import Mapping

from sqlalchemy import Connection, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from edge_config.tables.workbook_writing import workbook_of
from gateway.city.access.principal import Permission, Principal
from gateway.city.console.asking import Gate, principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.exports.workbooks import XLSX
from gateway.city.console.pages.identifiers.asked import demand_login, is_number
from gateway.city.db.schema.daymaps import evidence_taking
from gateway.city.rates.period import MonthError
from gateway.city.rates.sampling.begun import (
    PHOTO,
    Begun,
    Entry,
    EntryError,
    Place,
    begin,
    begun_one,
    end,
    enter,
)
from gateway.city.rates.sampling.design import SampleError
from gateway.city.rates.sampling.drawing import draw, seed_of
from gateway.city.rates.sampling.looks import NOTE, Sampled
from gateway.city.rates.sampling.sheet import sheet_of
from gateway.web.forms import form_of
from gateway.web.pages import Pages, View
from gateway.web.tables import Cell, Table, attachment

ADDRESS = "/samples"
LEAST_DRAWS, MOST_DRAWS, MOST_MACHINES = 2, 500, 100
_ID_DIGITS, _DIGITS = 18, 5
_SEEN = {"connected": (True, True), "unconnected": (True, False), "missing": (False, False)}
"""Whether a machine was found, and was connected, by what is chosen on the page."""
_HEADINGS = {name: f"sample.{name}" for name in ("draw", "expected", "found", "connected", "photo")}
_COLUMNS = ("draw", "uscc", "enterprise", "site_no", "asset_no", "name", "expected", "found",
            "connected", "photo")  # fmt: skip


def routes(gate: Gate, context: ConsoleContext, pages: Pages) -> list[Route]:
    """The addresses: who inspects reads a sample, officers enter it."""
    own = DrawnPage(context, pages)
    one = f"{ADDRESS}/{{number}}"
    return [
        *gate.allow(
            Permission.DRAW,
            Route(f"{ADDRESS}/draw", own.draw, methods=["POST"]),
            Route(f"{one}/end", own.end, methods=["POST"]),
        ),
        *gate.allow(
            Permission.EXPLAIN,
            Route(f"{one}/{{place}}", pages.endpoint(own.place), methods=["GET"]),
            Route(f"{one}/{{place}}", own.enter, methods=["POST"]),
        ),
        *gate.allow(Permission.FINDINGS, Route(one, pages.endpoint(own.view))),
    ]


def may_draw(asking: Principal, context: ConsoleContext) -> bool:
    """Whether somebody draws and ends samples: they are of the whole city."""
    may = asking.may(Permission.DRAW) and asking.scope.is_whole
    return may and context.config.console.has_login


def published_months(connection: Connection, synthetic: bool) -> list[str]:
    """Months of which a rate was published, the newest first: their evidence has a root."""
    columns = evidence_taking.c
    query = select(columns.month).where(columns.synthetic.is_(synthetic), columns.number == 1)
    return list(connection.scalars(query.order_by(columns.month.desc())))


class DrawnPage:
    """The pages of a sample and what their forms do."""

    def __init__(self, context: ConsoleContext, pages: Pages) -> None:
        self._context, self._pages = context, pages
        self._synthetic = context.config.demonstration

    async def draw(self, request: Request) -> Response:
        """``POST``: draw a sample and keep it.

        Raises:
            HTTPException: 400 odd fields; 403 foreign form, or who sees not the whole city.
        """
        demand_login(self._context)
        fields, asking = await form_of(request), principal_of(request)
        if not may_draw(asking, self._context):
            raise HTTPException(403)
        name, month = fields.get("definition", ""), fields.get("month", "")
        draws, machines = (_number(fields.get(one, "")) for one in ("draws", "machines"))
        sizes = LEAST_DRAWS <= draws <= MOST_DRAWS and 0 < machines <= MOST_MACHINES
        if not sizes or name not in self._context.definitions:
            raise HTTPException(400)
        try:
            number = await self._drawn(asking, month, name, draws, machines)
        except (SampleError, MonthError) as error:
            data = {"said": str(error), "back": ADDRESS}
            return self._pages.render(request, View("sample_refused.html", data), 409)
        return RedirectResponse(f"{ADDRESS}/{number}", 303)

    async def _drawn(
        self, asking: Principal, month: str, name: str, draws: int, machines: int
    ) -> int:
        read, now_ms = self._context.database.read, self._context.now_ms()
        seed = await read(seed_of, month, demonstration=self._synthetic)
        drawn = await read(
            draw,
            month,
            draws,
            machines,
            now_ms,
            demonstration=self._synthetic,
            definitions=self._context.definitions,
            definition=name,
        )
        sample = Sampled(month, name, self._synthetic, seed, draws, machines)
        return await self._context.database.run(begin, sample, drawn, now_ms, asking.name)

    async def view(self, request: Request) -> View:
        """A sample: its machines, what was entered of them, and the sheet to take along."""
        begun, places = await self._one(request)
        asking = principal_of(request)
        table = Table(f"sample-{begun.number}", _COLUMNS, _rows(places), {}, _HEADINGS)
        data = {
            "begun": begun,
            "places": places,
            "may_enter": asking.may(Permission.EXPLAIN) and self._context.config.console.has_login,
            "may_end": may_draw(asking, self._context),
            "note": NOTE,
        }

        async def sheet() -> Response:
            drawn = [one.drawn for one in places]
            written = sheet_of(drawn, begun.sample.month, begun.sample.seed)
            body = await asyncio.to_thread(workbook_of, [written])
            return attachment(body, f"sample-{begun.number}.xlsx", XLSX)

        return View("sample.html", data, table=table, files={"xlsx": sheet})

    async def place(self, request: Request) -> View:
        """One machine of a sample: the form that says what was seen."""
        return await self._place(request)

    async def enter(self, request: Request) -> Response:
        """``POST``: what was seen of a machine; leads to the next one without an entry.

        Raises:
            HTTPException: 400 nothing was chosen; 403 foreign form, or a console without a login;
                404 no machine of a sample that who enters it sees.
        """
        demand_login(self._context)
        fields, asking = await form_of(request), principal_of(request)
        number, at = _known(request, "number"), _known(request, "place")
        if fields.get("seen") not in _SEEN:
            raise HTTPException(400)
        found, connected = _SEEN[fields["seen"]]
        basis = _number(fields.get("basis", ""), _ID_DIGITS)
        one = Entry(at, basis, found, connected, fields.get("photo", ""))
        run, now_ms = self._context.database.run, self._context.now_ms()
        try:
            if not await run(enter, asking, number, one, now_ms, synthetic=self._synthetic):
                raise HTTPException(404)
        except EntryError as error:
            view = await self._place(request, refusal=error.key, given=fields)
            return self._pages.render(request, view, 409)
        _, places = await self._one(request)
        left = [each.place for each in places if each.entry is None]
        onward = next((place for place in left if place > at), left[0] if left else None)
        target = f"{ADDRESS}/{number}" + (f"/{onward}" if onward else "")
        return RedirectResponse(target, 303)

    async def end(self, request: Request) -> Response:
        """``POST``: all machines were entered; keep the rate that they verify.

        Raises:
            HTTPException: 403 foreign form, or who sees not the whole city; 404 no such sample;
                409 it has ended.
        """
        demand_login(self._context)
        fields, asking = await form_of(request), principal_of(request)
        if not may_draw(asking, self._context):
            raise HTTPException(403)
        number, note = _known(request, "number"), fields.get("note", "")
        run, now_ms = self._context.database.run, self._context.now_ms()
        try:
            look = await run(end, asking, number, note, now_ms, synthetic=self._synthetic)
        except EntryError:
            raise HTTPException(409) from None
        except SampleError as error:
            data = {"said": str(error), "back": f"{ADDRESS}/{number}"}
            return self._pages.render(request, View("sample_refused.html", data), 409)
        if look is None:
            raise HTTPException(404)
        return RedirectResponse(ADDRESS, 303)

    async def _place(
        self, request: Request, refusal: str = "", given: Mapping[str, str] | None = None
    ) -> View:
        begun, places = await self._one(request)
        at = _known(request, "place")
        one = next((each for each in places if each.place == at), None)
        if one is None:
            raise HTTPException(404)
        chosen = given or _chosen(one)
        data = {"begun": begun, "one": one, "refusal": refusal, "given": chosen}
        data |= {"choices": list(_SEEN), "longest": PHOTO}
        return View("sample_place.html", data)

    async def _one(self, request: Request) -> tuple[Begun, list[Place]]:
        number, scope = _known(request, "number"), principal_of(request).scope
        found = await self._context.database.read(
            begun_one, scope, number, synthetic=self._synthetic
        )
        if found is None:
            raise HTTPException(404)
        return found


def _chosen(one: Place) -> Mapping[str, str]:
    entry = one.entry
    if entry is None:
        return {}
    seen = next(key for key, both in _SEEN.items() if both == (entry.found, entry.connected))
    return {"seen": seen, "photo": entry.photo}


def _known(request: Request, name: str) -> int:
    number = request.path_params[name]
    if not is_number(number, _ID_DIGITS):
        raise HTTPException(404)
    return int(number)


def _number(digits: str, most: int = _DIGITS) -> int:
    return int(digits) if is_number(digits, most) else 0


def _rows(places: list[Place]) -> list[dict[str, Cell]]:
    names = ("draw", "uscc", "enterprise", "site_no", "asset_no", "name", "expected")
    return [
        {name: getattr(one.drawn, name) for name in names}
        | (
            {"found": one.entry.found, "connected": one.entry.connected, "photo": one.entry.photo}
            if one.entry
            else {}
        )
        for one in places
    ]
