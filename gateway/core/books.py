"""The books: what was due, what came of it. One tag at one time is the unit.

Invariants, for every device and day::

    due = ok + failed + skipped
    ok  = suppressed + buffered
    buffered = stored + pending + dropped      (closed by the city's side)

UNCERTAIN values are part of ``ok``, whether they were suppressed or buffered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date

import numpy as np

from gateway.core.batch import Mask, Status, Times
from gateway.core.days import DAY_MS, OFFSET_MS, day_of
from gateway.core.status import FIRST_BAD, Quality, Reason, reason_of
from gateway.core.status import status as status_byte


@dataclass(slots=True)
class Counts:
    """Counters of one device on one day (or any sum of such).

    ``dropped`` counts values that had been buffered and were given up, by cause code;
    ``uncertain`` those of ``ok`` that were UNCERTAIN, by reason code.
    """

    due: int = 0
    ok: int = 0
    failed: int = 0
    skipped: int = 0
    suppressed: int = 0
    buffered: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    uncertain: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Counts") -> None:
        """Add another set of counters to this one."""
        self.due += other.due
        self.ok += other.ok
        self.failed += other.failed
        self.skipped += other.skipped
        self.suppressed += other.suppressed
        self.buffered += other.buffered
        if other.dropped:  # mostly there are none
            add_by_code(self.dropped, other.dropped)
        if other.uncertain:
            add_by_code(self.uncertain, other.uncertain)

    @property
    def balanced(self) -> bool:
        """Whether the two equations of the edge hold, and UNCERTAIN values are part of ``ok``."""
        return (
            self.due == self.ok + self.failed + self.skipped
            and self.ok == self.suppressed + self.buffered
            and self.uncertain_values <= self.ok
        )

    @property
    def uncertain_values(self) -> int:
        """How many values were UNCERTAIN, whatever the reason."""
        return sum(self.uncertain.values())

    def in_doubt(self) -> "Counts":
        """The same where all that was GOOD is UNCERTAIN, as the clock is in doubt."""
        good = self.ok - self.uncertain_values
        if not good:
            return self
        doubted = dict(self.uncertain)
        add_by_code(doubted, {Reason.CLOCK_DOUBT.code: good})
        return replace(self, uncertain=doubted)


BY_CODE = ("dropped", "uncertain")
"""Names of the counters that are kept by cause or reason code."""

COUNTERS = tuple(f.name for f in fields(Counts) if f.name not in BY_CODE)
"""Names of the whole-number counters, in the order of the books."""


def add_by_code(total: dict[str, int], more: Mapping[str, int]) -> None:
    """Add counts by code to others."""
    for code, count in more.items():
        total[code] = total.get(code, 0) + count


def count_uncertain(status: Status) -> dict[str, int]:
    """How many of some values are UNCERTAIN, by reason code; ``status`` has one byte a value."""
    doubtful = status[(status >= _FIRST_UNCERTAIN) & (status < FIRST_BAD)]
    codes, counts = np.unique(doubtful, return_counts=True)
    return {
        reason_of(code).code: count
        for code, count in zip(codes.tolist(), counts.tolist(), strict=True)
    }


def tally(due: int, failed: int, sent: int, uncertain: dict[str, int] | None = None) -> Counts:
    """The books of values of one day.

    Args:
        due: how many there were.
        failed: how many of them were BAD.
        sent: how many were handed on.
        uncertain: how many were UNCERTAIN, by reason code; None: none was.
    """
    ok = due - failed
    return Counts(due, ok, failed, 0, ok - sent, sent, {}, uncertain or {})


def tally_by_day(times: Times, status: Status, present: Mask) -> dict[date, Counts]:
    """The books of values with times of their own, by Asia/Shanghai day.

    Args:
        times: of the values, UTC milliseconds.
        status: status byte of each.
        present: which of them are handed on.
    """
    if not len(times):
        return {}
    first, last = day_of(int(times.min())), day_of(int(times.max()))
    if first == last:  # nearly always: but for midnight, and first values of a subscription
        return {first: _tally(status, present)}
    days = (times + OFFSET_MS) // DAY_MS
    order = np.argsort(days, kind="stable")
    begins = np.flatnonzero(np.diff(days[order])) + 1
    return {
        day_of(int(times[part[0]])): _tally(status[part], present[part])
        for part in np.split(order, begins)
    }


def _tally(status: Status, present: Mask) -> Counts:
    failed, sent = int(np.count_nonzero(status >= FIRST_BAD)), int(np.count_nonzero(present))
    uncertain = count_uncertain(status) if status.any() else {}
    return tally(len(status), failed, sent, uncertain)


_FIRST_UNCERTAIN = status_byte(Quality.UNCERTAIN)
