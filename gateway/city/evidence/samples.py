"""From committed values to evidence: in which hours of a day a machine was read, how well. Pure.

A sample counts if its time is plausible: not before 2020, and not more than a minute ahead of the
city's clock when it came (a gateway's clock may differ by so much; more is a clock fault). One that
is ahead by up to a day is in clock doubt: where the gateway's clock is fast it never counts, where
ours is slow it does once that is put right.

GOOD values, UNCERTAIN ones and replays – a source repeats what it last had, or made something up –
have hours of their own. A value in clock doubt is GOOD if it came on the very day that it names,
by the city's clock; what comes later with a doubted time waits for its gateway's clock to be
confirmed (``clock_doubt.py``).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gateway.city.ledger.names import MachineName
from gateway.city.stores.api import Rejection, Rows, Series
from gateway.core.batch import Status
from gateway.core.days import DAY_MS, HOUR_MS, MAX_AHEAD_MS, OFFSET_MS, day_of
from gateway.core.schema import Schema
from gateway.core.status import GOOD, Reason, is_replay, uncertain

EARLIEST_MS = 1_577_836_800_000
"""2020-01-01T00:00Z."""

MAX_FAST_MS = DAY_MS
"""What is further ahead of the city's clock is a date that makes no sense, and is no evidence."""

_EPOCH = date(1970, 1, 1)

_CLOCK_DOUBT = uncertain(Reason.CLOCK_DOUBT)
_REPLAY = np.array([is_replay(code) for code in range(256)])
"""By status byte."""

Refused = Counter[tuple[Series, int]]
"""Values that the store refused, by series and time."""


class Origin(NamedTuple):
    """A gateway, and what kind of source it reads: ``controller`` or ``sensor``, real or not."""

    gateway: str
    source: str
    synthetic: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """Values of one machine on one day from one kind of source.

    Attributes:
        machine: as the edge names it.
        day: Asia/Shanghai day.
        source: ``controller`` or ``sensor``.
        synthetic: they come from a simulator.
        gateway: that sent them.
        count: how many values; 0 of those that the edge counted and held back.
        first_ms: time of the first, UTC milliseconds.
        last_ms: time of the last.
        good_hours: bit h is set if a GOOD value came between h and h + 1 o'clock.
        uncertain_hours: likewise of values that are UNCERTAIN and fresh.
        replayed_hours: likewise of values that are not fresh.
        doubted_hours: likewise of values whose time is in doubt, so that they prove nothing yet.
    """

    machine: MachineName
    day: date
    source: str
    synthetic: bool
    gateway: str
    count: int
    first_ms: int
    last_ms: int
    good_hours: int
    uncertain_hours: int = 0
    replayed_hours: int = 0
    doubted_hours: int = 0

    @property
    def is_evidence(self) -> bool:
        """Whether anything in it says that the machine was read; doubts alone do not."""
        return bool(self.good_hours | self.uncertain_hours | self.replayed_hours)


Sums = dict[tuple[object, ...], Sample]
"""One sample a machine, day, source, kind and gateway, by these; doubts alone stand apart."""


def samples(schema: Schema, rows: Rows, refused: Refused, now_ms: int) -> Iterator[Sample]:
    """The evidence in one table of committed values.

    Args:
        schema: of the values; tells source and whether they are synthetic.
        rows: what was written.
        refused: what the store refused; what is found here is taken out, because several tables
            can hold the same series and time.
        now_ms: when it came, UTC milliseconds.
    """
    counts = rows.present.sum(axis=1)
    qualities = _by_quality(rows, now_ms)
    for at, time in enumerate(rows.time_ms.tolist() if refused else ()):
        lost = min(int(counts[at]), refused[rows.series, time])
        counts[at] -= lost
        # which of them was refused is not told; taken for GOOD ones, no hour counts too much
        qualities[0][at] -= lost
        refused[rows.series, time] -= lost
    plausible = (rows.time_ms >= EARLIEST_MS) & (rows.time_ms <= now_ms + MAX_AHEAD_MS)
    use = plausible & (counts > 0)
    times, used = rows.time_ms[use], counts[use]
    days = (times + OFFSET_MS) // DAY_MS
    series = rows.series
    found = sorted(set(days.tolist()))
    for day in found:
        mine = days == day if len(found) > 1 else slice(None)
        yield Sample(
            MachineName(series.enterprise, series.site, series.equipment),
            _EPOCH + timedelta(days=day),
            schema.source,
            schema.synthetic,
            series.gateway,
            int(used[mine].sum()),
            int(times[mine].min()),
            int(times[mine].max()),
            *(_hours(times[mine][some[use][mine] > 0]) for some in qualities),
        )
    if int(rows.time_ms.max(initial=0)) > now_ms + MAX_AHEAD_MS:
        good, _, _, doubted = qualities
        # Once its clock is confirmed, what is in doubt counts as GOOD: replays must not be in it.
        yield from _ahead(schema, rows, (counts > 0) & (good + doubted > 0), now_ms)


