"""The city's console: which address is which page."""

import asyncio
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gateway.city.access.bearers import OPENS, CityTokens
from gateway.city.access.principal import Permission, Principal, administrator
from gateway.city.access.sessions import CitySessions
from gateway.city.console.api import api
from gateway.city.console.api.page import PAGE
from gateway.city.console.asking import Gate, asks_purpose, operates
from gateway.city.console.charts.pictures import VERSION, Pictures, bundle
from gateway.city.console.context import ConsoleContext
from gateway.city.console.control import DemonstrationControl
from gateway.city.console.observation import FIGURES, Observation
from gateway.city.console.pages import details, movers, published
from gateway.city.console.pages.alerting import addresses as alerting
from gateway.city.console.pages.audit import AuditLog
from gateway.city.console.pages.checking import addresses as checking
from gateway.city.console.pages.choice import KEPT, ChoiceError, Choosing, MonthEndpoint
from gateway.city.console.pages.codes import ADDRESS, CodePage
from gateway.city.console.pages.drilldown import Drilldown
from gateway.city.console.pages.enterprises import page as enterprises
from gateway.city.console.pages.identifiers import assigning, labels, outbox
from gateway.city.console.pages.identifiers.assigning import Assigning
from gateway.city.console.pages.identifiers.labels import LabelsPage
from gateway.city.console.pages.identifiers.outbox import OutboxPage
from gateway.city.console.pages.issued import opendata, sheet
from gateway.city.console.pages.ledger import addresses as ledger
from gateway.city.console.pages.machine import MachinePage, machine_address
from gateway.city.console.pages.movers import Movers
from gateway.city.console.pages.overview import Overview
from gateway.city.console.pages.people import account, people, tokens, users
from gateway.city.console.pages.records import Records
from gateway.city.console.queries.figures import Figures
from gateway.city.console.revisions import page as revisions
from gateway.city.console.search import page as search
from gateway.city.console.wall import page as wall
from gateway.city.console.wall.page import Wall
from gateway.city.rates.plan import is_planned
from gateway.city.rates.reports.shown import edges_of, percent_text, points_text
from gateway.city.rates.reports.statistics import machines_text
from gateway.web.access.admission import visitor_of
from gateway.web.access.reader import Reader
from gateway.web.application import compose
from gateway.web.assets import CACHE, Assets
from gateway.web.catalog.sentences import said
from gateway.web.pages import Endpoint, Pages, Site, preferences

TEMPLATES = Path(__file__).parent / "templates"
NEEDS = {
    "/enterprises": Permission.ENTERPRISES,
    movers.ADDRESS: Permission.ENTERPRISES,
    "/identifiers": Permission.RELEASE,
    "/identifiers/outbox": Permission.RELEASE,
    "/identifiers/labels": Permission.LABELS,
    search.ADDRESS: Permission.ENTERPRISES,
    "/gaps": Permission.ENTERPRISES,
    "/alerts": Permission.ENTERPRISES,
    **ledger.NEEDS,
    "/quality": Permission.ENTERPRISES,
    "/books": Permission.ENTERPRISES,
    ADDRESS: Permission.ENTERPRISES,
    "/audit": Permission.AUDIT_LOG,
    **checking.NEEDS,
    users.ADDRESS: Permission.USERS,
    tokens.ADDRESS: Permission.USERS,
}
"""What the frame names for those only who may look at it; the routes decide."""
BUNDLE = f"/charts/vega-{VERSION}.js"
NAVIGATION = (
    ("/", "nav.overview"),
    ("/enterprises", "nav.enterprises"),
    ("/industries", "nav.industries"),
    (movers.ADDRESS, "nav.movers"),
    ("/identifiers", "nav.identifiers"),
    ("/ledger", "nav.ledger"),
    ("/gaps", "nav.gaps"),
    ("/alerts", "nav.alerts"),
    ("/quality", "nav.quality"),
    ("/books", "nav.books"),
    ("/definitions", "nav.definitions"),
)
FOOT = (
    (wall.ADDRESS, "nav.wall"), (revisions.ADDRESS, "nav.revisions"), (PAGE, "nav.api"),
    (published.ADDRESS, "nav.published"), (opendata.ADDRESS, "opendata.title"),
    *checking.FOOT, (ADDRESS, "nav.codes"), ("/audit", "nav.audit"),
)  # fmt: skip
PEOPLE = (
    (users.ADDRESS, "nav.users"), (tokens.ADDRESS, "nav.tokens"), (account.ADDRESS, "nav.account"),
)  # fmt: skip
"""At the foot of each page where people log in by name."""


