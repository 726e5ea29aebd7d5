"""The findings of an enterprise's month: what is worth a look on site."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route

from gateway.city.console.asking import note_view
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.choice import Choice, MonthView
from gateway.city.console.queries.database import enterprise_of
from gateway.city.console.queries.figures import Figures
from gateway.city.db.operation import began_on
from gateway.city.rates.findings.gathering import builtin_rules, findings_of
from gateway.city.rates.findings.model import Finding
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.model import Definition
from gateway.city.rates.period import period_of
from gateway.web.i18n import text
from gateway.web.pages import Endpoint, View
from gateway.web.tables import Cell, Table

ADDRESS = "/enterprises/{uscc}/findings"
_SENTENCES = ("kind", "what", "innocent", "check")
_HEADS = ("kinds", "rests", "innocent_title", "check_title")
_HEADINGS = {"machines": "clue.machines", "kind": "clue.code"} | {
    f"{name}_{language}": f"clue.{head}"
    for name, head in zip(_SENTENCES, _HEADS, strict=True)
    for language in ("zh", "en")
}


def routes(
    endpoint: Callable[[MonthView], Endpoint], context: ConsoleContext, figures: Figures
) -> list[Route]:
    """The address of this page."""
    return [Route(ADDRESS, endpoint(FindingsPage(context, figures).view))]


class FindingsPage:
    """The page of findings, for who inspects; enterprises do not see by what they are looked at."""

    def __init__(self, context: ConsoleContext, figures: Figures) -> None:
        self._context = context
        self._headline = figures.headline

    async def view(self, request: Request, choice: Choice) -> View:
        """Each finding with what it rests on, an innocent reason, and what to check."""
        context, uscc = self._context, request.path_params["uscc"]
        row = await context.database.read(enterprise_of, uscc, choice.scope)
        if row is None:
            raise HTTPException(404)
        await note_view(context, request, uscc)
        counts = choice.definition.measure == "networked"
        definition = choice.definition if counts else self._headline
        found = await context.database.read(self._found, definition, choice.month, uscc)
        data = {"choice": choice, "row": row, "found": found, "definition": definition}
        return View("findings.html", data, table=_file(found, choice.shown, definition.id))

    def _found(
        self, connection: Connection, definition: Definition, month: str | None, uscc: str
    ) -> Sequence[Finding]:
        now_ms, demonstration = self._context.now_ms(), self._context.config.demonstration
        period = period_of(month, now_ms, began_on(connection))
        inquiry = Inquiry(definition, period, now_ms, demonstration, uscc=uscc)
        return findings_of(connection, inquiry, builtin_rules())


def _file(found: Sequence[Finding], month: str, definition: str) -> Table:
    sentences = [f"{name}_{language}" for name in _SENTENCES for language in ("zh", "en")]
    rows = [_cells(one) for one in found]
    columns = ("enterprise", "machines", "kind", *sentences)
    notes: dict[str, Cell] = {"month": month, "definition": definition}
    return Table("findings", columns, rows, notes, _HEADINGS)


def _cells(one: Finding) -> dict[str, Cell]:
    own: dict[str, Cell] = {"enterprise": one.whose, "machines": " ".join(one.machines)}
    own["kind"] = one.kind.value
    for name in _SENTENCES:
        for language in ("zh", "en"):
            key = f"clue.{name}.{one.kind}"
            own[f"{name}_{language}"] = text("zh" if language == "zh" else "en", key, **one.numbers)
    return own
