"""The page of one device: its link, what is wrong and what to do, all its tags, read once."""

from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.edge.device.asking.reading import read_once
from gateway.edge.device.model import DeviceModel
from gateway.edge.live.console.pages.standing import kind_of
from gateway.edge.live.console.pages.values import shown
from gateway.edge.live.console.tools import Results, Tools
from gateway.edge.live.console.traces import Traces
from gateway.edge.live.naming import all_called
from gateway.edge.live.records import TagLive
from gateway.edge.live.view import DeviceLive, Live
from gateway.web.formats import moment
from gateway.web.forms import form_of
from gateway.web.pages import Pages, View
from gateway.web.tables import Table

MOST_RESTING = 40
"""Requests that rest are shown so many."""


class DevicePage:
    """The page.

    Args:
        live: what the edge knows.
        now_ms: its clock.
        tools: to ask the device; None: it is only shown.
    """

    def __init__(self, live: Live, now_ms: Callable[[], int], tools: Tools | None) -> None:
        self._live = live
        self._now_ms = now_ms
        self._tools = tools
        self._traces = Traces()
        self._read = Results[list[TagLive]](now_ms)

    def routes(self, pages: Pages) -> list[Route]:
        """Its addresses."""
        routes = [Route("/devices/{device}", pages.endpoint(self.view))]
        if self._tools is not None:
            routes.append(Route("/devices/{device}/read", self.read, methods=["POST"]))
        return routes

    async def view(self, request: Request) -> View:
        """What it shows now."""
        device = self._live.device(request.path_params["device"])
        if device is None:
            raise HTTPException(404)
        now_ms = self._now_ms()
        runtime = self._tools.find(device.id) if self._tools else None
        model = runtime.model if runtime else None
        read = self._read.of(device.id)
        data = {
            "device": device,
            "record": runtime.record if runtime else None,
            "most_resting": MOST_RESTING,
            "kind": kind_of(device, device.fault, is_whole=device.readable == len(device.tags)),
            "tags": shown(device.tags, model),
            "read": read,
            "read_tags": shown(read.result or (), model) if read else [],
            "can_ask": runtime is not None,
            "writable": self._writable(model),
            "tabs": self._tools.tabs(runtime) if self._tools and runtime else (),
            "curves": self._traces.extended(device.id, device.tags, now_ms),
            "now_ms": now_ms,
        }
        return View("device.html", data, ("state", "read", "tags"), 1.0, _table(device))

    def _writable(self, model: DeviceModel | None) -> frozenset[str]:
        """Names of the tags that are offered for writing."""
        if self._tools is None or model is None:
            return frozenset()
        may_write = self._tools.may_write
        return frozenset(
            one.name for one in all_called(model.resolved) if may_write(one.tag.config)
        )

    async def read(self, request: Request) -> Response:
        """Read all its tags now, whatever their interval is; nothing of it is recorded."""
        await form_of(request)
        assert self._tools is not None  # noqa: S101 - or this has no address
        device = self._tools.demand(request)
        tags = [one.renamed() for one in all_called(device.model.resolved)]
        await self._read.keep(device.model.id, read_once(device, tags, self._now_ms))
        return RedirectResponse(f"/devices/{device.model.id}#read", 303)


def _table(device: DeviceLive) -> Table:
    return Table(
        name=f"tags-{device.id}",
        columns=("tag", "group", "value", "unit", "quality", "reason", "detail", "raw", "time"),
        rows=[
            {
                "tag": tag.name,
                "group": tag.group,
                "value": tag.value,
                "unit": tag.unit,
                "quality": tag.quality.name.lower(),
                "reason": tag.reason.code,
                "detail": tag.detail,
                "raw": tag.raw,
                "time": moment(tag.time_ms),
            }
            for tag in device.tags
        ],
        notes={"device": device.id},
    )