def build(context: ConsoleContext) -> ASGIApp:
    """The console as a guarded ASGI application."""
    console, pages = context.config.console, _pages(context)
    holder = administrator("local" if not console.has_login else "token")
    token, base = console.access_token(), context.database
    kept = CitySessions(base, token, holder, is_by_name=console.accounts)
    known, observation = CityTokens(base, context.now_ms), Observation(context)
    return compose(
        pages,
        console,
        [*_routes(context, pages), *people.routes(context, pages, kept, known)],
        observation.check,
        observation.metrics,
        tolerable=frozenset({FIGURES}),  # a watchdog that starts the city anew mends nothing
        kept=kept,
        holder=holder,
        open_paths=people.open_paths(context),
        operates=operates,
        tokens=known if console.accounts else None,
        programs=OPENS,
        sizes=ledger.SIZES,
    )


def _routes(context: ConsoleContext, pages: Pages) -> list[Route]:
    """What is for who has logged in, each address with the permission that it needs."""
    gate, figures, pictures = Gate(context, pages), Figures(context), Pictures()
    choosing, public = Choosing(context, figures), published.PublishedPage(context)
    url = context.config.demonstration_control
    control = DemonstrationControl(url) if url else None
    overview = Overview(context, figures, pictures, control)
    records = Records(context, figures.gateways)
    endpoint = _months_of(pages, choosing)
    return [
        *gate.allow(Permission.FIGURES, *_overview_routes(pages, choosing, overview)),
        *_drilldown_routes(gate, endpoint, Drilldown(context, figures)),
        *enterprises.routes(gate, endpoint, context, figures),
        *movers.routes(gate, endpoint, Movers(context, figures)),
        *checking.routes(gate, endpoint, context, pages, figures),
        *details.routes(gate, endpoint, details.Details(context, figures)),
        *sheet.routes(gate, endpoint, sheet.Sheet(context, figures)),
        *_machine_routes(gate, endpoint, MachinePage(context, figures, pictures)),
        *_record_routes(gate, pages, records),
        *search.routes(gate, context, pages),
        *alerting.routes(gate, context, pages, figures),
        *ledger.routes(gate, context, pages),
        *revisions.routes(gate, endpoint, revisions.Revisions(context)),
        *wall.routes(gate, endpoint, Wall(context, figures, pictures)),
        *gate.allow(Permission.ENTERPRISES, *_code_routes(CodePage(context, pages))),
        *_identifier_routes(gate, context, pages),
        *published.routes(gate, pages, public),
        *opendata.routes(gate, pages, opendata.OpenData(context, public)),
        *_control_routes(gate, control),
        *api.routes(gate, context, pages, api.Shared(figures, choosing, records, public)),
        *gate.allow(Permission.AUDIT_LOG, Route("/audit", pages.endpoint(AuditLog(context).view))),
    ]


def _control_routes(gate: Gate, control: DemonstrationControl | None) -> list[Route]:
    if control is None:
        return []
    change = Route("/demo/lines/{line}/{action}", control.change, methods=["POST"])
    return gate.allow(Permission.ENROL, change)


def _months_of(pages: Pages, choosing: Choosing) -> MonthEndpoint:
    return lambda view: pages.endpoint(choosing.told(view))


