"""The page ``/revisions``: every vintage of a month, what changed, and why."""

from collections.abc import Callable, Iterable

from starlette.requests import Request
from starlette.routing import Route

from gateway.city.access.principal import Permission
from gateway.city.console.asking import Gate
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.choice import Choice, MonthView
from gateway.city.console.revisions.vintages import Vintage, vintages
from gateway.city.rates.frozen.results import CORRECTIONS
from gateway.city.rates.reports.shown import shown_by
from gateway.web.formats import moment
from gateway.web.pages import Endpoint, View
from gateway.web.tables import Cell, Table

ADDRESS = "/revisions"
COLUMNS = (
    "month", "vintage", "status", "computed", "networked", "equipment", "pooled_percent",
    "reason_zh", "reason_en", "note", "corrected_by", "definition_hash", "ledger_change",
    "evidence_root", "job", "started_by", "software", "code",
)  # fmt: skip

_JOB = ("job", "started_by", "software", "code")


class Revisions:
    """What was published of each month, one after the other."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    async def view(self, _request: Request, choice: Choice) -> View:
        """The vintages of the chosen month, or of all where the address names none."""
        context = self._context
        found = await context.database.read(
            vintages,
            choice.definition.id,
            choice.month,
            choice.scope,
            context.config.demonstration,
        )
        data = {"choice": choice, "vintages": found, "reasons": CORRECTIONS}
        return View("revisions.html", data, table=_file(found, choice))


def _file(found: Iterable[Vintage], choice: Choice) -> Table:
    write = shown_by(choice.definition)
    rows: list[dict[str, Cell]] = [
        {
            "month": one.month,
            "vintage": one.number,
            "status": one.status,
            "computed": moment(one.computed_ms),
            "networked": one.networked,
            "equipment": one.equipment,
            "pooled_percent": None if one.pooled is None else write(one.pooled),
            "reason_zh": CORRECTIONS[one.correction.reason].zh if one.correction else None,
            "reason_en": CORRECTIONS[one.correction.reason].en if one.correction else None,
            "note": one.correction.note if one.correction else None,
            "corrected_by": one.correction.corrected_by if one.correction else None,
            "definition_hash": one.definition_hash,
            "ledger_change": one.ledger_change,
            "evidence_root": one.root or None,
            "job": one.job.number if one.job else None,
            "started_by": one.job.started_by or None if one.job else None,
            "software": one.job.software if one.job else None,
            "code": one.job.code if one.job else None,
        }
        for one in found
    ]
    name = f"revisions-{choice.definition.id}"
    words, heads = {"status": "rate.status"}, {one: f"revisions.{one}" for one in _JOB}
    return Table(name, COLUMNS, rows, {"definition": choice.definition.id}, heads, words)


def routes(
    gate: Gate, endpoint: Callable[[MonthView], Endpoint], revisions: Revisions
) -> list[Route]:
    """The address of the revisions."""
    return gate.allow(Permission.FIGURES, Route(ADDRESS, endpoint(revisions.view)))
