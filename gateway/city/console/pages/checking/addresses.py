"""Which address is which page of what is checked on site."""

from collections.abc import Callable

from starlette.routing import Route

from gateway.city.access.principal import Permission
from gateway.city.console.asking import Gate
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.checking import drawn, findings, kept, samples
from gateway.city.console.pages.choice import MonthView
from gateway.city.console.queries.figures import Figures
from gateway.web.pages import Endpoint, Pages

NEEDS = {kept.ADDRESS: Permission.FINDINGS, drawn.ADDRESS: Permission.FINDINGS}
"""What the frame names for who may look at it."""
FOOT = ((kept.ADDRESS, "kept.title"), (drawn.ADDRESS, "sample.title"))


def routes(
    gate: Gate,
    endpoint: Callable[[MonthView], Endpoint],
    context: ConsoleContext,
    pages: Pages,
    figures: Figures,
) -> list[Route]:
    """The addresses of findings and looks on site, for who inspects."""
    return [
        *gate.allow(Permission.FINDINGS, *findings.routes(endpoint, context, figures)),
        *gate.allow(Permission.FINDINGS, samples.route(endpoint, context)),
        *drawn.routes(gate, context, pages),
        *kept.routes(gate, context, pages),
    ]
