"""The last frames of a device, in words: live, and those from before it was lost last."""

from collections.abc import Callable
from datetime import datetime

from starlette.requests import Request
from starlette.routing import Route

from gateway.core.days import SHANGHAI
from gateway.edge.control.frames import FrameNow, Frames
from gateway.edge.live.console.tools import Tools
from gateway.web.pages import Pages, View
from gateway.web.tables import Table


class FramesPage:
    """The page.

    Args:
        tools: the devices.
        now_ms: the gateway's clock.
    """

    def __init__(self, tools: Tools, now_ms: Callable[[], int]) -> None:
        self._tools = tools
        self._now_ms = now_ms

    def routes(self, pages: Pages) -> list[Route]:
        """Its address."""
        return [Route("/devices/{device}/frames", pages.endpoint(self.view))]

    async def view(self, request: Request) -> View:
        """What it shows now, the newest frame first."""
        runtime = self._tools.demand(request)
        kept, explain = runtime.record.frames, runtime.model.spec.explain
        is_recording, now_ms = runtime.record.is_recording, self._now_ms()
        before = Frames.of(is_recording, kept.count, enumerate(kept.before_fault), explain, now_ms)
        newest = Frames.of(is_recording, kept.count, kept.since(), explain, now_ms)
        data = {
            "device": runtime.record,
            "tabs": self._tools.tabs(runtime),
            "is_recording": is_recording,
            "newest": newest.frames[::-1],
            "before": before.frames[::-1],
        }
        return View("frames.html", data, ("frames",), 1.0, _table(runtime.record.id, newest.frames))


def instant(time_ms: float) -> str:
    """``20:41:05.123`` of UTC milliseconds."""
    return datetime.fromtimestamp(time_ms / 1000, SHANGHAI).strftime("%H:%M:%S.%f")[:-3]


def in_pairs(digits: str) -> str:
    """Hexadecimal digits byte by byte, so that a long frame breaks between bytes."""
    return " ".join(digits[at : at + 2] for at in range(0, len(digits), 2))


def _table(device: str, frames: list[FrameNow]) -> Table:
    return Table(
        name=f"frames-{device}",
        columns=("number", "time_ms", "direction", "words", "data"),
        rows=[
            {
                "number": one.number,
                "time_ms": one.time_ms,
                "direction": one.direction,
                "words": one.words,
                "data": one.data,
            }
            for one in frames
        ],
        notes={"device": device},
    )
