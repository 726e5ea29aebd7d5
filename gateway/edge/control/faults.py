"""Which tags are BAD now, why, and what to do: told together where they are alike."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

import msgspec
import numpy as np

from gateway.core.status import FIRST_BAD, Reason, reason_of
from gateway.edge.live.devices import DeviceRecord, words_for
from gateway.web.i18n import reason_advice

MOST_ROWS = 100
"""Rows of an answer; tags beyond them are counted."""
MOST_LOOKED_AT = 200
"""Tags of one group and reason whose words are looked up; the others are told without."""
MOST_NAMES = 20
"""Names in one row."""

SAID_BY_DRIVERS = frozenset({Reason.TYPE, Reason.NODE_UNKNOWN, Reason.REFUSED})
"""Of these a driver that has words says itself what to do, and knows it better."""


class TagFaults(msgspec.Struct, frozen=True):
    """Tags of a device that are BAD for one cause.

    Attributes:
        device: device id.
        cause: code of the reason.
        detail: what the driver says of it; may be empty.
        advice: what to do; empty where ``detail`` says it, or nobody knows.
        count: how many tags.
        tags: names of the first of them.
    """

    device: str
    cause: str
    detail: str
    advice: str
    count: int
    tags: list[str]


def faulty_tags(records: Iterable[DeviceRecord]) -> int:
    """How many tags of devices that are up are BAD now."""
    return sum(
        int(np.count_nonzero(group.newest.status >= FIRST_BAD))
        for record in records
        if record.link == "up"
        for group in record.groups.values()
        if group.newest is not None
    )


def faults_of(records: Iterable[DeviceRecord]) -> list[TagFaults]:
    """The faults of tags of devices that are up, at most ``MOST_ROWS``.

    Of a device that is down all tags are BAD, for its own cause.
    """
    rows: list[TagFaults] = []
    for record in records:
        if record.link == "up" and len(rows) < MOST_ROWS:
            rows += _of_device(record)
    return rows[:MOST_ROWS]


def _of_device(record: DeviceRecord) -> Iterator[TagFaults]:
    counts = Counter[tuple[int, str]]()
    names = defaultdict[tuple[int, str], list[str]](list)
    words_of = record.tag_faults()
    for code, tags in _faulty(record):
        for tag in tags[:MOST_LOOKED_AT]:
            alike = code, words_for(words_of.get(tag), code)
            counts[alike] += 1
            names[alike].append(tag)
        if len(tags) > MOST_LOOKED_AT:
            counts[code, ""] += len(tags) - MOST_LOOKED_AT
    for alike, count in counts.items():
        yield _row(record.id, *alike, count, names[alike][:MOST_NAMES])


def _faulty(record: DeviceRecord) -> Iterator[tuple[int, list[str]]]:
    """Each BAD status byte of each group, with the names of its tags."""
    for group in record.groups.values():
        if group.newest is not None:
            status = group.newest.status
            for code in np.unique(status[status >= FIRST_BAD]).tolist():
                places = np.flatnonzero(status == code).tolist()
                yield code, [group.schema.tags[at].name for at in places]


def _row(device: str, code: int, words: str, count: int, names: list[str]) -> TagFaults:
    reason = reason_of(code)
    is_said = bool(words) and reason in SAID_BY_DRIVERS
    advice = "" if is_said else reason_advice("en", reason.code)
    return TagFaults(device, reason.code, words, advice, count, names)
