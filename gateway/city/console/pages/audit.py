"""The audit log as a page and a file: who did what to the city, and when."""

from datetime import date, timedelta

from starlette.exceptions import HTTPException
from starlette.requests import Request

from gateway.city.access.audit import Action, Entry, EntryFilter, Place, log_page
from gateway.city.console.context import ConsoleContext
from gateway.core.days import day_start_ms
from gateway.web.formats import moment
from gateway.web.i18n import action_words
from gateway.web.pages import View
from gateway.web.tables import Cell, Table, is_file

PAGE_ROWS = 50
FILE_ROWS = 10_000
_ACTIONS = frozenset(Action)
_LONGEST_WORD = 200
"""No column that is asked for holds more characters."""
_FIRST_YEAR = 1970
_PLACE_DIGITS = 18
"""So many digits fit the 64 bits of a column."""


class AuditLog:
    """What holders of the console's token may read of the log; on loopback without one, all."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    async def view(self, request: Request) -> View:
        """A page of the log, the newest first."""
        whole = is_file(request)
        page = await self._context.database.read(
            log_page,
            filter_of(request),
            FILE_ROWS if whole else PAGE_ROWS,
            None if whole else _place(request, "before"),
            None if whole else _place(request, "after"),
        )
        data = {
            "page": page,
            "actions": [str(one) for one in Action],
            "asked": _asked(request),
            "newer": _written(page.entries[0].place) if page.entries else "",
            "older": _written(page.entries[-1].place) if page.entries else "",
        }
        notes: dict[str, Cell] = {
            "as_of": moment(self._context.now_ms()),
            "complete": not page.has_older,
        }
        return View("audit.html", data, table=audit_table(page.entries, notes))


def filter_of(request: Request) -> EntryFilter:
    """What a request asks for; days are of Asia/Shanghai, and the last one is included.

    Raises:
        HTTPException: 400 a day is none, or the kind is unknown: a page that showed all instead
            would be taken for the answer.
    """
    asked = _asked(request)
    if asked["kind"] and asked["kind"] not in _ACTIONS:
        raise HTTPException(400)
    first, last = _day(asked["from"]), _day(asked["to"])
    return EntryFilter(
        action=asked["kind"],
        who=asked["who"],
        subject=asked["subject"],
        since_ms=day_start_ms(first) if first else 0,
        until_ms=day_start_ms(last + timedelta(days=1)) if last else None,
    )


def _asked(request: Request) -> dict[str, str]:
    names = ("kind", "who", "subject", "from", "to")
    given = request.query_params
    return {name: given.get(name, "").strip()[:_LONGEST_WORD] for name in names}


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise HTTPException(400) from error
    if not _FIRST_YEAR <= day.year < date.max.year:  # the next day must exist, too
        raise HTTPException(400)
    return day


def _place(request: Request, name: str) -> Place | None:
    """Where a page begins, as :func:`_written` gave it; anything else is no page of ours."""
    text = request.query_params.get(name)
    if not text:
        return None
    parts = text.split("-")
    if len(parts) != len(Place._fields) or not all(_is_number(part) for part in parts):
        raise HTTPException(400)
    return Place(*map(int, parts))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _PLACE_DIGITS


def _written(place: Place) -> str:
    return f"{place.at_ms}-{place.id}"


def audit_table(entries: list[Entry], notes: dict[str, Cell]) -> Table:
    """Entries as a file, one row each; the kind also in words of both languages."""
    columns = ("time", "who", "action", "action_zh", "action_en", "subject", "detail")
    rows: list[dict[str, Cell]] = [
        {
            "time": moment(one.at_ms),
            "who": one.who,
            "action": one.action,
            "action_zh": action_words("zh", one.action),
            "action_en": action_words("en", one.action),
            "subject": one.subject,
            "detail": one.detail,
        }
        for one in entries
    ]
    return Table("audit-log", columns, rows, notes)
