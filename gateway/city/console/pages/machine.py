"""One machine: who it is, whether it answers, what it says."""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

import segno
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request

from gateway.city.console.charts.pictures import Pictures
from gateway.city.console.charts.specifications import PICTURES, Shape, Spec, history_chart
from gateway.city.console.context import ConsoleContext
from gateway.city.console.live.present import MachineNow
from gateway.city.console.pages.drilldown import link_state
from gateway.city.console.queries.database import (
    enterprise_of,
    evidence_days,
    machine_row,
)
from gateway.city.console.queries.figures import Figures
from gateway.city.console.queries.gaps import GapFilter, GapRow, gaps
from gateway.city.evidence.counts import counts_of
from gateway.city.ledger.codes import county_name
from gateway.city.ledger.names import MachineName
from gateway.city.live.newest import LiveValue
from gateway.city.rates.period import period_of
from gateway.city.stores.api import StoreError
from gateway.core.status import Reason, quality_of, reason_of
from gateway.web.formats import moment
from gateway.web.i18n import Language, text
from gateway.web.pages import View, preferences
from gateway.web.tables import Table

SPANS = {"10m": 600_000, "1h": 3_600_000, "8h": 28_800_000, "24h": 86_400_000}
DEFAULT_SPAN = "10m"
CHART_POINTS = 600
SHOWN_GAPS = 6
MAX_GAPS = 200


@dataclass(frozen=True, slots=True)
class Reading:
    """The newest value of a tag, and why no newer one comes.

    Attributes:
        name: tag name.
        newest: its newest value.
        cause: reason code while the tag sends nothing, else empty.
    """

    name: str
    newest: LiveValue
    cause: str

    @property
    def quality(self) -> str:
        """``good`` or ``uncertain``."""
        return quality_of(self.newest.status).name.lower()

    @property
    def reason(self) -> str:
        """Reason code of an uncertain value, else empty; no more than its doubt may be known."""
        reason = reason_of(self.newest.status)
        return "" if reason is Reason.NONE else reason.code


@dataclass(frozen=True, slots=True)
class Wish:
    """Which tag over which time a visitor wants to see."""

    tag: str
    span: str


class MachinePage:
    """The page of a machine and its chart."""

    def __init__(self, context: ConsoleContext, figures: Figures, pictures: Pictures) -> None:
        self._context = context
        self._figures = figures
        self._pictures = pictures

    async def view(self, request: Request) -> View:
        """Identifier, state, counting, live values, history."""
        machine = _machine_of(request)
        row = await self._row(machine)
        live = await self._context.live.machine(machine)
        language = preferences(request).language
        lacking = await self._gaps(live)
        readings = _readings(live, lacking)
        wish = _wish(request, readings)
        data: dict[str, object] = {
            "verdict": await self._verdict(machine),
            "machine_live": live,
            "link": link_state(live.link if live else None),
            "readings": readings,
            "wish": wish,
            "gaps": lacking[:SHOWN_GAPS],
            "now_ms": self._context.now_ms(),
        }

        async def still() -> dict[str, object]:
            curve = await self._history_pictures(live, wish, language)
            return await self._record(machine, row) | curve

        blocks = ("state", "values", "gaps")
        return View("machine.html", data, blocks, 1.0, _file(machine, readings), still)

    async def _record(self, machine: MachineName, row: Any) -> dict[str, object]:
        """What does not change while somebody looks."""
        return {
            "row": row,
            "address": machine_address(*machine),
            "enterprise": await self._context.database.run(enterprise_of, machine[0]),
            "county_name": county_name,
            **await self._evidence(row.id),
            "qr": qr(row.handle) if row.handle else None,
            "spans": tuple(SPANS),
        }

    async def _row(self, machine: MachineName) -> Any:
        row = await self._context.database.run(machine_row, machine)
        if row is None:
            raise HTTPException(404)
        return row

    async def _evidence(self, machine_id: int) -> dict[str, object]:
        """The days of the running month that the verdict rests on, and what the edges counted."""
        run, period = self._context.database.run, period_of(None, self._context.now_ms())
        days = await run(evidence_days, machine_id, period.first)
        counts = await run(counts_of, machine_id, {row.day for row in days})
        return {"evidence": days, "counts": counts}

    async def _verdict(self, machine: MachineName) -> object:
        uscc, site_no, asset_no = machine
        verdicts = await self._figures.machines(uscc)
        return next(
            (one for one in verdicts if (one.site_no, one.asset_no) == (site_no, asset_no)), None
        )

    async def _gaps(self, live: MachineNow | None) -> list[GapRow]:
        if live is None:
            return []
        wanted = GapFilter(gateway=live.link.gateway, device=live.link.device)
        return await self._context.database.run(gaps, wanted, MAX_GAPS)

    async def _history_pictures(
        self,
        live: MachineNow | None,
        wish: Wish | None,
        language: Language,
    ) -> dict[str, object]:
        if live is None or wish is None:
            return {}
        draw = await self._drawing(live, wish, language)
        return {f"history_{shape}": await self._pictures.svg(draw(shape)) for shape in PICTURES}

    async def chart(self, request: Request) -> Spec:
        """The specification of the history chart that the page asks for again and again."""
        machine = _machine_of(request)
        live = await self._context.live.machine(machine)
        wish = _wish(request, _readings(live, ()))
        if live is None or wish is None:
            raise HTTPException(404)
        draw = await self._drawing(live, wish, preferences(request).language)
        return draw("interactive")

    async def _drawing(
        self, live: MachineNow, wish: Wish, language: Language
    ) -> Callable[[Shape], Spec]:
        """The history chart of a tag, in any shape."""
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
        title = _title(live.values[wish.tag], language)
        words, span = text(language, empty), (since_ms, now_ms)
        return lambda shape: history_chart(points, title, words, shape, span)


