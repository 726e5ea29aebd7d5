"""Counters of machines against a count value by value."""

from collections import defaultdict
from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.days import DAY_MS, day_of
from gateway.core.machines import (
    MachineCounts,
    MachineDay,
    count_arrivals,
    count_poll,
    tags_by_machine,
)
from gateway.core.schema import Equipment, Kind, Schema, Tag
from gateway.core.status import GOOD, Reason, bad, uncertain

MACHINES = tuple(Equipment("u", "1", name) for name in "abc")
T0 = 1_800_000_000_000
STATUS = st.sampled_from([GOOD, GOOD, uncertain(Reason.LAST_USABLE), bad(Reason.TIMEOUT)])
OWNERS = st.lists(st.integers(0, 2), min_size=1, max_size=6)


def schema_of(owners: list[int]) -> Schema:
    tags = tuple(Tag(f"t{at}", Kind.BOOL, equipment=owner) for at, owner in enumerate(owners))
    return Schema("d", "g", "p", "sensor", True, MACHINES, tags, 1_000)


def totals(days: list[MachineDay]) -> dict[tuple[Equipment, date], MachineCounts]:
    assert len({(machine, day) for machine, day, _ in days}) == len(days)
    return {(machine, day): counts for machine, day, counts in days}


def plainly(
    owners: list[int], times: list[int], status: list[int]
) -> dict[tuple[Equipment, date], MachineCounts]:
    rows = defaultdict[tuple[Equipment, date], list[int | None]](list)
    for owner, time, code in zip(owners, times, status, strict=True):
        rows[MACHINES[owner], day_of(time)].append(time if code == GOOD else None)
    expected = {}
    for key, every in rows.items():
        valid = [time for time in every if time is not None]
        first, last = min(valid, default=None), max(valid, default=None)
        expected[key] = MachineCounts(len(valid), len(every), first, last)
    return expected


@given(OWNERS, st.data())
def test_a_poll(owners: list[int], data: st.DataObject) -> None:
    status = [data.draw(STATUS) for _ in owners]
    got = count_poll(schema_of(owners), np.array(status, np.uint8), not any(status), T0)
    assert totals(got) == plainly(owners, [T0] * len(owners), status)


@given(OWNERS, st.data())
def test_arrivals(owners: list[int], data: st.DataObject) -> None:
    index = sorted(data.draw(st.lists(st.integers(0, len(owners) - 1), max_size=8)))
    status = [data.draw(STATUS) for _ in index]
    times = [T0 + data.draw(st.sampled_from([0, 5, DAY_MS])) for _ in index]
    got = count_arrivals(
        schema_of(owners),
        np.array(index, np.uint32),
        np.array(times, np.int64),
        np.array(status, np.uint8),
    )
    assert totals(got) == plainly([owners[at] for at in index], times, status)


@given(OWNERS)
def test_tags(owners: list[int]) -> None:
    schema = schema_of(owners)
    assert tags_by_machine(schema) == {MACHINES[at]: owners.count(at) for at in sorted(set(owners))}
    chosen = np.array([owner == 1 for owner in owners])
    assert tags_by_machine(schema, chosen) == (
        {MACHINES[1]: owners.count(1)} if 1 in owners else {}
    )
