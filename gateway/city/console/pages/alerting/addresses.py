"""Which address is which page of alerts."""

from starlette.routing import Route

from gateway.city.access.principal import Permission
from gateway.city.console.asking import Gate
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.alerting import alerts, watch
from gateway.city.console.queries.figures import Figures
from gateway.web.pages import Pages

WITHIN = {watch.ADDRESS: alerts.ADDRESS}
"""Pages that the navigation counts to another one."""


def routes(gate: Gate, context: ConsoleContext, pages: Pages, figures: Figures) -> list[Route]:
    """The addresses of alerts, for who sees enterprises; of lists, for who keeps one."""
    shown, own = alerts.AlertsPage(context), watch.WatchPage(context, pages, figures)
    seen = Route(f"{alerts.ADDRESS}/{{number}}/acknowledge", shown.acknowledge, methods=["POST"])
    return [
        *gate.allow(Permission.ENTERPRISES, Route(alerts.ADDRESS, pages.endpoint(shown.view))),
        *gate.allow(
            Permission.WATCH,
            seen,
            Route(watch.ADDRESS, pages.endpoint(own.view), methods=["GET"]),
            Route(f"{watch.ADDRESS}/change", own.change, methods=["POST"]),
            Route(f"{watch.ADDRESS}/contact", own.contact, methods=["POST"]),
        ),
    ]