def machine_address(uscc: str, site_no: str, asset_no: str) -> str:
    """Address of a machine's page."""
    return "/enterprises/" + "/".join(_segment(name) for name in (uscc, site_no, asset_no))


def _segment(name: str) -> str:
    """A name as one step of a path, whatever it holds: servers unquote before they split.

    Quoted twice, a slash survives that; dots alone would be taken for a folder.
    """
    once = quote(name, safe="")
    return quote(once if once.strip(".") else once.replace(".", "%2E"), safe="")


def _machine_of(request: Request) -> MachineName:
    parameters = request.path_params
    site_no, asset_no = unquote(parameters["site"]), unquote(parameters["asset"])
    return MachineName(parameters["uscc"], site_no, asset_no)


def _readings(live: MachineNow | None, lacking: Iterable[GapRow]) -> list[Reading]:
    """Alarms and states first, then measured values, then counters."""
    if live is None:
        return []
    lasting = [gap for gap in lacking if gap.to_ms is None]
    order = {"alarm": 0, "state": 1, "value": 2, "counter": 3}
    values = sorted(live.values.items(), key=lambda item: (order.get(item[1].role, 2), item[0]))
    return [Reading(name, value, _cause(live, lasting, name, value)) for name, value in values]


def _cause(live: MachineNow, lasting: Iterable[GapRow], name: str, value: LiveValue) -> str:
    """Why a tag sends nothing now: its machine is lost, its group is, or it alone."""
    if live.link.link == "down":
        return live.link.cause
    return next((gap.cause for gap in lasting if gap.covers(value.group, name)), "")


def _wish(request: Request, readings: Iterable[Reading]) -> Wish | None:
    numeric = [one for one in readings if _drawable(one.newest)]
    if not numeric:
        return None
    tag = request.query_params.get("tag", "")
    span = request.query_params.get("span", "")
    default = next((one for one in numeric if one.newest.role == "value"), numeric[0])
    known = {one.name for one in numeric}
    return Wish(tag if tag in known else default.name, span if span in SPANS else DEFAULT_SPAN)


def _drawable(value: LiveValue) -> bool:
    return isinstance(value.value, int | float) and not isinstance(value.value, bool)


def _title(value: LiveValue, language: Language) -> str:
    label = value.label_zh if language == "zh" else value.label_en
    return f"{label} ({value.unit})" if value.unit else label


def qr(handle: str) -> Markup:
    """A QR code that holds the identifier itself, as SVG."""
    out = io.BytesIO()
    segno.make(handle, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=True, border=0, omitsize=True, dark="#101a18"
    )
    return Markup(out.getvalue().decode())  # noqa: S704 - drawn by segno: paths, no text


def _file(machine: MachineName, readings: Iterable[Reading]) -> Table:
    uscc, site_no, asset_no = machine
    return Table(
        name=f"values-{asset_no}",
        columns=(
            "tag",
            "label_zh",
            "label_en",
            "value",
            "unit",
            "quality",
            "reason",
            "role",
            "time",
            "cause",
        ),
        rows=[
            {
                "tag": one.name,
                "label_zh": one.newest.label_zh,
                "label_en": one.newest.label_en,
                "value": one.newest.value,
                "unit": one.newest.unit,
                "quality": one.quality,
                "reason": one.reason,
                "role": one.newest.role,
                "time": moment(one.newest.time_ms),
                "cause": one.cause,
            }
            for one in readings
        ],
        notes={"uscc": uscc, "site_no": site_no, "asset_no": asset_no},
    )
