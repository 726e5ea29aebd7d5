"""Machines that wait for their identifier, and the form that releases them."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from edge_config.models.city import NEVER_MS
from edge_config.models.identifiers.suffix import SuffixPattern
from gateway.city.console.asking import signature
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.identifiers.asked import asked_of, demand_login
from gateway.city.console.queries.identifiers import waiting_page
from gateway.city.console.remember import Remembered
from gateway.city.identifiers.issuing import tokens_of
from gateway.city.identifiers.progress.acts import release_waiting
from gateway.city.identifiers.progress.standing import Progress, Standing, progress
from gateway.web.forms import form_of
from gateway.web.pages import View

ADDRESS = "/identifiers"
PAGE_ROWS = 50
_FIELDS = PAGE_ROWS + 10
_PROGRESS_S = 4.0
_MOST = 200
"""Enterprises that are listed; those below come up as these are released."""
_WHENCE = "console"
_KEY_DIGITS = 18


class Assigning:
    """The page and what its form does; progress is counted once for all who look."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context
        self._review_ms = context.config.identifier.review_ms
        self._pattern = SuffixPattern.parse(context.config.identifier.suffix)
        self._remembered = Remembered()

    async def view(self, request: Request) -> View:
        """How far all machines are, and a page of those that wait for their release."""
        asked, now_ms = asked_of(request), self._context.now_ms()
        found = await self._progress()
        waiting = sum(
            one.counts[Standing.REVIEW]
            for one in found.enterprises
            if not asked.uscc or one.uscc == asked.uscc
        )
        rows = await self._context.database.read(
            waiting_page, self._review_ms, now_ms, asked.uscc, PAGE_ROWS, asked.page * PAGE_ROWS
        )
        data = {
            "progress": found,
            "standings": tuple(Standing),
            "waiting_of": [one for one in found.enterprises if one.counts[Standing.REVIEW]][:_MOST],
            "review": Standing.REVIEW,
            "review_ms": self._review_ms,
            "has_end": self._review_ms < NEVER_MS,
            "rows": [(row, self._preview(row, now_ms)) for row in rows],
            "asked": asked,
            "pages": max(1, -(-waiting // PAGE_ROWS)),
            "waiting": waiting,
        }
        return View("assigning.html", data, ("progress",), _PROGRESS_S)

    async def _progress(self) -> Progress:
        read, now_ms = self._context.database.read, self._context.now_ms()
        return await self._remembered.get(
            "progress", _PROGRESS_S, lambda: read(progress, self._review_ms, now_ms)
        )

    def _preview(self, row: Any, now_ms: int) -> str:
        prefix = f"{self._context.config.identifier.prefix}.{row.identifier_code}"
        return f"{prefix}/{self._pattern.preview(tokens_of(row, now_ms))}"

    async def release(self, request: Request) -> Response:
        """``POST``: release the machines of an enterprise, or those that were chosen.

        Raises:
            HTTPException: 403 foreign form, or a console without a login; 400 nothing is chosen.
        """
        demand_login(self._context)
        fields = await form_of(request, _FIELDS)
        chosen = chosen_of(fields)
        uscc = "" if chosen else fields.get("enterprise", "")
        if not (chosen or uscc):
            raise HTTPException(400)
        number = await self._context.database.run(
            release_waiting,
            self._review_ms,
            self._context.now_ms(),
            signature(request),
            _WHENCE,
            uscc=uscc,
            machines=chosen or None,
        )
        self._remembered = Remembered()  # who released them is to see it
        return RedirectResponse(f"{ADDRESS}?done={number}", 303)


def chosen_of(fields: dict[str, str]) -> set[int]:
    """Keys of machines whose boxes were ticked: fields ``m-<key>``."""
    keys = (name.removeprefix("m-") for name in fields if name.startswith("m-"))
    return {
        int(key) for key in keys if key.isascii() and key.isdecimal() and len(key) <= _KEY_DIGITS
    }
