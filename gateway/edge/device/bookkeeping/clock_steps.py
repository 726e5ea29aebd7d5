"""What a clock that was set does to the ticks of one device.

Times of a tag only move forward. What a clock set back would repeat is skipped with the cause
``clock``; a clock that was wrong by more than a day, as at a start without battery, makes nothing
due: its times begin anew.
"""

import logging
from collections.abc import Collection, Sequence

from gateway.core.days import DAY_MS
from gateway.core.schedule import next_tick_ms
from gateway.core.status import Reason
from gateway.edge.device.bookkeeping.gaps import GapTracker
from gateway.edge.device.bookkeeping.ticks import Group, TickCounter
from gateway.edge.device.clock import STEP_MS, Clock

_log = logging.getLogger(__name__)

LONGEST_STEP_MS = DAY_MS
"""A clock that steps further had been wrong before: times begin anew from now."""


class ClockSteps:
    """Notices steps of the clock and what they mean for the books of one device.

    Args:
        groups: the groups of the device.
        fresh: names of those that were not in the books before this run.
        gaps: their open gaps.
        counter: takes what a step makes due.
        clock: the clock.
    """

    def __init__(
        self,
        groups: Sequence[Group],
        fresh: Collection[str],
        gaps: GapTracker,
        counter: TickCounter,
        clock: Clock,
    ) -> None:
        self._groups = groups
        self._fresh = fresh
        self._gaps = gaps
        self._counter = counter
        self._clock = clock
        self._offset_ms = 0.0

    def begin(self, now_ms: int) -> None:
        """Steps are noticed from now on."""
        self._offset_ms = self._clock.offset_ms(now_ms)

    def stepped(self, group: Group, now_ms: int) -> bool:
        """Whether the clock has stepped since this was asked last of the group.

        Notices a leap as well, see :meth:`notice_leap`.
        """
        offset_ms = self._clock.offset_ms(now_ms)
        self._notice_leap(offset_ms, now_ms)
        before, group.ticks.offset_ms = group.ticks.offset_ms, offset_ms
        return abs(offset_ms - before) > STEP_MS

    def notice_leap(self, now_ms: int) -> None:
        """Notice a leap ahead of a clock that was far behind, as after a start without battery.

        No time has passed in it, so nothing was due – but for what was before this run and is
        not in the books because the clock hid it.
        """
        self._notice_leap(self._clock.offset_ms(now_ms), now_ms)

    def _notice_leap(self, offset_ms: float, now_ms: int) -> None:
        leap_ms, self._offset_ms = int(offset_ms - self._offset_ms), offset_ms
        if leap_ms <= LONGEST_STEP_MS:
            return
        for group in self._groups:
            if group.ticks.left_ms is not None and group.ticks.left_ms <= now_ms:
                self._begin_anew(group, group.ticks.left_ms, now_ms - leap_ms)
            elif group.name in self._fresh:
                self._begin_anew(group, group.tick_at(now_ms), now_ms - leap_ms)

    def begin_anew_if_far_ahead(self, group: Group, now_ms: int) -> None:
        """Begin anew from now where the books are more than a day ahead of the clock."""
        left_ms = group.ticks.counted_ms
        if left_ms - now_ms > LONGEST_STEP_MS:
            self._begin_anew(group, group.tick_at(now_ms), left_ms + 1)
            group.ticks.left_ms = left_ms
            group.processor.rewind(group.ticks.counted_ms)

    def _begin_anew(self, group: Group, tick_ms: int, until_ms: int) -> None:
        """Let times go on from another tick, after a clock that had been wrong until then."""
        _log.warning(
            "device %s group %s: the clock was %d s %s; times begin anew from now",
            self._counter.device,
            group.name,
            abs(tick_ms - until_ms) // 1000,
            "behind" if tick_ms > until_ms else "ahead",
        )
        self._counter.send(self._gaps.interrupt(until_ms))
        ticks = group.ticks
        ticks.counted_ms, ticks.left_ms, ticks.repeated_ms = tick_ms, None, None

    def repeats(self, group: Group, now_ms: int, owed: int) -> bool:
        """Whether a clock that was set back repeats time; counts what it repeats as skipped.

        Args:
            group: whose ticks.
            now_ms: the gateway's clock, UTC milliseconds.
            owed: how many values each tick owes.
        """
        ticks, last = group.ticks, group.ticks.counted_ms
        if now_ms < last - group.model.interval_ms and ticks.repeated_ms is None:
            _log.warning(
                "device %s group %s: the clock went back %d s; ticks are skipped until it is past",
                self._counter.device,
                group.name,
                (last - now_ms) // 1000,
            )
            ticks.repeated_ms = group.tick_at(now_ms)
        if ticks.repeated_ms is None:
            return now_ms < last
        ticks.repeated_ms = self._repeat(group, ticks.repeated_ms, min(now_ms, last), owed)
        if now_ms < last:
            return True
        ticks.repeated_ms = None
        return False

    def _repeat(self, group: Group, after_ms: int, upto_ms: int, owed: int) -> int:
        """Skip the repeated ticks up to a time; the newest repeated tick that is in the books."""
        if upto_ms < after_ms:  # set back once more
            return group.tick_at(upto_ms)
        days = group.ticks_by_day(after_ms, upto_ms)
        if not days or not owed:
            return after_ms
        self._counter.count(group, days, skipped=owed)
        newest_ms = group.tick_at(upto_ms)
        first_ms = next_tick_ms(after_ms, group.model.interval_ms, group.model.phase_ms)
        skipped = self._gaps.skipped(group.name, Reason.CLOCK, first_ms, newest_ms + 1)
        self._counter.send(skipped)
        return newest_ms
