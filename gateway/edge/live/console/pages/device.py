"""The page of one device: its link, what is wrong and what to do, all its tags."""

from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request

from gateway.edge.live.console.pages.standing import kind_of
from gateway.edge.live.console.traces import Traces
from gateway.edge.live.view import DeviceLive, Live
from gateway.web.formats import moment
from gateway.web.pages import View
from gateway.web.tables import Table


class DevicePage:
    """The page.

    Args:
        live: what the edge knows.
        now_ms: its clock.
    """

    def __init__(self, live: Live, now_ms: Callable[[], int]) -> None:
        self._live = live
        self._now_ms = now_ms
        self._traces = Traces()

    async def view(self, request: Request) -> View:
        """What it shows now."""
        device = self._live.device(request.path_params["device"])
        if device is None:
            raise HTTPException(404)
        now_ms = self._now_ms()
        data = {
            "device": device,
            "kind": kind_of(device, device.fault, is_whole=device.readable == len(device.tags)),
            "curves": self._traces.extended(device.id, device.tags, now_ms),
            "now_ms": now_ms,
        }
        return View("device.html", data, ("state", "tags"), 1.0, _table(device))


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
