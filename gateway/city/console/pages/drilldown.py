"""Industries, and an enterprise with its machine list."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from gateway.city.access.principal import Permission, Scope, ScopeKind
from gateway.city.alerts.model import Level
from gateway.city.console.asking import note_view, principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.exports.workbooks import workbooks
from gateway.city.console.live.present import Link
from gateway.city.console.pages.alerting.button import watchable
from gateway.city.console.pages.choice import Choice
from gateway.city.console.queries.database import (
    EnterpriseRow,
    enterprise_of,
    equipment_names,
)
from gateway.city.console.queries.figures import FILE_WAIT_S, Figures
from gateway.city.ledger.agreements.held import standing
from gateway.city.ledger.agreements.report import unagreed
from gateway.city.ledger.codes import county_name, industry_name
from gateway.city.ledger.names import MachineName
from gateway.city.rates.cells.heat import heat
from gateway.city.rates.declared.gaps import gap
from gateway.city.rates.declared.report import Beside, reasons_of
from gateway.city.rates.declared.values import declared
from gateway.city.rates.reports.drilldown import MachineVerdict
from gateway.city.rates.reports.export import NOTE_WORDS, as_table, rate_notes
from gateway.city.rates.reports.table import PublishedMonth, RateTable
from gateway.core.days import day_of
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


@dataclass(frozen=True, slots=True)
class CountedSince:
    """A stored result of an enterprise, and what its machines come to by what is known now.

    Attributes:
        vintage: number of the stored result.
        stored: its numerator and denominator.
        now: those of the machines.
    """

    vintage: int
    stored: tuple[int, int]
    now: tuple[int, int]


class Drilldown:
    """Pages between the overview and a machine."""

    def __init__(self, context: ConsoleContext, figures: Figures) -> None:
        self._context = context
        self._figures = figures

    async def industries(self, request: Request, choice: Choice) -> View:
        """The rate by industry."""
        month = await self._month(request, choice)
        table, hot = month.table("industry"), heat(month.cells.get("county-industry", {}))
        data = {
            "choice": choice,
            "table": table,
            "cells": table.ranked(),
            "heat": hot,
            "heat_counties": sorted({county for row in hot.values() for county in row}),
            "county_name": county_name,
            "industry_name": industry_name,
        }
        file = as_table(table)
        files = workbooks(self._context, request, file, table.definition, choice.shown)
        return View("industries.html", data, ("cells", "note", "heat"), 4.0, file, files=files)

    async def _month(self, request: Request, choice: Choice, uscc: str = "") -> PublishedMonth:
        """The chosen month; a file waits longer for its first figure than a page.

        An enterprise that is seen is seen with its past, also of when it belonged elsewhere.
        """
        wait_s = FILE_WAIT_S if is_file(request) else None
        scope = choice.scope
        if uscc and not scope.is_whole:
            scope = Scope(ScopeKind.ENTERPRISES, frozenset({uscc}))
        return await self._figures.month(choice.definition.id, scope, wait_s, choice.month)

    async def enterprise(self, request: Request, choice: Choice) -> View:
        """One enterprise with all its machines: counted or not, and why."""
        row = await self._enterprise(request)
        table = await self._table_beside(request, choice, row.uscc)
        machines = await self._machines(row.uscc, choice)
        beside = await self._beside(row.uscc, choice, machines)
        since = counted_since(table, row.uscc, [one.verdict for one in machines])
        data = {
            "beside": beside,
            "since": since,
            "reasons": reasons_of(beside.gap) if beside else (),
            "choice": choice,
            "row": row,
            "table": table,
            "definition": choice.definition,
            "cell": table and next((cell for cell in table.cells if cell.key == row.uscc), None),
            "machines": machines,
            "county": county_name(row.county),
            "industry": industry_name(row.industry),
            **await self._agreed(row.uscc),
            "may_check": principal_of(request).may(Permission.FINDINGS),
            "watching": await watchable(self._context, request, Level.ENTERPRISE, row.uscc),
        }
        notes = rate_notes(table) if table else {}
        if since is not None:
            notes["counted_now"] = "{} / {}".format(*since.now)
        file = _machine_table(row, machines, notes)
        return View("enterprise.html", data, ("summary", "machines"), 2.0, file)

    async def _agreed(self, uscc: str) -> dict[str, Any]:
        """What may be collected of an enterprise."""
        read = self._context.database.read
        return {
            "agreements": await read(standing, uscc),
            "unagreed": await read(unagreed, uscc),
            "demanded": self._context.config.agreements.required,
            "today": day_of(self._context.now_ms()),
        }

    async def _beside(
        self, uscc: str, choice: Choice, machines: list[MachineLine]
    ) -> Beside | None:
        """What the enterprise declares of the month, beside how its machines count."""
        values = await self._context.database.read(declared, choice.shown, uscc)
        if uscc not in values:
            return None
        value = values[uscc]
        return Beside(value, gap(value.value, [one.verdict.reason for one in machines]))

    async def _table_beside(self, request: Request, choice: Choice, uscc: str) -> RateTable | None:
        """The figures beside an enterprise's machines, which need not wait for them."""
        try:
            return (await self._month(request, choice, uscc)).table("enterprise")
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


def counted_since(
    table: RateTable | None, uscc: str, machines: Iterable[MachineVerdict]
) -> CountedSince | None:
    """How the machines of an enterprise are counted otherwise than in a stored month; None: alike.

    A stored month keeps its figures; machines are judged by ledger and evidence as they are now.
    """
    if table is None or table.vintage is None or table.definition.measure == "ledger":
        return None
    cell = next((one for one in table.cells if one.key == uscc), None)
    stored = (cell.networked, cell.equipment) if cell else (0, 0)
    reasons = [one.reason for one in machines]
    now = sum(one.networked for one in reasons), sum(one.counted for one in reasons)
    return None if now == stored else CountedSince(table.vintage, stored, now)


def link_state(link: Link | None) -> tuple[str, str]:
    """Kind and catalogue key of a link; None: no gateway names the machine."""
    if link is None:
        return "idle", "link.none"
    kinds: Mapping[str, str] = {"up": "good", "down": "bad", "starting": "warn"}
    return kinds.get(link.link, "idle"), f"link.{link.link}"


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
