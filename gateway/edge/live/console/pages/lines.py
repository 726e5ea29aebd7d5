"""What devices are reached by together: how busy it is, how busy it must be, and who is on it."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from starlette.requests import Request
from starlette.routing import Route

from gateway.edge.device.runtime import DeviceRuntime
from gateway.edge.live.console.pages.standing import Line, line_of
from gateway.edge.live.console.tools import Tools
from gateway.edge.live.records import LinkLoad
from gateway.edge.live.view import Live
from gateway.web.pages import Pages, View
from gateway.web.tables import Table

SPAN_S = 30.0
"""Shares are means over at most about this long."""


class Share(NamedTuple):
    """How much of the time of a line is used.

    Attributes:
        busy: share of its turns that were held; above what it has there are none.
        waited: share of the time in which a device waited for its turn.
    """

    busy: float
    waited: float


class Shares:
    """Shares of the lines, from what is counted of them each time somebody looks.

    Args:
        seconds: a clock that never steps.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._seen: dict[str, deque[tuple[float, float, float]]] = {}

    def of(self, load: LinkLoad) -> Share | None:
        """Since somebody looked, at most the last seconds; None at the first look."""
        now_s = self._seconds()
        seen = self._seen.setdefault(load.name, deque())
        while seen and (now_s - seen[0][0] > SPAN_S or load.busy_s < seen[0][1]):
            seen.popleft()
        seen.append((now_s, load.busy_s, load.waited_s))
        first_s, busy_s, waited_s = seen[0]
        passed_s = now_s - first_s
        if not passed_s:
            return None
        busy = (load.busy_s - busy_s) / passed_s / max(load.turns, 1)
        return Share(min(busy, 1.0), min((load.waited_s - waited_s) / passed_s, 1.0))


class Shown(NamedTuple):
    """One line of the plant.

    Attributes:
        load: what is counted of it.
        share: how busy it is; None: nobody has looked before.
        needed: for how much of each second what is asked keeps it busy; None: not known.
        doubts: what can hardly be done in time, in sentences.
        devices: those on it.
    """

    load: LinkLoad
    share: Share | None
    needed: float | None
    doubts: tuple[str, ...]
    devices: list[Line]


class _Asked(NamedTuple):
    """What the devices of a line ask of it; it changes with its devices only."""

    of: tuple[int, ...]
    needed: float | None = None
    doubts: tuple[str, ...] = ()


class LinesPage:
    """The page.

    Args:
        live: counts of the lines.
        tools: the devices.
    """

    def __init__(self, live: Live, tools: Tools) -> None:
        self._live = live
        self._tools = tools
        self._shares = Shares()
        self._asked: dict[str, _Asked] = {}

    def routes(self, pages: Pages) -> list[Route]:
        """Its address."""
        return [Route("/lines", pages.endpoint(self.view))]

    async def view(self, _request: Request) -> View:
        """What it shows now."""
        lines = [self._shown(load) for load in self._live.shared_links()]
        return View("lines.html", {"lines": lines}, ("lines",), 2.0, _table(lines))

    def _shown(self, load: LinkLoad) -> Shown:
        found = [self._tools.find(one) for one in load.members]
        devices = [one for one in found if one is not None]
        asked = self._asked_of(load.name, devices)
        lines = [line_of(one.record) for one in devices]
        return Shown(load, self._shares.of(load), asked.needed, asked.doubts, lines)

    def _asked_of(self, name: str, devices: Sequence[DeviceRuntime]) -> _Asked:
        of = tuple(id(one) for one in devices)
        known = self._asked.get(name)
        if known is None or known.of != of:
            known = self._asked[name] = _asked(of, devices)
        return known


def _asked(of: tuple[int, ...], devices: Sequence[DeviceRuntime]) -> _Asked:
    link = devices[0].model.spec.link if devices else None
    if link is None:
        return _Asked(of)
    resolved = [one.model.resolved for one in devices]
    return _Asked(of, link.share(resolved), (*link.impossible(resolved), *link.doubts(resolved)))


def _table(lines: list[Shown]) -> Table:
    return Table(
        name="lines",
        columns=("line", "devices", "turns", "busy", "waited", "needed", "overloaded"),
        rows=[
            {
                "line": one.load.name,
                "devices": one.load.devices,
                "turns": one.load.turns,
                "busy": one.share.busy if one.share else None,
                "waited": one.share.waited if one.share else None,
                "needed": one.needed,
                "overloaded": one.load.is_overloaded,
            }
            for one in lines
        ],
        notes={},
    )