def _pages(context: ConsoleContext) -> Pages:
    config = context.config
    site = Site(
        name={"zh": config.city.name_zh, "en": config.city.name_en},
        navigation=NAVIGATION,
        demonstration=config.demonstration,
        secure=config.console.tls is not None,
        login=config.console.has_login,
        foot=FOOT + PEOPLE if config.console.accounts else FOOT,
        kept=KEPT,
        search=search.ADDRESS,
        asks_purpose=asks_purpose(context),
        within=alerting.WITHIN,
    )
    filters: dict[str, Callable[..., object]] = {
        "machines": machines_text,
        "percent": partial(percent_text, edges=edges_of(*context.definitions.values())),
        "points": points_text,
        "said": said,
    }
    variables = {"bundle_url": BUNDLE, "machine_address": machine_address, "is_planned": is_planned}
    macros = {"figures": "figures.html", "ids": "identifiers.html", "people": "people.html"}
    macros |= {"ledger": "ledger.html", "watch": "watching.html"}
    return Pages(
        site,
        Assets(),
        (TEMPLATES,),
        filters,
        variables | people.variables(config),
        macros,
        missing_since_ms=lambda: context.live.missing_since_ms,
        reader=_reader,
    )


def _reader(request: Request) -> Reader | None:
    """Who asks, for the frame of each page; None on a page that is open to everybody."""
    who = visitor_of(request)
    if not isinstance(who, Principal):
        return None

    def may(target: str) -> bool:
        return who.may(NEEDS.get(target, Permission.FIGURES))

    return Reader(who.name, may, None if who.scope.is_whole else who.scope)


def _overview_routes(pages: Pages, choosing: Choosing, overview: Overview) -> list[Route]:
    return [
        Route("/", _months_of(pages, choosing)(overview.view)),
        Route("/charts/trend.json", _trend_endpoint(choosing, overview)),
        Route(BUNDLE, _bundle),
    ]


def _drilldown_routes(gate: Gate, endpoint: MonthEndpoint, views: Drilldown) -> list[Route]:
    return [
        *gate.allow(
            Permission.ENTERPRISES,
            Route("/enterprises/{uscc}", endpoint(views.enterprise)),
        ),
        *gate.allow(Permission.FIGURES, Route("/industries", endpoint(views.industries))),
    ]


def _machine_routes(gate: Gate, endpoint: MonthEndpoint, machine: MachinePage) -> list[Route]:
    async def chart(request: Request) -> Response:
        return _json(await machine.chart(request))

    address = "/enterprises/{uscc}/{site}/{asset}"
    return [
        *gate.allow(Permission.ENTERPRISES, Route(address, endpoint(machine.view))),
        *gate.allow(Permission.READINGS, Route(f"{address}/chart.json", chart)),
    ]


def _code_routes(codes: CodePage) -> list[Route]:
    return [Route(ADDRESS, codes.answer), Route(f"{ADDRESS}/{{code:path}}", codes.answer)]


def _identifier_routes(gate: Gate, context: ConsoleContext, pages: Pages) -> list[Route]:
    waiting, box, printing = Assigning(context), OutboxPage(context), LabelsPage(context)
    return [
        *gate.allow(
            Permission.RELEASE,
            Route(assigning.ADDRESS, pages.endpoint(waiting.view)),
            Route(f"{assigning.ADDRESS}/release", waiting.release, methods=["POST"]),
            Route(outbox.ADDRESS, pages.endpoint(box.view)),
            Route(f"{outbox.ADDRESS}/ask", box.ask, methods=["POST"]),
        ),
        *gate.allow(
            Permission.LABELS,
            Route(labels.ADDRESS, pages.endpoint(printing.view)),
            Route(f"{labels.ADDRESS}/file", printing.file),
        ),
    ]


def _record_routes(gate: Gate, pages: Pages, records: Records) -> list[Route]:
    return [
        *gate.allow(
            Permission.ENTERPRISES,
            Route("/gaps", pages.endpoint(records.gaps)),
            Route("/quality", pages.endpoint(records.quality)),
            Route("/books", pages.endpoint(records.books)),
        ),
        *gate.allow(Permission.FIGURES, Route("/definitions", pages.endpoint(records.definitions))),
    ]


def _trend_endpoint(choosing: Choosing, overview: Overview) -> Endpoint:
    async def trend(request: Request) -> Response:
        try:
            choice = await choosing.choice(request)
        except ChoiceError:
            raise HTTPException(404) from None
        return _json(await overview.trend(choice, preferences(request).language, "interactive"))

    return trend


def _json(body: Mapping[str, object]) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), media_type="application/json")


async def _bundle(_request: Request) -> Response:
    body = await asyncio.to_thread(bundle)
    return Response(body, media_type="text/javascript", headers={"cache-control": CACHE})
