"""The alerts: what goes on and what has ended, why, since when, and who sees to it."""

from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.city.access.principal import Permission
from gateway.city.alerts.delivery.queue import deliveries, states
from gateway.city.alerts.model import Kind
from gateway.city.alerts.saying import address_of, subject_name, why
from gateway.city.alerts.standing import Alert, acknowledge, count, listed
from gateway.city.console.asking import principal_of
from gateway.city.console.context import ConsoleContext
from gateway.web.forms import form_of
from gateway.web.pages import View
from gateway.web.tables import Cell, Table, is_file, language_of

ADDRESS = "/alerts"
PAGE_ROWS = 50
FILE_ROWS = 10_000
_DIGITS = 6
_ID_DIGITS = 18


class AlertsPage:
    """The page and what its buttons do."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    async def view(self, request: Request) -> View:
        """Alerts of who asks, the newest first: those that go on, or those that have ended."""
        asking, read = principal_of(request), self._context.database.read
        asked = request.query_params
        ended, kind = asked.get("state") == "ended", asked.get("kind", "")
        kind = kind if kind in set(Kind) else ""
        page = _number(asked.get("page", ""))
        whole = is_file(request)
        limit = FILE_ROWS if whole else PAGE_ROWS
        offset = 0 if whole else page * PAGE_ROWS
        scope, inspects = asking.scope, asking.may(Permission.FINDINGS)
        rows = await read(listed, scope, limit=limit, offset=offset, ended=ended, kind=kind)
        total = await read(count, scope, ended, kind)
        only = None if scope.is_whole else asking.name
        told = {} if whole else await read(deliveries, [one.id for one in rows], only)
        data = {
            "rows": rows,
            "told": told,
            "dropped": (await read(states)).get("dropped", 0) if scope.is_whole else 0,
            "defect": self._context.alert_faults.going_on,
            "total": total,
            "ended": ended,
            "kind": kind,
            "kinds": [one for one in Kind if inspects or one is not Kind.FINDING],
            "may_inspect": inspects,
            "page": page,
            "pages": max(1, -(-total // PAGE_ROWS)),
            "may_see_to": asking.may(Permission.WATCH),
            "now_ms": self._context.now_ms(),
            "rules": self._context.config.alerts,
            "subject_name": subject_name,
            "why": why,
            "address_of": address_of,
        }
        table = _file(rows, request) if whole else None
        return View("alerts.html", data, ("list",), 4.0, table)

    async def acknowledge(self, request: Request) -> Response:
        """``POST``: say that somebody sees to an alert.

        Raises:
            HTTPException: 403 foreign form; 404 no alert that who asks sees.
        """
        fields, number = await form_of(request), request.path_params["number"]
        if not (number.isascii() and number.isdecimal() and len(number) <= _ID_DIGITS):
            raise HTTPException(404)
        asking, now_ms = principal_of(request), self._context.now_ms()
        if not await self._context.database.run(acknowledge, asking, int(number), now_ms):
            raise HTTPException(404)
        state = "?state=ended" if fields.get("state") == "ended" else ""
        return RedirectResponse(f"{ADDRESS}{state}", 303)


def _number(digits: str) -> int:
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= _DIGITS else 0


_COLUMNS = (
    "id", "kind", "level", "subject", "uscc", "name", "why",
    "since_ms", "began_ms", "ended_ms", "acknowledged_ms", "acknowledged_by",
)  # fmt: skip
_HEADINGS = {"kind": "alerts.kind_head", "name": "alerts.what", "why": "alerts.why_head"}
_HEADINGS |= {one: f"alerts.{one}" for one in ("level", "subject", "since_ms", "began_ms")}
_HEADINGS |= {
    one: f"alerts.{one}" for one in ("id", "ended_ms", "acknowledged_ms", "acknowledged_by")
}


def _file(rows: Sequence[Alert], request: Request) -> Table:
    language = language_of(request) or "en"  # for programs: the keys say the same
    cells: list[dict[str, Cell]] = [
        {
            "id": one.id,
            "kind": one.kind.value,
            "level": one.subject.level.value,
            "subject": one.subject.key,
            "uscc": one.subject.uscc,
            "name": subject_name(language, one),
            "why": why(language, one),
            "since_ms": one.since_ms,
            "began_ms": one.began_ms,
            "ended_ms": one.ended_ms,
            "acknowledged_ms": one.acknowledged_ms,
            "acknowledged_by": one.acknowledged_by,
        }
        for one in rows
    ]
    return Table("alerts", _COLUMNS, cells, {}, _HEADINGS)
