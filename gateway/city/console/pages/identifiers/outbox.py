"""What the node is yet to be told: entries, why they wait and until when; asking it again."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.city.console.asking import signature
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.identifiers.asked import asked_of, demand_login
from gateway.city.console.queries.identifiers import OPEN_STATES, outbox_page
from gateway.city.identifiers.progress.acts import ask_again
from gateway.city.identifiers.registering.pausing import pauses_now
from gateway.web.forms import form_of
from gateway.web.pages import View

ADDRESS = "/identifiers/outbox"
PAGE_ROWS = 50


class OutboxPage:
    """The page and what its form does."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    async def view(self, request: Request) -> View:
        """A page of entries that are not done, and for how long the node is left alone."""
        asked, now_ms = asked_of(request), self._context.now_ms()
        state = asked.state if asked.state in OPEN_STATES else ""
        rows, total = await self._context.database.read(
            outbox_page, state, asked.uscc, PAGE_ROWS, asked.page * PAGE_ROWS
        )
        data = {
            "rows": rows,
            "total": total,
            "asked": asked,
            "state": state,
            "states": OPEN_STATES,
            "pages": max(1, -(-total // PAGE_ROWS)),
            "pauses": await self._context.database.read(pauses_now, now_ms),
            "now_ms": now_ms,
        }
        return View("outbox.html", data, ("list",), 4.0)

    async def ask(self, request: Request) -> Response:
        """``POST``: ask the node again at once, about an enterprise or about all.

        Raises:
            HTTPException: 403 foreign form, or a console without a login.
        """
        demand_login(self._context)
        uscc = (await form_of(request)).get("enterprise", "")
        now_ms, who = self._context.now_ms(), signature(request)
        number = await self._context.database.run(ask_again, uscc, now_ms, who)
        return RedirectResponse(f"{ADDRESS}?{urlencode({'enterprise': uscc, 'done': number})}", 303)
