"""All findings that are kept: where each stands, how it was seen, and the form that explains it."""

from collections.abc import Iterable, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.city.access.principal import Permission
from gateway.city.console.asking import Gate, note_view, principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.identifiers.asked import demand_login, is_number
from gateway.city.console.pages.machine import machine_address
from gateway.city.ledger.codes import county_name
from gateway.city.rates.findings.kept.explaining import (
    DOCUMENT,
    REASON,
    ExplainError,
    OutdatedError,
    Saying,
    basis_of,
    explain,
)
from gateway.city.rates.findings.kept.keeping import State, foreign_of
from gateway.city.rates.findings.kept.listing import (
    HIDDEN,
    KeptFinding,
    Wanted,
    count,
    count_open,
    counties,
    listed,
    sayings,
    sightings,
)
from gateway.city.rates.findings.kept.nightly import last_pass
from gateway.city.rates.findings.model import Kind
from gateway.web.formats import moment
from gateway.web.forms import form_of
from gateway.web.i18n import Language, text
from gateway.web.pages import Pages, View
from gateway.web.tables import Cell, Table, is_file

ADDRESS = "/findings"
PAGE_ROWS = 50
FILE_ROWS = 10_000
_SIGHTINGS = 100
_DIGITS, _ID_DIGITS, _LONGEST = 6, 18, 100
ALL = "all"
COLUMNS = (
    "id", "state", "kind", "uscc", "enterprise", "county", "machines", "what_zh", "what_en",
    "month", "first_seen", "last_seen", "said_by", "said", "reason", "document",
)  # fmt: skip
_HEADINGS = {"kind": "clue.kinds", "machines": "clue.machines"} | {
    name: f"kept.{name}"
    for name in ("id", "state", "month", "first_seen", "last_seen", "said_by", "said", "reason",
                 "document", "what_zh", "what_en")
}  # fmt: skip


def routes(gate: Gate, context: ConsoleContext, pages: Pages) -> list[Route]:
    """The addresses of findings: of who inspects, and the form of who may explain."""
    own = KeptPage(context, pages)
    one = f"{ADDRESS}/{{number}}"
    return [
        *gate.allow(
            Permission.FINDINGS,
            Route(ADDRESS, pages.endpoint(own.view)),
            Route(one, pages.endpoint(own.one)),
        ),
        *gate.allow(Permission.EXPLAIN, Route(f"{one}/explain", own.explain, methods=["POST"])),
    ]


