"""From a code to its machine, or to what others know of it: scanned from a label, or typed."""

import asyncio

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.city.access.principal import Permission, Principal, Scope
from gateway.city.console.asking import principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.machine import machine_address
from gateway.city.console.queries.database import machine_of_handle
from gateway.city.identifiers.resolving import faults_of, is_own, needs_login
from gateway.city.ledger.names import MachineName
from gateway.identifier.codes.classify import Candidate, classify, distinct
from gateway.identifier.codes.handle import Handle
from gateway.identifier.resolving.answer import Answer, Outcome
from gateway.web.pages import Pages, View

ADDRESS = "/id"
MOST_AT_ONCE = 8
"""Codes that others are asked for together: a crowd here is no flood there."""
RETRY_S = 5
"""When whoever found too many others asking is to try again."""
_LONGEST = 300
"""Characters of a code that are shown again; what is looked for is never cut."""
_MOST_ITEMS = 100
"""Items of an answer that are shown; an answer may have a mebibyte of them."""
_LONGEST_TEXT = 1_000
_STATUS = {
    Outcome.FOUND: 200,
    Outcome.BUSY: 502,
    Outcome.UNREACHABLE: 502,
    Outcome.BROKEN: 502,
}
"""HTTP status by what became of a question; others: 404."""


class CrowdedError(Exception):
    """As many codes are asked for as may be at a time."""


class CodePage:
    """Leads to the machine of an identifier; of any other code it says what is known of it.

    That is what the city's resolver finds, for whom may have it ask, and what the code may be.
    """

    def __init__(self, context: ConsoleContext, pages: Pages) -> None:
        self._context = context
        self._pages = pages
        self._asking: set[asyncio.Task[Answer]] = set()

    async def answer(self, request: Request) -> Response:
        """The machine's page, or what else is known: the code stands in the path or in a field."""
        asked = request.path_params.get("code") or request.query_params.get("code", "")
        asked = asked.strip()
        readings = classify(asked)
        asking = principal_of(request)
        machine = await self._machine(readings, asking.scope)
        if machine is not None:
            return RedirectResponse(machine_address(*machine), 303)
        try:
            found = await self._resolved(asked, asking)
        except CrowdedError:
            return self._crowded(request, asked)
        status = _STATUS.get(found.outcome, 404) if found else 404
        data = {"asked": asked[:_LONGEST], "readings": distinct(readings), "found": found}
        data |= await self._standing(asking)
        return self._pages.render(request, View("codes.html", data), status if asked else 200)

    async def _standing(self, asking: Principal) -> dict[str, object]:
        """Who cannot be asked, for whoever can mend it; and how much is shown."""
        resolver, can_mend = self._context.resolver, asking.may(Permission.OPERATE)
        return {
            "faults": await faults_of(resolver) if resolver is not None and can_mend else (),
            "needs_login": can_mend and needs_login(self._context.config),
            "most_items": _MOST_ITEMS,
            "longest": _LONGEST_TEXT,
        }

    async def _machine(self, readings: list[Candidate], scope: Scope) -> MachineName | None:
        for one in readings:
            if not isinstance(one.code, Handle):
                continue
            found = await self._context.database.read(machine_of_handle, one.code.key, scope)
            if found is not None:
                return found
        return None

    async def _resolved(self, asked: str, asking: Principal) -> Answer | None:
        """What is known of a text; None: it is no code that anybody could be asked for.

        Of the city's own identifiers only who sees all rows is told here; the machines that
        others see have led to their pages before.

        Raises:
            CrowdedError: too many others ask.
        """
        resolver = self._context.resolver
        if resolver is None or not asked or not asking.may(Permission.RESOLVE_OUTSIDE):
            return None
        if len(self._asking) >= MOST_AT_ONCE:
            raise CrowdedError
        task = asyncio.create_task(resolver.resolve_text(asked))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        answer = await asyncio.shield(task)  # whoever leaves makes no room: it is still asked for
        is_hidden = not asking.scope.is_whole and is_own(self._context.config, answer.code)
        is_no_code = answer.outcome is Outcome.INVALID and not answer.hops
        return None if is_hidden or is_no_code else answer

    def _crowded(self, request: Request, asked: str) -> Response:
        view = View("crowded.html", {"asked": asked[:_LONGEST], "retry_s": RETRY_S})
        response = self._pages.render(request, view, 503)
        response.headers["retry-after"] = str(RETRY_S)
        return response
