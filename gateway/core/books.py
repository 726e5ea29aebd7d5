"""The books: what was due, what came of it. One tag at one time is the unit.

Invariants, for every device and day::

    due = ok + failed + skipped
    ok  = suppressed + buffered
    buffered = stored + pending + dropped      (closed by the city's side)
"""

from dataclasses import dataclass, field, fields
from datetime import date

import numpy as np

from gateway.core.batch import Mask, Times
from gateway.core.days import day_of


@dataclass(slots=True)
class Counts:
    """Counters of one device on one day (or any sum of such).

    ``dropped`` counts values that had been buffered and were given up, by cause code.
    """

    due: int = 0
    ok: int = 0
    failed: int = 0
    skipped: int = 0
    suppressed: int = 0
    buffered: int = 0
    dropped: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Counts") -> None:
        """Add another set of counters to this one."""
        self.due += other.due
        self.ok += other.ok
        self.failed += other.failed
        self.skipped += other.skipped
        self.suppressed += other.suppressed
        self.buffered += other.buffered
        for cause, count in other.dropped.items():
            self.dropped[cause] = self.dropped.get(cause, 0) + count

    @property
    def balanced(self) -> bool:
        """Whether the two equations of the edge hold."""
        return (
            self.due == self.ok + self.failed + self.skipped
            and self.ok == self.suppressed + self.buffered
        )


COUNTERS = tuple(f.name for f in fields(Counts) if f.name != "dropped")
"""Names of the whole-number counters, in the order of the books."""


def tally(due: int, failed: int, sent: int) -> Counts:
    """The books of values of one day: how many were due, BAD, and handed on."""
    ok = due - failed
    return Counts(due=due, ok=ok, failed=failed, suppressed=ok - sent, buffered=sent)


def tally_by_day(times: Times, wrong: Mask, present: Mask) -> dict[date, Counts]:
    """The books of values with times of their own, by Asia/Shanghai day."""
    if not len(times):
        return {}
    first, last = day_of(int(times.min())), day_of(int(times.max()))
    # Nearly always: only around midnight are values of two days told apart one by one.
    if first == last:
        failed, sent = int(np.count_nonzero(wrong)), int(np.count_nonzero(present))
        return {first: tally(len(times), failed, sent)}
    totals: dict[date, Counts] = {}
    for time, failed_one, sent_one in zip(
        times.tolist(), wrong.tolist(), present.tolist(), strict=True
    ):
        totals.setdefault(day_of(time), Counts()).add(tally(1, int(failed_one), int(sent_one)))
    return totals