class KeptPage:
    """The pages and what the form does."""

    def __init__(self, context: ConsoleContext, pages: Pages) -> None:
        self._context, self._pages = context, pages

    async def view(self, request: Request) -> View:
        """Findings of who asks: open ones, unless the address says otherwise."""
        wanted, read = self.wanted(request), self._context.database.read
        page, whole = _number(request.query_params.get("page", "")), is_file(request)
        limit, offset = (FILE_ROWS, 0) if whole else (PAGE_ROWS, page * PAGE_ROWS)
        rows = await read(listed, wanted, limit, offset)
        total = await read(count, wanted)
        looked, oldest_ms = await read(last_pass, synthetic=wanted.synthetic)
        data = {
            "rows": rows,
            "total": total,
            "wanted": wanted,
            "states": list(State),
            "kinds": list(Kind),
            "counties": await read(counties, wanted.scope),
            "page": page,
            "pages": max(1, -(-total // PAGE_ROWS)),
            "looked": looked,
            "oldest_ms": oldest_ms,
            "whole": wanted.scope.is_whole,
            **_words(),
        }
        return View("kept_findings.html", data, ("list",), 4.0, file_of(rows))

    def wanted(self, request: Request) -> Wanted:
        """What an address asks for; what makes no sense there is as if it were not."""
        asked, scope = request.query_params, principal_of(request).scope
        state, kind = asked.get("state", State.OPEN), asked.get("kind", "")
        return Wanted(
            scope,
            self._context.config.demonstration,
            "" if state == ALL else state if state in set(State) else State.OPEN,
            kind if kind in set(Kind) else "",
            asked.get("county", "").strip()[:_LONGEST],
            asked.get("enterprise", "").strip()[:_LONGEST],
            asked.get("machine", "").strip()[:_LONGEST],
        )

    async def one(self, request: Request) -> View:
        """One finding: how it was seen and what was said, with the form."""
        return await self._one(request)

    async def explain(self, request: Request) -> Response:
        """``POST``: say why there is nothing to it, or that it is open again.

        Raises:
            HTTPException: 403 foreign form, or a console without a login; 404 no finding that who
                asks sees.
        """
        demand_login(self._context)
        fields, number = await form_of(request), _known(request)
        saying = Saying(
            number,
            fields.get("basis", ""),
            fields.get("act") != "reopen",
            fields.get("reason", ""),
            fields.get("document", ""),
        )
        by, synthetic = principal_of(request), self._context.config.demonstration
        now_ms, run = self._context.now_ms(), self._context.database.run
        try:
            if not await run(explain, by, synthetic, saying, now_ms):
                raise HTTPException(404)
        except ExplainError as error:
            view = await self._one(request, refusal=error.key, given=fields)
            return self._pages.render(request, view, 400)
        except OutdatedError:
            view = await self._one(request, refusal="outdated", given=fields)
            return self._pages.render(request, view, 409)
        return RedirectResponse(f"{ADDRESS}/{number}", 303)

    async def _one(
        self, request: Request, refusal: str = "", given: Mapping[str, str] | None = None
    ) -> View:
        asking, read = principal_of(request), self._context.database.read
        number, synthetic = _known(request), self._context.config.demonstration
        found = await read(listed, Wanted(asking.scope, synthetic, number=number), 1)
        if not found:
            raise HTTPException(404)
        if found[0].uscc:
            await note_view(self._context, request, found[0].uscc)
        may = asking.may(Permission.EXPLAIN) and self._context.config.console.has_login
        data = {
            "one": found[0],
            "basis": basis_of(found[0]),
            "seen": await read(sightings, asking.scope, number, _SIGHTINGS),
            "said": await read(sayings, number),
            "may_explain": may,
            "refusal": refusal,
            "given": given or {},
            "longest": {"reason": REASON, "document": DOCUMENT},
            **_words(),
        }
        return View("kept_finding.html", data, table=file_of(found))


async def open_findings(context: ConsoleContext, request: Request) -> int | None:
    """How many findings of who asks wait for an explanation; None: they may not see any."""
    asking, synthetic = principal_of(request), context.config.demonstration
    if not asking.may(Permission.FINDINGS):
        return None
    return await context.database.read(count_open, asking.scope, synthetic=synthetic)


def _words() -> Mapping[str, object]:
    return {"what_of": what_of, "place_of": place_of, "county_name": county_name, "hidden": HIDDEN}


def _known(request: Request) -> int:
    number = request.path_params["number"]
    if not is_number(number, _ID_DIGITS):
        raise HTTPException(404)
    return int(number)


def _number(digits: str) -> int:
    return int(digits) if is_number(digits, _DIGITS) else 0


def what_of(language: Language, one: KeptFinding) -> str:
    """What a finding rests on, in words."""
    said = text(language, f"clue.what.{one.kind}", **one.numbers)
    return f"{said}{text(language, f'kept.part.{one.part}')}" if one.part else said


def place_of(one: KeptFinding, machine: str) -> tuple[str, str]:
    """What a machine is called, and the address of its evidence; empty: it is hidden."""
    if machine == HIDDEN:
        return machine, ""
    foreign = foreign_of(machine)
    site, _, asset = machine.removeprefix(f"{foreign}/" * bool(foreign)).partition("/")
    return asset, f"{machine_address(foreign or one.uscc, site, asset)}?month={one.month}#evidence"


def file_of(rows: Iterable[KeptFinding]) -> Table:
    """Findings as a file."""
    words = {"state": "kept.state_of", "kind": "clue.kind"}
    return Table("findings", COLUMNS, [_cells(one) for one in rows], {}, _HEADINGS, words)


def _cells(one: KeptFinding) -> dict[str, Cell]:
    said = one.said
    return {
        "id": one.id,
        "state": one.state.value,
        "kind": one.kind.value,
        "uscc": one.uscc,
        "enterprise": one.enterprise,
        "county": one.county,
        "machines": " ".join(one.machines),
        "what_zh": what_of("zh", one),
        "what_en": what_of("en", one),
        "month": one.month,
        "first_seen": moment(one.first_ms),
        "last_seen": moment(one.last_ms),
        "said_by": said.made_by if said else "",
        "said": moment(said.at_ms) if said else "",
        "reason": said.reason if said else "",
        "document": said.document if said else "",
    }
