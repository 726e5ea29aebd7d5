"""Enterprises, their machines with verdict and reason, and the days that these rest on."""

from typing import Any
from urllib.parse import unquote

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request

from gateway.city.access.principal import Scope
from gateway.city.console.api.answers.registered import (
    DaysSaid,
    EnterprisesAsked,
    EnterprisesSaid,
    MachineAsked,
    MachineSaid,
    MachinesAsked,
    MachinesSaid,
    days_said,
    enterprise_said,
    verdict_said,
)
from gateway.city.console.api.declaring import (
    ONE,
    ROWS,
    Operation,
)
from gateway.city.console.api.paging import part
from gateway.city.console.asking import note_view, principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.choice import Choice, Choosing
from gateway.city.console.queries.database import (
    enterprise_of,
    enterprises,
    machine_row,
)
from gateway.city.console.queries.figures import Figures
from gateway.city.db.operation import began_on
from gateway.city.ledger.names import MachineName
from gateway.city.rates.period import period_of
from gateway.city.rates.proving.proof import Asked as Machine
from gateway.city.rates.proving.proof import Proof, proven


class RegisterApi:
    """Operations about enterprises and machines.

    Args:
        context: of the console.
        figures: of the city.
        choosing: month and definition of a request.
    """

    def __init__(self, context: ConsoleContext, figures: Figures, choosing: Choosing) -> None:
        self._context = context
        self._figures = figures
        self._choosing = choosing

    def operations(self) -> list[Operation]:
        """What can be asked for."""
        one = "/enterprises/{uscc}"
        machine = one + "/machines/{site}/{asset}"
        return [
            Operation(
                "enterprises", "/enterprises", ROWS, EnterprisesAsked, EnterprisesSaid,
                self.enterprises,
            ),
            Operation(
                "machines", one + "/machines", ONE, MachinesAsked, MachinesSaid, self.machines
            ),
            Operation("machine", machine, ONE, MachineAsked, MachineSaid, self.machine),
            Operation("days", machine + "/days", ONE, MachineAsked, DaysSaid, self.days),
        ]  # fmt: skip

    async def enterprises(self, request: Request, asked: EnterprisesAsked) -> EnterprisesSaid:
        """Enterprises that are seen."""
        scope = principal_of(request).scope
        known = await self._context.database.read(enterprises, scope)
        rows = [
            known[uscc]
            for uscc in sorted(known)
            if asked.county in {"", known[uscc].county}
            and asked.industry in {"", known[uscc].industry}
        ]
        found, cursor = part(rows, lambda row: row.uscc, asked)
        data = [enterprise_said(row) for row in found]
        return EnterprisesSaid(scope=str(scope), data=data, next=cursor)

    async def machines(self, request: Request, asked: MachinesAsked) -> MachinesSaid:
        """Machines of an enterprise: counted or not, and why."""
        choice, uscc = await self._choosing.choice(request), request.path_params["uscc"]
        row = await self._context.database.read(enterprise_of, uscc, choice.scope)
        if row is None:
            raise HTTPException(404)
        await note_view(self._context, request, uscc)
        verdicts = await self._figures.machines(uscc, choice.definition.id, choice.month)
        found, cursor = part(verdicts, lambda one: str(one.equipment_id), asked)
        return MachinesSaid(
            definition=choice.definition.id,
            month=choice.shown,
            enterprise=enterprise_said(row),
            data=[verdict_said(one) for one in found],
            next=cursor,
        )

    async def machine(self, request: Request, _asked: MachineAsked) -> MachineSaid:
        """One machine: counted or not, and why."""
        choice, machine = await self._choosing.choice(request), _machine_of(request)
        await self._row(request, machine, choice.scope)
        name = choice.definition.id
        verdicts = await self._figures.machines(machine.uscc, name, choice.month)
        own = (machine.site_no, machine.asset_no)
        found = [one for one in verdicts if (one.site_no, one.asset_no) == own]
        if not found:
            raise HTTPException(404)
        return MachineSaid(definition=name, month=choice.shown, data=verdict_said(found[0]))

    async def days(self, request: Request, _asked: MachineAsked) -> DaysSaid:
        """The evidence of a machine, day by day."""
        choice, machine = await self._choosing.choice(request), _machine_of(request)
        row = await self._row(request, machine, choice.scope)
        return days_said(await self._context.database.read(self._proof, row.id, machine, choice))

    def _proof(
        self, connection: Connection, machine_id: int, machine: MachineName, choice: Choice
    ) -> Proof:
        context, now_ms = self._context, self._context.now_ms()
        asked = Machine(
            machine_id=machine_id,
            machine=machine,
            period=period_of(choice.month, now_ms, began_on(connection)),
            now_ms=now_ms,
            demonstration=context.config.demonstration,
            headline=choice.definition,
            definitions=context.definitions,
        )
        return proven(connection, asked)

    async def _row(self, request: Request, machine: MachineName, scope: Scope) -> Any:
        row = await self._context.database.read(machine_row, machine, scope)
        if row is None:
            raise HTTPException(404)
        await note_view(self._context, request, machine.uscc)
        return row


def _machine_of(request: Request) -> MachineName:
    """Servers unquote a path before they split it: what is quoted twice may hold a slash."""
    given = request.path_params
    return MachineName(given["uscc"], unquote(given["site"]), unquote(given["asset"]))
