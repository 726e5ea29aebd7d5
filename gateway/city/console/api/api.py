"""The API put together: every operation, its document and its page."""

import json
from dataclasses import dataclass
from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.city.access.principal import Permission
from gateway.city.console.api.answering import Answering, unless_known
from gateway.city.console.api.answers.figures import FiguresApi
from gateway.city.console.api.answers.findings import FindingsApi
from gateway.city.console.api.answers.months import MonthsApi
from gateway.city.console.api.answers.published import PublishedApi
from gateway.city.console.api.answers.quality import QualityApi
from gateway.city.console.api.answers.register import RegisterApi
from gateway.city.console.api.declaring import Operation
from gateway.city.console.api.document import ADDRESS, document
from gateway.city.console.api.page import PAGE, ApiPage
from gateway.city.console.asking import Gate
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.choice import Choosing
from gateway.city.console.pages.published import PublishedPage
from gateway.city.console.pages.records import Records
from gateway.city.console.queries.figures import Figures
from gateway.web.pages import Pages


@dataclass(frozen=True, slots=True)
class Shared:
    """What pages show, too: it is computed, and held, once for both."""

    figures: Figures
    choosing: Choosing
    records: Records
    public: PublishedPage


def routes(
    gate: Gate,
    context: ConsoleContext,
    pages: Pages,
    shared: Shared,
) -> list[Route]:
    """Every address of the API."""
    answering = Answering(context)
    declared = operations(context, shared)

    @cache
    def body() -> bytes:
        return json.dumps(document(declared), ensure_ascii=False).encode()

    async def told(request: Request) -> Response:
        return unless_known(request, body())

    return [
        *map(answering.route, declared),
        *gate.allow(
            Permission.FIGURES,
            Route(ADDRESS, told),
            Route(PAGE, pages.endpoint(ApiPage(declared).view)),
        ),
    ]


def operations(context: ConsoleContext, shared: Shared) -> list[Operation]:
    """Everything that can be asked for."""
    figures, choosing = shared.figures, shared.choosing
    return [
        *MonthsApi(context, choosing).operations(),
        *FiguresApi(context, figures, choosing).operations(),
        *RegisterApi(context, figures, choosing).operations(),
        *PublishedApi(context, shared.public).operations(),
        *FindingsApi(context).operations(),
        *QualityApi(context, shared.records).operations(),
    ]