def _ahead(
    schema: Schema, rows: Rows, is_good: npt.NDArray[np.bool_], now_ms: int
) -> Iterator[Sample]:
    """What is further ahead of the city's clock than clocks may differ: in doubt, day by day."""
    fast = (rows.time_ms > now_ms + MAX_AHEAD_MS) & (rows.time_ms <= now_ms + MAX_FAST_MS)
    times = rows.time_ms[fast & is_good]
    days = (times + OFFSET_MS) // DAY_MS
    series = rows.series
    machine = MachineName(series.enterprise, series.site, series.equipment)
    origin = Origin(series.gateway, schema.source, schema.synthetic)
    for day in sorted(set(days.tolist())):
        yield _doubted(machine, _EPOCH + timedelta(days=day), times[days == day], origin)


def _doubted(
    machine: MachineName, day: date, times: npt.NDArray[np.int64], origin: Origin
) -> Sample:
    gateway, source, synthetic = origin
    span = int(times.min()), int(times.max())
    place = (machine, day, source, synthetic, gateway)
    return Sample(*place, len(times), *span, good_hours=0, doubted_hours=_hours(times))


_Counts = npt.NDArray[np.int64]


def _by_quality(rows: Rows, now_ms: int) -> tuple[_Counts, _Counts, _Counts, _Counts]:
    """How many values of each line are GOOD, UNCERTAIN but fresh, replays, in clock doubt."""
    total = rows.present.sum(axis=1)
    if rows.status is None:
        none = np.zeros_like(total)
        return total.copy(), none, none, none
    status = _confirmed(rows.status, rows.time_ms, now_ms)
    good = (rows.present & (status == GOOD)).sum(axis=1)
    replayed = (rows.present & _REPLAY[status]).sum(axis=1)
    doubted = (rows.present & (status == _CLOCK_DOUBT)).sum(axis=1)
    return good, total - good - replayed - doubted, replayed, doubted


def _confirmed(status: Status, time_ms: npt.NDArray[np.int64], now_ms: int) -> Status:
    """Statuses, GOOD instead of in clock doubt on the day that the city's clock confirms."""
    today = (time_ms + OFFSET_MS) // DAY_MS == (now_ms + OFFSET_MS) // DAY_MS
    return np.where((status == _CLOCK_DOUBT) & today[:, None], GOOD, status).astype(np.uint8)


def _hours(times: npt.NDArray[np.int64]) -> int:
    """The hours of one day that times lie in, as bits."""
    hours = (times + OFFSET_MS) % DAY_MS // HOUR_MS
    return sum(1 << hour for hour in set(hours.tolist()))


def counted(
    machine: MachineName,
    day: date,
    valid_ms: tuple[int | None, int | None],
    origin: Origin,
    now_ms: int,
) -> Sample | None:
    """The evidence in what an edge counted: GOOD values that it held back are evidence too.

    Only the hours of the first and the last of them are known.

    Args:
        machine: as the edge names it.
        day: that was counted, Asia/Shanghai.
        valid_ms: time of the first and the last GOOD value of the day, UTC milliseconds.
        origin: who counted, and what kind of source it read.
        now_ms: when it was told, UTC milliseconds.

    Returns:
        A sample of no values; None if there was no GOOD value, or its time is not plausible.
    """
    first_ms, last_ms = valid_ms
    if first_ms is None or last_ms is None or not first_ms <= last_ms <= now_ms + MAX_FAST_MS:
        return None
    if first_ms < EARLIEST_MS or {day_of(first_ms), day_of(last_ms)} != {day}:
        return None
    times = np.array(valid_ms, np.int64)
    if last_ms > now_ms + MAX_AHEAD_MS:
        return replace(_doubted(machine, day, times, origin), count=0)
    gateway, source, synthetic = origin
    return Sample(machine, day, source, synthetic, gateway, 0, first_ms, last_ms, _hours(times))


def samples_in(
    tables: Sequence[tuple[Schema, Rows]], rejections: Sequence[Rejection], now_ms: int
) -> list[Sample]:
    """The evidence in what was written, one sample a machine, day, source, kind and gateway.

    Args:
        tables: what was written, with the schemas it follows.
        rejections: what the store refused of it.
        now_ms: when it came, UTC milliseconds.
    """
    refused: Refused = Counter()
    for rejection in rejections:
        refused[rejection.series, rejection.time_ms] += rejection.values
    return merged(
        sample for schema, rows in tables for sample in samples(schema, rows, refused, now_ms)
    )


def merged(parts: Iterable[Sample]) -> list[Sample]:
    """One sample a machine, day, source, kind and gateway; doubts alone stand apart."""
    sums: Sums = {}
    add(sums, parts)
    return list(sums.values())


def add(sums: Sums, parts: Iterable[Sample]) -> None:
    """Add samples to those that are gathered."""
    for part in parts:
        key = (part.machine, part.day, part.source, part.synthetic, part.gateway, part.is_evidence)
        have = sums.get(key)
        sums[key] = part if have is None else _sum(have, part)


def _sum(one: Sample, other: Sample) -> Sample:
    # not dataclasses.replace: this is done for each machine of each batch
    return Sample(
        one.machine,
        one.day,
        one.source,
        one.synthetic,
        one.gateway,
        one.count + other.count,
        min(one.first_ms, other.first_ms),
        max(one.last_ms, other.last_ms),
        one.good_hours | other.good_hours,
        one.uncertain_hours | other.uncertain_hours,
        one.replayed_hours | other.replayed_hours,
        one.doubted_hours | other.doubted_hours,
    )
