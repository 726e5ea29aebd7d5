"""What the edge knows now, in memory: for the box's own page and for signs of life.

Written by devices, recorder and northbound; read by anybody. Devices hand in whole columns,
and nothing is made for a single value before somebody asks.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from edge_config.models.gateway import CITY
from gateway.core.books import Counts
from gateway.core.outcome import Outcome
from gateway.core.status import Reason
from gateway.edge.live.devices import DeviceRecord, device_of
from gateway.edge.live.records import (
    Backlog,
    ClockLive,
    DeviceLive,
    Link,
    LinkLoad,
    NorthboundLive,
    Rates,
    TagLive,
    TagValue,
)
from gateway.wire.messages import DeviceState

__all__ = [
    "Backlog",
    "DeviceLive",
    "DeviceRecord",
    "Link",
    "Live",
    "NorthboundLive",
    "Rates",
    "TagLive",
    "TagValue",
]

RATE_SPAN_MS = 10_000
"""Rates are means over about this time."""


class Live:
    """The edge in memory. All methods are plain and quick; call them in the event loop."""

    def __init__(self) -> None:
        self._devices: dict[str, DeviceRecord] = {}
        self._shared_links: list[LinkLoad] = []
        self._history: deque[tuple[int, Counts]] = deque()
        self._totals = Counts()
        self._backlog = Backlog()
        self._clock = ClockLive()
        self._northbounds: dict[str, NorthboundLive] = {}
        self._changed = asyncio.Event()

    # -- reading --------------------------------------------------------------------------

    def records(self) -> list[DeviceRecord]:
        """All devices in the order of the configuration, without values; do not change them."""
        return list(self._devices.values())

    def shared_links(self) -> Sequence[LinkLoad]:
        """What devices are reached by, one after the other; do not change it."""
        return self._shared_links

    def device(self, device: str) -> DeviceLive | None:
        """One device with its tags; None if there is none of that id."""
        record = self._devices.get(device)
        return device_of(record) if record else None

    def rates(self) -> Rates:
        """How fast the edge reads; zeros before the second commit."""
        if len(self._history) < 2:  # noqa: PLR2004 - a rate needs two points
            return Rates(0.0, 0.0, 0.0, 0.0, self._totals.skipped)
        (first_ms, first), (last_ms, last) = self._history[0], self._history[-1]
        seconds = max(last_ms - first_ms, 1) / 1000
        return Rates(
            (last.due - first.due) / seconds,
            (last.ok - first.ok) / seconds,
            (last.failed - first.failed) / seconds,
            (last.buffered - first.buffered) / seconds,
            last.skipped,
        )

    def committed_ms(self) -> int:
        """When the newest commit ended, UTC milliseconds; 0: none has."""
        return self._history[-1][0] if self._history else 0

    def backlog(self) -> Backlog:
        """What waits for the city."""
        return self._backlog

    def clock(self) -> ClockLive:
        """What is known of the gateway's clock."""
        return self._clock

    def books(self) -> Counts:
        """The books since the buffer was made, all devices together; do not change it."""
        return self._totals

    def northbound(self, name: str = CITY) -> NorthboundLive:
        """The connection to the broker."""
        return self._northbounds.get(name, NorthboundLive())

    def links(self) -> dict[str, DeviceState]:
        """Link state by device, as it travels in signs of life."""
        return {
            record.id: DeviceState(
                record.link,
                "" if record.cause is Reason.NONE else record.cause.code,
                record.since_ms,
            )
            for record in self._devices.values()
        }

    async def links_changed(self) -> None:
        """Wait until a link changes its state."""
        await self._changed.wait()
        self._changed.clear()

    # -- writing --------------------------------------------------------------------------

    def add_device(self, record: DeviceRecord) -> None:
        """Make a device known, or known anew under the same id."""
        self._devices[record.id] = record

    def remove_device(self, device: str) -> None:
        """Forget a device that was taken out of the configuration."""
        del self._devices[device]
        self._changed.set()

    def add_shared_link(self, load: LinkLoad) -> None:
        """Make a link known on which devices take turns."""
        self._shared_links.append(load)

    def remove_shared_link(self, load: LinkLoad) -> None:
        """Forget a link that no device uses any more."""
        self._shared_links.remove(load)

    def processed(self, device: str, group: str, outcome: Outcome, _progress: object) -> None:
        """Remember the newest values of a group: one of the sinks."""
        self._devices[device].groups[group].newest = outcome

    def set_link(
        self, device: str, link: Link, since_ms: int, cause: Reason = Reason.NONE, detail: str = ""
    ) -> None:
        """Note a device's link state; only a change of it moves ``since_ms``."""
        record = self._devices[device]
        record.detail = detail
        if (record.link, record.cause) == (link, cause):
            return
        record.link, record.cause, record.since_ms = link, cause, since_ms
        self._changed.set()

    def set_books(self, totals: Counts, now_ms: int) -> None:
        """Take the books after a commit; ``totals`` is a copy that nobody changes."""
        self._totals = totals
        self._history.append((now_ms, totals))
        # Also what lies in the future: the clock was set back since.
        while now_ms - self._history[0][0] > RATE_SPAN_MS or self._history[0][0] > now_ms:
            self._history.popleft()

    def set_backlog(self, backlog: Backlog) -> None:
        """Take the state of the buffer."""
        self._backlog = backlog

    def set_clock(self, clock: ClockLive) -> None:
        """Take what is known of the gateway's clock."""
        self._clock = clock

    def note_northbound(self, name: str, **changes: Any) -> None:
        """Take what has changed of the connection to a broker.

        Args:
            name: of the northbound.
            changes: fields of :class:`NorthboundLive`.
        """
        self._northbounds[name] = replace(self.northbound(name), **changes)
