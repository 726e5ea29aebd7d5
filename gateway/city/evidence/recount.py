"""From what the store holds to evidence: hours of series, and what kind of source they are. Pure.

The store keeps values and their quality; whether a device was a machine's own controller or an
added sensor, and whether it was real, only its schemas tell.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from gateway.city.evidence.samples import Origin, Sample, counted, merged
from gateway.city.ledger.names import MachineName
from gateway.city.stores.api import SeriesHours
from gateway.core.days import DAY_MS, HOUR_MS, OFFSET_MS, day_of
from gateway.core.schema import Schema


class Counted(NamedTuple):
    """What an edge counted of a machine behind a device on a day; times in UTC milliseconds."""

    machine_id: int
    device: str
    day: date
    first_ms: int | None
    last_ms: int | None


class Origins:
    """What kind of source the devices of a gateway were.

    Args:
        gateway: its id.
        schemas: each with the time when it was received, UTC milliseconds.
    """

    def __init__(self, gateway: str, schemas: Iterable[tuple[int, Schema]]) -> None:
        self.gateway = gateway
        self._by_device: dict[str, list[tuple[int, Origin]]] = {}
        for received_ms, schema in sorted(schemas, key=lambda one: one[0]):
            origin = Origin(gateway, schema.source, schema.synthetic)
            self._by_device.setdefault(schema.device, []).append((received_ms, origin))

    def at(self, device: str, time_ms: int) -> Origin | None:
        """What a device was at a time: as its newest schema said by then, else as its first did.

        A schema is received with its first values; of values that an outage held back when the
        kind of source was changed, the former kind is assumed until then.

        Returns:
            None if no schema of the device is known.
        """
        known = self._by_device.get(device)
        if known is None:
            return None
        place = bisect_right(known, time_ms, key=lambda one: one[0])
        return known[max(place - 1, 0)][1]


class Recount(NamedTuple):
    """Evidence in a part of the store, and what the edge counted beside it.

    Attributes:
        stored: by names of machines.
        counted: by ids of machines.
        unknown: devices of which no schema tells what kind of source they are.
    """

    stored: list[Sample]
    counted: list[tuple[int, Sample]]
    unknown: frozenset[str]


def recounted(
    hours: Sequence[SeriesHours], counts: Sequence[Counted], origins: Origins, now_ms: int
) -> Recount:
    """Make evidence of hours and counters of one gateway.

    Args:
        hours: of its series.
        counts: of its machines.
        origins: of its devices.
        now_ms: UTC milliseconds.
    """
    stored, unknown = [], set()
    for one in hours:
        origin = origins.at(one.series.device, one.last_ms)
        if origin is None:
            unknown.add(one.series.device)
        else:
            stored.append(_sample(one, origin, now_ms))
    held_back = [
        (one.machine_id, sample)
        for one in counts
        if (origin := origins.at(one.device, one.last_ms or 0)) is not None
        and (sample := _counted(one, origin, now_ms)) is not None
    ]
    return Recount(merged(stored), held_back, frozenset(unknown))


def _sample(one: SeriesHours, origin: Origin, now_ms: int) -> Sample:
    series, day = one.series, day_of(one.hour_ms)
    hour = 1 << (one.hour_ms + OFFSET_MS) % DAY_MS // HOUR_MS
    # as when they came: what is in doubt is believed on the day that it names
    confirmed = one.doubted if day == day_of(now_ms) else 0
    return Sample(
        machine=MachineName(series.enterprise, series.site, series.equipment),
        day=day,
        source=origin.source,
        synthetic=origin.synthetic,
        gateway=origin.gateway,
        count=one.good + one.uncertain + one.replayed + one.doubted,
        first_ms=one.first_ms,
        last_ms=one.last_ms,
        good_hours=hour if one.good or confirmed else 0,
        uncertain_hours=hour if one.uncertain else 0,
        replayed_hours=hour if one.replayed else 0,
        doubted_hours=hour if one.doubted and not confirmed else 0,
    )


def _counted(one: Counted, origin: Origin, now_ms: int) -> Sample | None:
    nobody = MachineName("", "", "")  # known by its id
    return counted(nobody, one.day, (one.first_ms, one.last_ms), origin, now_ms)
