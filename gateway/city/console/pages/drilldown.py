"""County and industry → enterprise → machine list."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from gateway.city.access.principal import Permission
from gateway.city.console.asking import note_view, principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.exports.workbooks import workbooks
from gateway.city.console.live.present import Link
from gateway.city.console.pages.choice import Choice
from gateway.city.console.queries.database import (
    EnterpriseRow,
    enterprise_of,
    enterprises,
    equipment_names,
)
from gateway.city.console.queries.figures import FILE_WAIT_S, Figures
from gateway.city.ledger.codes import Name, county_name, industry_name
from gateway.city.ledger.names import MachineName
from gateway.city.rates.declared.gaps import gap
from gateway.city.rates.declared.report import Beside, reasons_of
from gateway.city.rates.declared.values import declared
from gateway.city.rates.reports.drilldown import MachineVerdict
from gateway.city.rates.reports.export import NOTE_WORDS, as_table, rate_notes
from gateway.city.rates.reports.table import RateCell, RateMonth, RateTable
from gateway.web.pages import View
from gateway.web.tables import Table, is_file
from gateway.web.waiting import NotYetError


@dataclass(frozen=True, slots=True)
class MachineLine:
    """One machine of an enterprise for a page."""

    verdict: MachineVerdict
    place: Any
    kind: str
    text_key: str
    cause: str


class Drilldown:
    """Pages between the overview and a machine."""

    def __init__(self, context: ConsoleContext, figures: Figures) -> None:
        self._context = context
        self._figures = figures

    async def industries(self, request: Request, choice: Choice) -> View:
        """The rate by industry."""
        table = (await self._month(request, choice)).table("industry")
        data = {"choice": choice, "table": table, "cells": table.ranked()}
        file = as_table(table)
        files = workbooks(self._context, request, file, choice.definition, choice.shown)
        return View("industries.html", data, ("cells", "note"), 4.0, file, files=files)

    async def _month(self, request: Request, choice: Choice) -> RateMonth:
        """The chosen month; a file waits longer for its first figure than a page."""
        wait_s = FILE_WAIT_S if is_file(request) else None
        definition = choice.definition.id
        return await self._figures.month(definition, choice.scope, wait_s, choice.month)

    async def enterprises(self, request: Request, choice: Choice) -> View:
        """All enterprises."""
        return await self._group(request, choice, "", lambda _row: True, None)

    async def county(self, request: Request, choice: Choice) -> View:
        """The enterprises of a county."""
        code = request.path_params["key"]
        return await self._group(request, choice, "county", lambda row: row.county == code, code)

    async def industry(self, request: Request, choice: Choice) -> View:
        """The enterprises of an industry."""
        code = request.path_params["key"]
        return await self._group(
            request, choice, "industry", lambda row: row.industry == code, code
        )

    async def _group(
        self,
        request: Request,
        choice: Choice,
        by: str,
        belongs: Callable[[EnterpriseRow], bool],
        code: str | None,
    ) -> View:
        scope = principal_of(request).scope
        known = await self._context.database.read(enterprises, scope)
        members = {uscc: row for uscc, row in known.items() if belongs(row)}
        if code is not None and not members:
            raise HTTPException(404)
        month = await self._month(request, choice)
        table = month.table("enterprise")
        cells = [cell for cell in table.ranked() if cell.key in members]
        # Enterprises out of the definition's scope have no rate, but are not to vanish.
        counted = {cell.key for cell in cells}
        outside = [row for uscc, row in members.items() if uscc not in counted]
        name, total = _group_name(by, code), _total(month, by, code)
        file = as_table(table, cells if total is None else [total, *cells])
        data = {
            "choice": choice,
            "table": table,
            "cells": cells,
            "outside": outside,
            "rows": members,
            "by": by,
            "name": name,
            "total": total,
            "county_name": county_name,
            "industry_name": industry_name,
        }
        files = workbooks(self._context, request, file, choice.definition, choice.shown)
        return View("enterprises.html", data, ("headline", "cells"), 4.0, file, files=files)

    async def enterprise(self, request: Request, choice: Choice) -> View:
        """One enterprise with all its machines: counted or not, and why."""
        row = await self._enterprise(request)
        table = await self._table_beside(request, choice)
        machines = await self._machines(row.uscc, choice)
        beside = await self._beside(row.uscc, choice, machines)
        data = {
            "beside": beside,
            "reasons": reasons_of(beside.gap) if beside else (),
            "choice": choice,
            "row": row,
            "table": table,
            "definition": choice.definition,
            "cell": table and next((cell for cell in table.cells if cell.key == row.uscc), None),
            "machines": machines,
            "county": county_name(row.county),
            "industry": industry_name(row.industry),
            "may_check": principal_of(request).may(Permission.FINDINGS),
        }
        file = _machine_table(row, machines, rate_notes(table) if table else {})
        return View("enterprise.html", data, ("summary", "machines"), 2.0, file)

    async def _beside(
        self, uscc: str, choice: Choice, machines: list[MachineLine]
    ) -> Beside | None:
        """What the enterprise declares of the month, beside how its machines count."""
        values = await self._context.database.read(declared, choice.shown, uscc)
        if uscc not in values:
            return None
        value = values[uscc]
        return Beside(value, gap(value.value, [one.verdict.reason for one in machines]))

    async def _table_beside(self, request: Request, choice: Choice) -> RateTable | None:
        """The city's figures beside an enterprise's machines, which need not wait for them."""
        try:
            return (await self._month(request, choice)).table("enterprise")
        except NotYetError:
            if is_file(request):
                raise
            return None

    async def _enterprise(self, request: Request) -> EnterpriseRow:
        uscc, scope = request.path_params["uscc"], principal_of(request).scope
        row = await self._context.database.read(enterprise_of, uscc, scope)
        if row is None:
            raise HTTPException(404)
        await note_view(self._context, request, uscc)
        return row

    async def _machines(self, uscc: str, choice: Choice) -> list[MachineLine]:
        places = await self._context.database.read(equipment_names, uscc)
        by_machine = {(place.site_no, place.asset_no): place for place in places}
        verdicts = await self._figures.machines(uscc, choice.definition.id, choice.month)
        lines = [
            self._line(verdict, by_machine[verdict.site_no, verdict.asset_no])
            for verdict in verdicts
            if (verdict.site_no, verdict.asset_no) in by_machine
        ]
        return sorted(lines, key=lambda line: (line.place.workshop, line.place.line))

    def _line(self, verdict: MachineVerdict, place: Any) -> MachineLine:
        link = self._context.live.link(MachineName(verdict.uscc, verdict.site_no, verdict.asset_no))
        return MachineLine(verdict, place, *link_state(link), link.cause if link else "")


def link_state(link: Link | None) -> tuple[str, str]:
    """Kind and catalogue key of a link; None: no gateway names the machine."""
    if link is None:
        return "idle", "link.none"
    kinds: Mapping[str, str] = {"up": "good", "down": "bad", "starting": "warn"}
    return kinds.get(link.link, "idle"), f"link.{link.link}"


def _total(month: RateMonth, by: str, code: str | None) -> RateCell | None:
    """The figure of the whole group; None: no enterprise of it is in the definition's scope."""
    table = month.table("industry" if by == "industry" else "county")
    if code is None:
        return table.city
    return next((cell for cell in table.cells if cell.key == code), None)


