"""One device as the edge knows it now: its link, its newest values, and what is wrong with them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np

from gateway.core.batch import Reading
from gateway.core.books import add_by_code
from gateway.core.outcome import Outcome
from gateway.core.schema import Column, Schema
from gateway.core.status import FIRST_BAD, Quality, Reason, bad, quality_of, reason_of
from gateway.core.status import status as status_byte
from gateway.core.values.plain import plain_values
from gateway.drivers.api import Driver, TagFault
from gateway.drivers.extras import Notice, RecordingDriver, Resting
from gateway.drivers.frames import FrameLog
from gateway.edge.live.naming import of_machine
from gateway.edge.live.records import DeviceLive, Link, TagLive, TagValue

UNREADABLE = "unreadable"
"""Fault of a device that answers, and has hardly a tag that can be read: a wrong profile, unit or
address. The others are those of ``gateway/edge/device/standing/faults.py``."""


@dataclass(slots=True)
class GroupLive:
    """The newest of one group; ``newest`` is None before its first reading.

    ``raw`` is what the driver read for it; None also where the device pushes its values.
    """

    schema: Schema
    newest: Outcome | None = None
    raw: Reading | None = None


@dataclass(slots=True)
class DeviceRecord:
    """What a runtime writes about its device; see :class:`DeviceLive` for the fields.

    ``renewals`` counts connections that ended between two readings and were made anew at once;
    ``tag_faults`` asks the driver what it knows of tags that are BAD, ``notices`` what stands of
    the device. ``frames`` are the last ones that went to it and came, if the driver
    keeps them (``is_recording``). ``uncertain`` counts values
    since the start that were UNCERTAIN, by reason code. ``failures_in_row`` are those since its
    last answer, ``retry_ms`` is when it is tried again, UTC milliseconds; 0: it is not waited for.
    ``resting`` asks what is not asked for now, ``timeout_ms`` how long the driver waits for an
    answer; 0: it does not say.
    """

    id: str
    endpoint: str
    driver: str
    profile: str
    asset_no: str
    unit_name: str = ""
    link: Link = "starting"
    cause: Reason = Reason.NONE
    detail: str = ""
    fault: str = ""
    since_ms: int = 0
    polls: int = 0
    failures: int = 0
    failures_in_row: int = 0
    retry_ms: int = 0
    driver_bugs: int = 0
    renewals: int = 0
    uncertain: dict[str, int] = field(default_factory=dict)
    tag_faults: Callable[[], Mapping[str, TagFault]] = dict
    notices: Callable[[], Sequence[Notice]] = tuple
    resting: Callable[[], Sequence[Resting]] = tuple
    timeout_ms: Callable[[], int] = int
    groups: dict[str, GroupLive] = field(default_factory=dict)
    frames: FrameLog = field(default_factory=FrameLog)
    is_recording: bool = False

    def add_group(self, schema: Schema) -> None:
        """Make a group known before its first reading."""
        self.groups[schema.group] = GroupLive(schema)

    def ask(self, driver: Driver) -> None:
        """Have a driver say what it knows when a person looks; not every driver can."""
        self.tag_faults = getattr(driver, "tag_faults", dict)
        self.notices = getattr(driver, "notices", tuple)
        self.timeout_ms = lambda: int(getattr(driver, "timeout_ms", 0))
        self.is_recording = hasattr(driver, "record")
        if self.is_recording:
            cast("RecordingDriver", driver).record(self.frames)

    def count(self, outcome: Outcome) -> None:
        """Count one more reading, or delivery."""
        self.polls += 1
        for counts in outcome.counts.values():
            if counts.uncertain:
                add_by_code(self.uncertain, counts.uncertain)

    def tag_count(self) -> int:
        """How many tags it has."""
        return sum(len(group.schema.tags) for group in self.groups.values())

    def newest_ms(self) -> int:
        """Time of its newest value or fault, UTC milliseconds; 0: none has come."""
        times = (group.newest.times for group in self.groups.values() if group.newest)
        return max((int(np.max(time)) for time in times), default=0)

    def readable_count(self) -> int:
        """How many of its tags are not BAD now; nothing is known of them before they are read."""
        if self.link == "down":
            return 0
        known = (group.newest.status for group in self.groups.values() if group.newest)
        return sum(int(np.count_nonzero(column < FIRST_BAD)) for column in known)

    def fault_now(self) -> str:
        """Id of what is wrong with the whole device; also that most of its tags are BAD."""
        groups = self.groups.values()
        if self.link != "up" or any(group.newest is None for group in groups):
            return self.fault
        return UNREADABLE if 2 * self.readable_count() < self.tag_count() else ""

    def bad_reasons(self) -> dict[Reason, int]:
        """Why tags of a device that is up are BAD now, and how many, the most frequent first."""
        if self.link != "up":
            return {}
        known = (group.newest.status for group in self.groups.values() if group.newest)
        counts = Counter[Reason]()
        for column in known:
            codes, numbers = np.unique(column[column >= FIRST_BAD], return_counts=True)
            for code, number in zip(codes.tolist(), numbers.tolist(), strict=True):
                counts[reason_of(code)] += number
        return dict(counts.most_common())


def device_of(record: DeviceRecord) -> DeviceLive:
    """The device with its tags as they are now."""
    faults = record.tag_faults() if record.link == "up" else {}
    tags = [tag for group in record.groups.values() for tag in _tags(record, group, faults)]
    often = Counter(tag.name for tag in tags)
    return DeviceLive(
        record.id,
        record.endpoint,
        record.driver,
        record.profile,
        record.asset_no,
        record.unit_name,
        record.link,
        record.cause,
        record.detail,
        record.fault_now(),
        record.readable_count(),
        record.since_ms,
        record.polls,
        record.failures,
        record.driver_bugs,
        dict(record.uncertain),
        tuple(record.notices()),
        [tag if often[tag.name] == 1 else _of_machine(tag) for tag in tags],
    )


def _of_machine(tag: TagLive) -> TagLive:
    return replace(tag, name=of_machine(tag.asset_no, tag.name))


def _tags(record: DeviceRecord, group: GroupLive, faults: Mapping[str, TagFault]) -> list[TagLive]:
    status = _status_now(record, group, len(group.schema.tags))
    if record.link == "down":  # what was read last is not what the device has
        group = GroupLive(group.schema, group.newest)
    return tags_of(group, status, faults)


def tags_of(
    group: GroupLive, status: Sequence[int], faults: Mapping[str, TagFault]
) -> list[TagLive]:
    """The tags of a group in the order of its schema.

    Args:
        group: its newest values.
        status: status byte of each tag.
        faults: what the driver says of tags that are BAD.
    """
    schema = group.schema
    count = len(schema.tags)
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
            words_for(faults.get(tag.name), code),
            raw,
            schema.equipment[tag.equipment].asset_no,
        )
        for tag, code, value, time, raw in zip(
            schema.tags, status, values, times, _raw_values(group.raw, count), strict=True
        )
    ]


def _raw_values(reading: Reading | None, count: int) -> list[TagValue]:
    if reading is None:
        return [None] * count
    values = _values(reading.columns, count)
    return [
        None if code >= FIRST_BAD else value
        for value, code in zip(values, reading.status.tolist(), strict=True)
    ]


def words_for(fault: TagFault | None, code: int) -> str:
    """What a driver says of a tag with this status byte; empty: nothing, or of another fault."""
    return fault.words if fault is not None and code == bad(fault.reason) else ""


def _status_now(record: DeviceRecord, group: GroupLive, count: int) -> list[int]:
    if record.link == "down":
        return [bad(record.cause)] * count
    if group.newest is None:
        return [status_byte(Quality.UNCERTAIN)] * count
    return [int(code) for code in group.newest.status]


def _values(columns: Sequence[Column], count: int) -> list[TagValue]:
    values = [value for column in columns for value in plain_values(column)]
    return values or [None] * count
