"""The register detective: what registers may mean, ranked by what a panel shows."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from edge_config.loading.resolved import ResolvedTag
from edge_config.models.tag import TagConfig
from edge_config.models.wide import narrow
from gateway.drivers.search import CandidateValue, Detective
from gateway.edge.detective.ranking import Candidate, rank
from gateway.edge.detective.shown import Shown, parse_shown
from gateway.edge.device.asking.reading import read_once
from gateway.edge.device.asking.requests import CannotAskError
from gateway.edge.device.runtime import DeviceRuntime
from gateway.edge.live.console.tools import Results, Tools
from gateway.edge.live.records import TagValue
from gateway.web.forms import form_of
from gateway.web.pages import Pages, View

MOST_SHOWN = 12
"""Readings that are shown."""
MOST_LOOKS = 8
"""Looks at a panel that count together; more narrow nothing down."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person wrote into the form.

    Attributes:
        table: where, in the driver's words.
        address: of the first cell.
        count: how many.
        shows: what the panel shows; may be empty.
        anew: not empty: what was found before does not count.
    """

    table: str = ""
    address: str = "0"
    count: str = "20"
    shows: str = ""
    anew: str = ""

    @property
    def range(self) -> tuple[str, str, str]:
        """Where it is; looks at another place begin anew."""
        return self.table, self.address, self.count


_FIELDS = ("table", "address", "count", "shows", "anew")


@dataclass(frozen=True, slots=True)
class Look:
    """One reading of a range, and what the panel showed.

    Attributes:
        shows: as it was written; empty: nobody looked at a panel.
        shown: the same, understood.
        cells: address and value of each cell; None: the device gave nothing.
        readings: all that the range may mean.
    """

    shows: str
    shown: Shown | None
    cells: list[tuple[str, TagValue]]
    readings: Sequence[CandidateValue]


class Found(NamedTuple):
    """What the looks at one range have shown.

    Attributes:
        range: where.
        looks: at it, one after another.
        ranked: what it may mean, the likeliest first.
        of: how many readings agree.
    """

    range: tuple[str, str, str]
    looks: list[Look]
    ranked: list[Candidate]
    of: int


class DetectivePage:
    """The page; the looks at a range stay on it for a while, so that further ones narrow it down.

    Args:
        tools: the devices.
        now_ms: the gateway's clock.
    """

    def __init__(self, tools: Tools, now_ms: Callable[[], int]) -> None:
        self._tools = tools
        self._now_ms = now_ms
        self._asked: dict[str, Asked] = {}
        self._found = Results[Found](now_ms)

    def routes(self, pages: Pages) -> list[Route]:
        """Its addresses: a form reads, the page shows what was found."""
        path = "/devices/{device}/detective"
        return [
            Route(path, pages.endpoint(self.view), methods=["GET"]),
            Route(path, self.look, methods=["POST"]),
        ]

    async def view(self, request: Request) -> View:
        """What the registers may mean."""
        runtime = self._tools.demand(request)
        device = runtime.record.id
        done = self._found.of(device)
        found = done.result if done else None
        data = {
            "device": runtime.record,
            "tabs": self._tools.tabs(runtime),
            "tables": _detective(runtime).tables,
            "asked": self._asked.get(device, Asked()),
            "done": done,
            "rows": _rows(found, runtime) if found else [],
        }
        return View("detective.html", data)

    async def look(self, request: Request) -> Response:
        """Read the range once; with what a panel shows it narrows down what was found before."""
        fields = await form_of(request)
        runtime = self._tools.demand(request)
        asked = Asked(*(fields.get(name, "").strip()[:80] for name in _FIELDS))
        device = runtime.record.id
        before = self._found.of(device)
        earlier = _earlier(before.result if before else None, asked)
        self._asked[device] = replace(asked, shows="", anew="")
        await self._found.keep(device, self._look(runtime, asked, earlier))
        return RedirectResponse(f"/devices/{device}/detective#found", 303)

    async def _look(self, runtime: DeviceRuntime, asked: Asked, earlier: list[Look]) -> Found:
        detective = _detective(runtime)
        try:
            shown = parse_shown(asked.shows) if asked.shows else None
            cells = detective.cells(asked.table, _whole(asked.address), _whole(asked.count))
        except ValueError as error:
            raise CannotAskError(str(error)) from error
        tags = [ResolvedTag(TagConfig(name=str(cell), address=str(cell)), cell) for cell in cells]
        values = [one.raw for one in await read_once(runtime, tags, self._now_ms)]
        connection = runtime.model.resolved.connection
        # Thousands of readings: the devices are polled meanwhile.
        readings = await asyncio.to_thread(detective.readings, connection, cells, values)
        named = [(str(cell), value) for cell, value in zip(cells, values, strict=True)]
        looks = [*earlier, Look(asked.shows, shown, named, readings)][-MOST_LOOKS:]
        ranked = await asyncio.to_thread(_ranked, looks)
        return Found(asked.range, looks, ranked[:MOST_SHOWN], len(ranked))


class Row(NamedTuple):
    """One reading.

    Attributes:
        reading: the reading.
        unit: of the panel; may be empty.
        tag: as a profile would have it.
    """

    reading: Candidate
    unit: str
    tag: str


def _rows(found: Found, runtime: DeviceRuntime) -> list[Row]:
    last = found.looks[-1].shown
    unit = last.unit if last else ""
    return [Row(one, unit, _as_tag(one, runtime, unit)) for one in found.ranked]


def _detective(runtime: DeviceRuntime) -> Detective:
    search = runtime.model.spec.search
    if search is None or search.detective is None:
        raise HTTPException(404)
    return search.detective()


def _earlier(found: Found | None, asked: Asked) -> list[Look]:
    """Looks that count together with this one: at the same place, each at a panel."""
    if found is None or found.range != asked.range or asked.anew or not asked.shows:
        return []
    return [look for look in found.looks if look.shown is not None]


def _ranked(looks: list[Look]) -> list[Candidate]:
    shown = [look.shown for look in looks if look.shown is not None]
    return rank([look.readings for look in looks], shown)


def _whole(written: str) -> int:
    try:
        return int(narrow(written), 0)
    except ValueError:
        raise ValueError(f"{written!r} is no whole number; write 100 or 0x64") from None


def _as_tag(one: Candidate, runtime: DeviceRuntime, unit: str) -> str:
    """The tag as a profile has it, to be copied."""
    address = runtime.model.spec.noted(one.address, runtime.model.resolved.profile.notation)
    scale = "" if one.scale == 1 else f", scale: {one.scale:g}"
    return f'{{name: …, address: "{address}"{scale}{f", unit: {unit}" if unit else ""}}}'