def _group_name(by: str, code: str | None) -> Name | None:
    if code is None:
        return None
    return county_name(code) if by == "county" else industry_name(code)


def _machine_table(row: EnterpriseRow, lines: list[MachineLine], notes: Mapping[str, Any]) -> Table:
    return Table(
        name=f"machines-{row.uscc}",
        columns=(
            "uscc", "site_no", "asset_no", "name", "workshop", "line", "class", "status",
            "link", "counted", "networked", "reason", "reason_zh", "valid_days", "service_days",
            "undated_days", "identifier",
        ),
        rows=[_machine_cells(line) for line in lines],
        notes=notes,
        headings={"status": "machine.status"},
        words={
            **NOTE_WORDS,
            **{one: one for one in ("status", "class", "link")},
            "table_status": NOTE_WORDS["status"],
        },
    )  # fmt: skip


def _machine_cells(line: MachineLine) -> dict[str, Any]:
    verdict = line.verdict
    return {
        "uscc": verdict.uscc,
        "site_no": verdict.site_no,
        "asset_no": verdict.asset_no,
        "name": verdict.name,
        "workshop": line.place.workshop,
        "line": line.place.line,
        "class": verdict.equipment_class,
        "status": verdict.status,
        "link": line.text_key.removeprefix("link."),
        "counted": verdict.reason.counted,
        "networked": verdict.reason.networked,
        "reason": str(verdict.reason),
        "reason_zh": verdict.why.zh,
        "valid_days": verdict.valid_days,
        "service_days": verdict.service_days,
        "undated_days": verdict.undated_days,
        "identifier": line.place.handle,
    }
