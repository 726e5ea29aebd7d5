"""Looking for devices: which are there, who they are, what they let be read, what to copy.

Only where the page asks for a token, as for writing. Nothing is written by it: the file belongs to
the operator, is read when the gateway starts, and ``qulink check`` looks at it before.
"""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from edge_config.models.wide import narrow
from gateway.drivers.spec import DriverSpec
from gateway.edge.probing.order import LONGEST, NotAllowedError, Option, options_of, ordered
from gateway.edge.probing.prober import Prober, Search
from gateway.web.access.admission import address_of
from gateway.web.forms import form_of
from gateway.web.pages import Pages, View

MOST_FITS = 5
"""Profiles that are shown of a device."""
LEAST_FIT = 0.5
"""Of those that fit less many do."""
MOST_READABLE = 40
"""Ranges that are shown of a device."""
_BUSY_S = 1.0
"""Between two looks at the progress."""
_IDLE_S = 10.0
"""Of hundreds of units that were found nothing changes."""
_PATH = "/probe"


class ProbingPage:
    """The page; what the last search has found stays on it until the next.

    Args:
        prober: carries searches out.
        pages: to show what is asked back.
    """

    def __init__(self, prober: Prober, pages: Pages) -> None:
        self._prober = prober
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its addresses: a form begins, another one stops, the page shows how far it is."""
        return [
            Route(_PATH, self._pages.endpoint(self.view), methods=["GET"]),
            Route(_PATH, self.begin, methods=["POST"]),
            Route(f"{_PATH}/stop", self.stop, methods=["POST"]),
        ]

    async def view(self, request: Request) -> View:
        """The form of a driver, and the last search."""
        driver = request.query_params.get("driver", self._prober.usual_driver)
        fields = {"url": narrow(request.query_params.get("url", ""))[:LONGEST]}
        return self._shown(self._spec(driver), fields)

    async def begin(self, request: Request) -> Response:
        """Begin, or say why not; where the gateway itself reads there, ask what is to be done."""
        fields = await form_of(request)
        spec = self._spec(fields.get("driver", ""))
        own = fields.get("own", "")
        try:
            order = ordered(spec, fields, address_of(request))
            await self._prober.demand_allowed(order.reach)
            users = await self._prober.users(order.reach)
            is_shared = order.reach.serial == ""
            if users and own != "halt" and not (own == "beside" and is_shared):
                view = self._shown(spec, fields, users=users, is_shared=is_shared)
                return self._pages.render(request, view)
            self._prober.begin(order, users if own == "halt" else ())
        except NotAllowedError as error:
            return self._pages.render(request, self._shown(spec, fields, refusal=error))
        return RedirectResponse(f"{_PATH}#search", 303)

    async def stop(self, request: Request) -> Response:
        """End the search that goes on; what was found stays."""
        await form_of(request)
        self._prober.stop()
        return RedirectResponse(f"{_PATH}#search", 303)

    def _spec(self, driver: str) -> DriverSpec:
        found = self._prober.drivers.get(driver)
        if found is None:
            raise HTTPException(404)
        return found

    def _shown(self, spec: DriverSpec, fields: Mapping[str, str], **more: object) -> View:
        assert spec.search is not None  # noqa: S101 - or it is not among these
        last = self._prober.last
        options = options_of(spec.search.options)
        data = {
            "drivers": self._prober.drivers,
            "spec": spec,
            "example": spec.search.example,
            "asked": _asked(options, fields) if "driver" in fields else _usual(options, fields),
            "options": options,
            "ports": self._prober.ports(),
            "search": last,
            "devices": _devices(last),
            "least_fit": LEAST_FIT,
            "most_fits": MOST_FITS,
            "most_readable": MOST_READABLE,
            "users": (),
            "is_shared": True,
            "refusal": None,
            **more,
        }
        return View("probe.html", data, ("search",), _BUSY_S if self._prober.is_busy else _IDLE_S)


def _devices(search: Search | None) -> list[object]:
    report = search.outcome.report if search and search.outcome else None
    return list(report.devices) if report else []


def _usual(options: list[Option], fields: Mapping[str, str]) -> dict[str, str]:
    """An empty form; a flag stands in it if it is set."""
    return {one.name: one.default for one in options if one.default != "False"} | dict(fields)


def _asked(options: list[Option], fields: Mapping[str, str]) -> dict[str, str]:
    """A form as it was sent."""
    named = {one.name: fields.get(one.name, "")[:LONGEST] for one in options if not one.is_flag}
    flags = {one.name: "True" for one in options if one.is_flag and one.name in fields}
    return named | flags | {"url": narrow(fields.get("url", ""))[:LONGEST]}
