"""What the edge knows now, in memory: for the box's own page and for signs of life.

Written by devices, recorder and northbound; read by anybody. Devices hand in whole columns,
and nothing is made for a single value before somebody asks.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from edge_config.models.gateway import CITY
from gateway.core.books import Counts
from gateway.core.outcome import Outcome
from gateway.core.schema import Column, Schema
from gateway.core.status import Quality, Reason, bad, quality_of, reason_of
from gateway.core.status import status as status_byte
from gateway.core.values.plain import plain_values
from gateway.drivers.api import TagFault
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

_FIRST_UNCERTAIN = status_byte(Quality.UNCERTAIN)
RATE_SPAN_MS = 10_000
"""Rates are means over about this time."""


@dataclass(slots=True)
class _Group:
    schema: Schema
    newest: Outcome | None = None


@dataclass(slots=True)
class DeviceRecord:
    """What a runtime writes about its device; see :class:`DeviceLive` for the fields.

    ``renewals`` counts connections that ended between two readings and were made anew at once;
    ``tag_faults`` asks the driver what it knows of tags that are BAD.
    """

    id: str
    endpoint: str
    driver: str
    profile: str
    asset_no: str
    link: Link = "starting"
    cause: Reason = Reason.NONE
    detail: str = ""
    since_ms: int = 0
    polls: int = 0
    failures: int = 0
    driver_bugs: int = 0
    renewals: int = 0
    tag_faults: Callable[[], Mapping[str, TagFault]] = dict
    groups: dict[str, _Group] = field(default_factory=dict)

    def add_group(self, schema: Schema) -> None:
        """Make a group known before its first reading."""
        self.groups[schema.group] = _Group(schema)

    def tag_count(self) -> int:
        """How many tags it has."""
        return sum(len(group.schema.tags) for group in self.groups.values())

    def newest_ms(self) -> int:
        """Time of its newest value or fault, UTC milliseconds; 0: none has come."""
        times = (group.newest.times for group in self.groups.values() if group.newest)
        return max((int(np.max(time)) for time in times), default=0)

    def good_count(self) -> int:
        """How many of its tags are GOOD now."""
        if self.link == "down":
            return 0
        known = (group.newest.status for group in self.groups.values() if group.newest)
        return sum(int(np.count_nonzero(column < _FIRST_UNCERTAIN)) for column in known)


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
        return _device(record) if record else None

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


def _device(record: DeviceRecord) -> DeviceLive:
    faults = record.tag_faults() if record.link == "up" else {}
    tags = [tag for group in record.groups.values() for tag in _tags(record, group, faults)]
    return DeviceLive(
        record.id,
        record.endpoint,
        record.driver,
        record.profile,
        record.asset_no,
        record.link,
        record.cause,
        record.detail,
        record.since_ms,
        record.polls,
        record.failures,
        record.driver_bugs,
        tags,
    )


def _tags(record: DeviceRecord, group: _Group, faults: Mapping[str, TagFault]) -> list[TagLive]:
    schema = group.schema
    status = _status_now(record, group, count := len(schema.tags))
    values = _values(group.newest.columns if group.newest else (), count)
    times = np.broadcast_to(group.newest.times if group.newest else 0, count).tolist()
    return [
        TagLive(
            tag.name,
            tag.label_zh,
            tag.label_en,
            tag.unit,
            tag.role,
            schema.group,
            None if quality_of(code) is Quality.BAD or time == 0 else value,
            quality_of(code),
            reason_of(code),
            time,
            _words(faults.get(tag.name), code),
        )
        for tag, code, value, time in zip(schema.tags, status, values, times, strict=True)
    ]


def _words(fault: TagFault | None, code: int) -> str:
    return fault.words if fault is not None and code == bad(fault.reason) else ""


def _status_now(record: DeviceRecord, group: _Group, count: int) -> list[int]:
    if record.link == "down":
        return [bad(record.cause)] * count
    if group.newest is None:
        return [status_byte(Quality.UNCERTAIN)] * count
    return [int(code) for code in group.newest.status]


def _values(columns: Sequence[Column], count: int) -> list[TagValue]:
    values = [value for column in columns for value in plain_values(column)]
    return values or [None] * count
