"""One machine: who it is, whether it answers, what it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote, unquote

from markupsafe import Markup
from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request

from gateway.city.access.principal import Permission, Scope
from gateway.city.alerts.model import Level
from gateway.city.console.asking import demand, note_view, principal_of
from gateway.city.console.charts.history import DOUBTS, history_chart
from gateway.city.console.charts.pictures import Pictures
from gateway.city.console.charts.specifications import PICTURES, Shape, Spec
from gateway.city.console.context import ConsoleContext
from gateway.city.console.doubt import Trust, doubt_words, trust_of
from gateway.city.console.live.present import MachineNow
from gateway.city.console.pages.alerting.button import watchable
from gateway.city.console.pages.choice import Choice
from gateway.city.console.pages.drilldown import link_state
from gateway.city.console.pages.readings import SPANS, Wish, readings_of, values_table, wish_of
from gateway.city.console.queries.database import enterprise_of, machine_row
from gateway.city.console.queries.figures import Figures
from gateway.city.console.queries.gaps import GapFilter, GapRow, gaps
from gateway.city.db.operation import began_on
from gateway.city.identifiers.labelled import label_code
from gateway.city.ledger.codes import county_name
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.stops.table import REASONS
from gateway.city.live.newest import LiveValue
from gateway.city.rates.period import period_of
from gateway.city.rates.proving.proof import Asked, Proof, proven
from gateway.city.rates.proving.strip import strip_of
from gateway.city.stores.api import Point, StoreError
from gateway.identifier.labels.symbol import qr
from gateway.web.i18n import Language, text
from gateway.web.pages import View, preferences
from gateway.web.tables import is_file

CHART_POINTS = 600
SHOWN_GAPS = 6
MAX_GAPS = 200


class MachinePage:
    """The page of a machine and its chart."""

    def __init__(self, context: ConsoleContext, figures: Figures, pictures: Pictures) -> None:
        self._context = context
        self._figures = figures
        self._pictures = pictures

    async def view(self, request: Request, choice: Choice) -> View:
        """Identifier, state, counting, live values, history."""
        machine = _machine_of(request)
        row = await self._row(request, machine)
        live = await self._context.live.machine(machine)
        language = preferences(request).language
        lacking = await self._gaps(principal_of(request).scope, live)
        may_read = _may_read(request)
        readings = readings_of(live, lacking) if may_read else []
        wish = wish_of(request, readings)
        data: dict[str, object] = {
            "verdict": await self._verdict(machine, choice),
            "choice": choice,
            "machine_live": live,
            "link": link_state(live.link if live else None),
            "readings": readings,
            "may_read": may_read,
            "wish": wish,
            "gaps": lacking[:SHOWN_GAPS],
            "now_ms": self._context.now_ms(),
            "watching": await watchable(self._context, request, Level.MACHINE, str(row.id)),
        }

        async def still() -> dict[str, object]:
            curve = await self._history_pictures(live, wish, language)
            scope = principal_of(request).scope
            return await self._record(machine, row, scope, choice) | curve

        blocks = ("state", "values", "gaps")
        return View("machine.html", data, blocks, 1.0, values_table(machine, readings), still)

    async def _record(
        self, machine: MachineName, row: Any, scope: Scope, choice: Choice
    ) -> dict[str, object]:
        """What does not change while somebody looks."""
        return {
            "row": row,
            "address": machine_address(*machine),
            "enterprise": await self._context.database.read(enterprise_of, machine[0], scope),
            "county_name": county_name,
            **await self._evidence(machine, row.id, choice, scope),
            "qr": self._qr(row.handle) if row.handle else None,
            "spans": tuple(SPANS),
        }

    def _qr(self, handle: str) -> Markup:
        return qr(label_code(handle, self._context.config.identifier.page_url))

    async def _row(self, request: Request, machine: MachineName) -> Any:
        scope = principal_of(request).scope
        row = await self._context.database.read(machine_row, machine, scope)
        if row is None:
            raise HTTPException(404)
        await note_view(self._context, request, machine.uscc)
        return row

    async def _evidence(
        self, machine: MachineName, machine_id: int, choice: Choice, scope: Scope
    ) -> dict[str, object]:
        """The days of a month, and what every definition makes of them."""
        at = choice.months.index(choice.shown) if choice.shown in choice.months else None
        beside: dict[str, object] = {
            "later": choice.months[at - 1] if at else None,
            "earlier": choice.months[at + 1]
            if at is not None and choice.months[at + 1 :]
            else None,
        }
        proof = await self._context.database.read(
            self._proof, machine, machine_id, choice, names=scope.is_whole
        )
        shown = choice.definition.id
        if shown not in proof.marks:  # what it counts is no days
            shown = proof.definition
        doubted = sum(one.doubted_hours != 0 for one in proof.days)
        strip = strip_of(proof, shown, self._context.definitions)
        return beside | {
            "strip": strip,
            "shown": shown,
            "doubted_days": doubted,
            "stop_reasons": REASONS,
        }

    def _proof(
        self,
        connection: Connection,
        machine: MachineName,
        machine_id: int,
        choice: Choice,
        *,
        names: bool,
    ) -> Proof:
        context, now_ms = self._context, self._context.now_ms()
        period = period_of(choice.month, now_ms, began_on(connection))
        asked = Asked(
            machine_id,
            machine,
            period,
            now_ms,
            context.config.demonstration,
            self._figures.headline,
            context.definitions,
            names,
        )
        return proven(connection, asked)

    async def _verdict(self, machine: MachineName, choice: Choice) -> object:
        uscc, site_no, asset_no = machine
        verdicts = await self._figures.machines(uscc, choice.definition.id, choice.month)
        return next(
            (one for one in verdicts if (one.site_no, one.asset_no) == (site_no, asset_no)), None
        )

    async def _gaps(self, scope: Scope, live: MachineNow | None) -> list[GapRow]:
        if live is None:
            return []
        wanted = GapFilter(scope, gateway=live.link.gateway, device=live.link.device)
        return await self._context.database.read(gaps, wanted, MAX_GAPS)

    async def _history_pictures(
        self,
        live: MachineNow | None,
        wish: Wish | None,
        language: Language,
    ) -> dict[str, object]:
        if live is None or wish is None:
            return {}
        history = await self._history(live, wish)
        shown: dict[str, object] = {"doubts": DOUBTS, "doubts_shown": history.doubts}
        for shape in PICTURES:
            shown[f"history_{shape}"] = await self._pictures.svg(history.chart(language, shape))
        return shown

    async def chart(self, request: Request) -> Spec:
        """The specification of the history chart that the page asks for again and again."""
        machine = _machine_of(request)
        await self._row(request, machine)
        live = await self._context.live.machine(machine)
        wish = wish_of(request, readings_of(live, ()))
        if live is None or wish is None:
            raise HTTPException(404)
        history = await self._history(live, wish)
        return history.chart(preferences(request).language, "interactive")

    async def _history(self, live: MachineNow, wish: Wish) -> "History":
        now_ms = self._context.now_ms()
        since_ms = now_ms - SPANS[wish.span]
        series = live.series[wish.tag]
        empty = "machine.no_history"
        try:
            points = await self._context.store.history(
                series, wish.tag, since_ms, now_ms + 1, CHART_POINTS
            )
        except StoreError:
            points, empty = [], "machine.store_away"  # the rest of the page still shows
        return History(live.values[wish.tag], points, (since_ms, now_ms), empty)


@dataclass(frozen=True, slots=True)
class History:
    """What the store holds of a tag.

    Attributes:
        tag: the tag, with its newest value.
        points: its values in time order.
        span: first and last moment asked for, UTC milliseconds.
        empty: name of the text that stands in place of a curve without values.
    """

    tag: LiveValue
    points: Sequence[Point]
    span: tuple[int, int]
    empty: str

    @property
    def doubts(self) -> frozenset[Trust]:
        """How far its values can be trusted, as they occur."""
        return frozenset(trust_of(point.status) for point in self.points)

    def chart(self, language: Language, shape: Shape) -> Spec:
        """Its chart in one language and shape."""
        title, empty = _title(self.tag, language), text(language, self.empty)
        describe = partial(doubt_words, language)
        return history_chart(self.points, title, empty, describe, shape, self.span)


def machine_address(uscc: str, site_no: str, asset_no: str) -> str:
    """Address of a machine's page."""
    return "/enterprises/" + "/".join(_segment(name) for name in (uscc, site_no, asset_no))


def _segment(name: str) -> str:
    """A name as one step of a path, whatever it holds: servers unquote before they split.

    Quoted twice, a slash survives that; dots alone would be taken for a folder.
    """
    once = quote(name, safe="")
    return quote(once if once.strip(".") else once.replace(".", "%2E"), safe="")


def _may_read(request: Request) -> bool:
    """Whether values are shown to who asks.

    Raises:
        HTTPException: 403 they are not, and a file of them is asked for.
    """
    if is_file(request):
        demand(request, Permission.READINGS)
    return principal_of(request).may(Permission.READINGS)


def _machine_of(request: Request) -> MachineName:
    parameters = request.path_params
    site_no, asset_no = unquote(parameters["site"]), unquote(parameters["asset"])
    return MachineName(parameters["uscc"], site_no, asset_no)


def _title(value: LiveValue, language: Language) -> str:
    label = value.label_zh if language == "zh" else value.label_en
    return f"{label} ({value.unit})" if value.unit else label
