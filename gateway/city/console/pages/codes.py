"""From an identifier to its machine: for a phone that scans a label, and for whoever types one."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.city.access.principal import Scope
from gateway.city.console.asking import principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.machine import machine_address
from gateway.city.console.queries.database import machine_of_handle
from gateway.city.ledger.names import MachineName
from gateway.identifier.codes.classify import Candidate, classify, distinct
from gateway.identifier.codes.handle import Handle
from gateway.web.pages import Pages, View

ADDRESS = "/id"
_LONGEST = 300
"""Characters of a code that are shown again; what is looked for is never cut."""


class CodePage:
    """Leads to the machine of an identifier; of any other code it says what that may be."""

    def __init__(self, context: ConsoleContext, pages: Pages) -> None:
        self._context = context
        self._pages = pages

    async def answer(self, request: Request) -> Response:
        """The machine's page, or why there is none: the code stands in the path or in a field."""
        asked = request.path_params.get("code") or request.query_params.get("code", "")
        asked = asked.strip()
        readings = classify(asked)
        machine = await self._machine(readings, principal_of(request).scope)
        if machine is not None:
            return RedirectResponse(machine_address(*machine), 303)
        data = {"asked": asked[:_LONGEST], "readings": distinct(readings)}
        return self._pages.render(request, View("codes.html", data), 404 if asked else 200)

    async def _machine(self, readings: list[Candidate], scope: Scope) -> MachineName | None:
        for one in readings:
            if not isinstance(one.code, Handle):
                continue
            found = await self._context.database.read(machine_of_handle, one.code.key, scope)
            if found is not None:
                return found
        return None
