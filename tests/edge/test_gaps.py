"""Gaps against the plain truth: who was bad, when, and why."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.batch import JOIN_MS, Gap
from gateway.core.status import GOOD, Reason, bad, reason_of
from gateway.edge.device.bookkeeping.gaps import GapTracker

CODES = [GOOD, GOOD, bad(Reason.RANGE), bad(Reason.TYPE)]


@dataclass
class Named:
    name: str


TAGS = [Named(f"t{at}") for at in range(4)]


def newest(records: list[Gap]) -> list[Gap]:
    """What the city keeps: the last record of each key."""
    return list({g.key: g for g in records}.values())


def covered(gaps: list[Gap], tag: str, time: int) -> list[Reason]:
    return [
        gap.cause
        for gap in gaps
        if (not gap.tags or tag in gap.tags)
        and gap.from_ms <= time
        and (gap.to_ms is None or time < gap.to_ms)
    ]


STEPS = st.lists(
    st.one_of(
        st.tuples(*(st.sampled_from(CODES) for _ in TAGS)),
        st.sampled_from([Reason.TIMEOUT, Reason.DISCONNECTED]),
    ),
    max_size=12,
)


@given(STEPS, st.integers(0, 12))
def test_every_bad_tag_at_every_time_is_in_exactly_one_gap(steps: list, restart: int) -> None:
    tracker = GapTracker("d", {"g": TAGS})
    records: list[Gap] = []
    truth: list[list[Reason | None]] = []
    for time, step in enumerate(steps):
        if time == restart:
            still = [gap for gap in newest(records) if gap.to_ms is None]
            tracker = GapTracker("d", {"g": TAGS}, still)
        if isinstance(step, Reason):
            records += tracker.lost(step, time)
            truth.append([step] * len(TAGS))
        else:
            records += tracker.back(time)
            records += tracker.update("g", np.array(step, np.uint8), time)
            truth.append([None if code == GOOD else reason_of(code) for code in step])
    gaps = newest(records)
    for time, row in enumerate(truth):
        for tag, cause in zip(TAGS, row, strict=True):
            assert covered(gaps, tag.name, time) == ([] if cause is None else [cause])


def test_skipped_ticks_near_each_other_are_one_gap() -> None:
    tracker = GapTracker("d", {"g": TAGS})
    (opened,) = tracker.skipped("g", Reason.LATE, 1_000, 2_000)
    assert tracker.skipped("g", Reason.LATE, 5_000, 6_000) == []
    assert tracker.end_old_skips(6_000 + JOIN_MS) == []
    (ended,) = tracker.end_old_skips(6_001 + JOIN_MS)
    assert (ended.from_ms, ended.to_ms) == (opened.from_ms, 6_000)
    assert tracker.end_old_skips(10**9) == []


def test_gaps_of_tags_that_are_gone_end() -> None:
    gone = Gap("d", "old", ("x",), Reason.TYPE, 5)
    tracker = GapTracker("d", {"g": TAGS}, [gone])
    assert tracker.end_orphans(9) == [Gap("d", "old", ("x",), Reason.TYPE, 5, 9)]
    assert tracker.end_orphans(9) == []
