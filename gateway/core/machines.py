"""What each machine gave: how many of its values were due, and how many came GOOD. Pure.

Rates rest on values that came. Report-by-exception keeps most of them from travelling, so they are
counted where they are read.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from gateway.core.batch import Status
from gateway.core.days import day_of
from gateway.core.schema import Equipment, Schema
from gateway.core.status import GOOD

MachineDay = tuple[Equipment, date, "MachineCounts"]
"""What a machine gave on an Asia/Shanghai day."""


@dataclass(slots=True)
class MachineCounts:
    """Counters of one machine on one day.

    Attributes:
        valid: values that were GOOD after processing, whether they travel or not. One that is
            UNCERTAIN is due but not valid: a dead machine's last value, repeated, is that.
        expected: values that were due.
        first_ms: time of the oldest valid one, UTC milliseconds; None if there is none.
        last_ms: time of the newest.
    """

    valid: int = 0
    expected: int = 0
    first_ms: int | None = None
    last_ms: int | None = None

    def add(self, other: "MachineCounts") -> None:
        """Add another set of counters to this one."""
        self.valid += other.valid
        self.expected += other.expected
        if other.first_ms is None or other.last_ms is None:
            return
        if self.first_ms is None or other.first_ms < self.first_ms:
            self.first_ms = other.first_ms
        if self.last_ms is None or other.last_ms > self.last_ms:
            self.last_ms = other.last_ms


def count_poll(schema: Schema, status: Status, is_good: bool, tick_ms: int) -> list[MachineDay]:
    """Count one poll.

    Args:
        schema: its tags.
        status: one status byte a tag, after processing.
        is_good: whether all are GOOD; then they are not looked at.
        tick_ms: time of the poll, UTC milliseconds.
    """
    day = day_of(tick_ms)
    machine = schema.only_machine
    if machine is not None:
        due = len(status)
        valid = due if is_good else due - int(np.count_nonzero(status))
        return [(schema.equipment[machine], day, _at_one_time(valid, due, tick_ms))]
    expected = np.bincount(schema.owners)
    good = expected if is_good else np.bincount(schema.owners[status == GOOD])
    # Shorter than expected where the last machines have no good value.
    valid_of = dict(enumerate(good.tolist()))
    return [
        (schema.equipment[at], day, _at_one_time(valid_of.get(at, 0), due, tick_ms))
        for at, due in enumerate(expected.tolist())
        if due
    ]


def _at_one_time(valid: int, due: int, time_ms: int) -> MachineCounts:
    if not valid:
        return MachineCounts(0, due)
    return MachineCounts(valid, due, time_ms, time_ms)


def count_arrivals(
    schema: Schema,
    index: npt.NDArray[np.uint32],
    times: npt.NDArray[np.int64],
    status: Status,
) -> list[MachineDay]:
    """Count values that came one by one.

    Args:
        schema: what ``index`` points into.
        index: which tag each value is of.
        times: time of each value, UTC milliseconds.
        status: status byte of each, after processing.
    """
    if not len(index):
        return []
    machine = schema.only_machine
    day = day_of(int(times.min()))
    if machine is not None and day == day_of(int(times.max())):
        return [(schema.equipment[machine], day, _spread(times[status == GOOD], len(index)))]
    machines = schema.owners[index].tolist()
    totals: dict[tuple[int, date], MachineCounts] = {}
    for owner, time, code in zip(machines, times.tolist(), status.tolist(), strict=True):
        one = _at_one_time(int(code == GOOD), 1, time)
        totals.setdefault((owner, day_of(time)), MachineCounts()).add(one)
    return [(schema.equipment[at], on, counts) for (at, on), counts in totals.items()]


def _spread(valid: npt.NDArray[np.int64], due: int) -> MachineCounts:
    if not len(valid):
        return MachineCounts(0, due)
    return MachineCounts(len(valid), due, int(valid.min()), int(valid.max()))


def tags_by_machine(
    schema: Schema, chosen: npt.NDArray[np.bool_] | None = None
) -> dict[Equipment, int]:
    """How many tags each machine has.

    Args:
        schema: the tags.
        chosen: which of them to count; None: all.
    """
    owners = schema.owners if chosen is None else schema.owners[chosen]
    tags = enumerate(np.bincount(owners).tolist())
    return {schema.equipment[at]: count for at, count in tags if count}
