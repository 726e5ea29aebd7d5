"""The books and gaps of one device: every nominal tick is counted once, whatever happens.

Polled groups count a tick when it is read, skipped, or – while the device is down – when its
time has come. Subscribed groups count what arrives, and a tick for every tag that is down.
Nothing is counted before the first attempt to reach the device has ended: in a fresh buffer the
books begin there, after a restart the ticks until then are skipped with the cause gateway_down.
"""

from collections.abc import Sequence

import numpy as np

from gateway.core.batch import NEVER, Status
from gateway.core.status import FIRST_BAD, Reason
from gateway.edge.device.bookkeeping.gaps import GapTracker
from gateway.edge.device.bookkeeping.restart import Restart
from gateway.edge.device.bookkeeping.ticks import Group, Journal, Past, TickCounter
from gateway.edge.device.clock import Clock, Leap
from gateway.edge.device.model import DeviceModel
from gateway.edge.device.surroundings import Surroundings

BACK_MS = 1_000
"""A clock that is behind the books by no more is waited for."""


class Bookkeeper:
    """Counts the ticks of one device.

    Args:
        device: id of the device.
        groups: its groups; their ``ticks`` are changed here and nowhere else.
        gaps: its open gaps.
        journal: takes counts and gaps.
        clock: tells steps of the clock from time that passed.
        restart: hears when the first attempt to reach the device has ended.
    """

    def __init__(
        self,
        device: str,
        groups: Sequence[Group],
        gaps: GapTracker,
        journal: Journal,
        clock: Clock,
        restart: Restart,
    ) -> None:
        self._device = device
        self._groups = groups
        self._gaps = gaps
        self._restart = restart
        self._has_subscriptions = any(group.model.mode == "subscribe" for group in groups)
        self._fresh = {group.name for group in groups if group.ticks.counted_ms == NEVER}
        self._counter = TickCounter(device, journal)
        self._clock = clock
        # Ticks left and begun with, by group, between which it is not known what was due.
        self._unsure: dict[str, tuple[int, int]] = {}
        self._is_attempted = False
        self._cause: Reason | None = None  # why nothing is read; None while a session stands

    @classmethod
    def of(
        cls, model: DeviceModel, groups: Sequence[Group], past: Past, shared: Surroundings
    ) -> "Bookkeeper":
        """The bookkeeper of a device that goes on where its past had come to."""
        points = {group.name: group.points for group in model.groups}
        gaps = GapTracker(model.id, points, past.gaps)
        return cls(model.id, groups, gaps, shared.journal, shared.clock, shared.restart)

    # -- from start to stop ---------------------------------------------------------------

    def resume(self, now_ms: int, *, is_trusted: bool = True) -> int | None:
        """Look what was due while the gateway did not run; :meth:`attempted` counts it.

        Args:
            now_ms: the gateway's clock, UTC milliseconds.
            is_trusted: whether the time that passed since the books were left is known; if not,
                it is counted when the clock is confirmed, see :meth:`confirmed`.

        Returns:
            The first tick missed so, UTC milliseconds; None if none was, or that is not known.
        """
        for group in self._groups:
            is_fresh = group.name in self._fresh
            self._gaps.resume(group.name, now_ms if is_fresh else group.ticks.counted_ms + 1)
            group.enter_era(self._clock.era)
        self._leave_future(now_ms)
        for group in self._groups:
            self._resume(group, now_ms, is_trusted)
        self._counter.send(self._gaps.end_orphans(now_ms))
        missed = [group.next_tick() for group in self._groups]
        return min((tick for tick in missed if tick <= now_ms), default=None)

    def _leave_future(self, now_ms: int) -> None:
        """Nothing is due where the clock by which the books were left was ahead."""
        left_ms = max((group.ticks.counted_ms for group in self._groups), default=NEVER)
        if left_ms <= now_ms + BACK_MS:
            return
        self._counter.send(self._gaps.leap(left_ms + 1, now_ms))
        for group in self._groups:
            if group.ticks.counted_ms > now_ms:
                # Unless this clock is behind, which turns out when it is set right.
                self._unsure[group.name] = group.ticks.counted_ms, group.tick_at(now_ms)
                group.leap(Leap(left_ms, now_ms, left_ms), self._clock.era)

    def _resume(self, group: Group, now_ms: int, is_trusted: bool) -> None:
        ticks, left_ms = group.ticks, group.ticks.counted_ms
        if group.name in self._fresh:
            ticks.counted_ms = group.tick_at(now_ms)
        elif not is_trusted and group.next_tick() <= now_ms:
            ticks.counted_ms = group.tick_at(now_ms)
            self._unsure[group.name] = left_ms, ticks.counted_ms

    def confirmed(self) -> int | None:
        """The clock is right: skip what was due before the start and could not be told then.

        Returns:
            The first tick missed so, UTC milliseconds; None if none was.
        """
        unsure, self._unsure = self._unsure, {}
        first_ms: list[int] = []
        for group in self._groups:
            left_ms, start_ms = map(group.in_era, unsure.get(group.name, (0, 0)))
            if left_ms < start_ms:  # else the clock by which they were left was ahead
                days = group.ticks_by_day(left_ms, start_ms)
                self._counter.count(group, days, skipped=group.size)
                first_ms.append(group.tick_at(left_ms + group.model.interval_ms))
        return min(first_ms, default=None)

    def leap(self, leap: Leap) -> None:
        """The clock goes on elsewhere: count what came until then, go on there."""
        if self._is_attempted:
            self.catch_up(leap.from_ms)
            for group in self._groups:
                self._skip_unread(group, leap.from_ms)
        else:
            self._miss(leap.from_ms)
        self._counter.send(self._gaps.leap(leap.from_ms + 1, leap.to_ms))
        for group in self._groups:
            group.leap(leap, self._clock.era)
            self._counter.note_progress(group)
        self._unsure = {
            name: (left_ms, start_ms + leap.ms)
            for name, (left_ms, start_ms) in self._unsure.items()
        }

    def _skip_unread(self, group: Group, upto_ms: int) -> None:
        """Ticks that have come and wait to be read, while none is being read, are not read."""
        missed = group.next_tick()
        if group.ticks.reading_ms is None and missed <= upto_ms:
            gaps = self._gaps.skipped(group.name, Reason.CLOCK, missed, upto_ms + 1)
            self._counter.send(gaps)
            self._counter.catch_up(group, upto_ms, skipped=group.size)

    def take_over(self, now_ms: int) -> None:
        """Go on where another runtime of the device was stopped while the gateway ran.

        Until the device is reached, its ticks are skipped with the cause ``stopped``.
        """
        self.resume(now_ms)
        self._is_attempted = True
        self._cause = Reason.STOPPED

    def attempted(self, now_ms: int) -> None:
        """The first attempt to reach the device has ended; from now on its ticks are due.

        Later calls change nothing.
        """
        if self._is_attempted:
            return
        self._is_attempted = True
        self._restart.attempted(self._device, self._miss(now_ms), now_ms)

    def _miss(self, now_ms: int) -> int | None:
        """Skip what the gateway missed because it did not run; the newest tick of it."""
        missed: int | None = None
        for group in self._groups:
            is_fresh = group.name in self._fresh
            if group.next_tick() <= now_ms:
                self._counter.catch_up(group, now_ms, skipped=0 if is_fresh else group.size)
                missed = missed if is_fresh else max(group.ticks.counted_ms, missed or 0)
        return missed

    def connected(self, now_ms: int) -> None:
        """A session stands: ticks from now on are not the fault of the loss before it.

        Its gap lasts until the first of them, see :meth:`back`.
        """
        self.attempted(now_ms)
        self.catch_up(now_ms)
        self._cause = None

    def lost(self, cause: Reason, now_ms: int) -> None:
        """The device is lost, or was stopped: from the next uncounted tick on, all its ticks are.

        Args:
            cause: why; ticks of a device that was STOPPED on purpose are skipped, others failed.
            now_ms: the gateway's clock, UTC milliseconds.
        """
        self.attempted(now_ms)
        self.catch_up(now_ms)
        self._cause = cause
        for group in self._groups:
            # Of the loss each tag is part; a reading under way has ended with it.
            group.ticks.failing_tags, group.ticks.reading_ms = 0, None
            group.processor.lost()
        self.catch_up(now_ms)

    def past(self) -> Past:
        """What another runtime of the device needs to go on."""
        progress = {group.name: group.progress(group.ticks.counted_ms) for group in self._groups}
        return Past(self._gaps.open_gaps(), progress)

    def close(self, now_ms: int) -> None:
        """The device is taken out, after it was stopped: what is open ends."""
        self._counter.send(self._gaps.end_all(now_ms + 1))  # a tick that came now is missing too

    def end_skips(self) -> None:
        """The gateway stops in order: its ticks are skipped no more, but not read at all."""
        self._counter.send(self._gaps.end_skips())

    # -- one reading ----------------------------------------------------------------------

    def begin(self, group: Group, now_ms: int) -> int:
        """Choose the tick to read now: the newest that has come.

        Ticks before it were missed: failed if the device was down, else skipped as late.
        """
        next_ms = group.next_tick()
        # A clock that is slowed down may show a moment before the tick that was waited for.
        group.ticks.reading_ms = tick_ms = max(group.tick_at(now_ms), next_ms)
        if tick_ms == next_ms:
            return tick_ms  # mostly so: nothing was missed
        self._catch_up(group, now_ms)
        missed = group.next_tick()
        if missed < tick_ms:
            self._counter.send(self._gaps.back(missed))  # what was lost before is not their cause
            self._counter.send(self._gaps.skipped(group.name, Reason.LATE, missed, tick_ms))
            self._counter.catch_up(group, tick_ms - 1, skipped=group.size)
        return tick_ms

    def tick_of(self, group: Group, tick_ms: int) -> int:
        """The tick of the reading under way that began at a tick: the clock may have leapt."""
        return tick_ms if group.ticks.reading_ms is None else group.ticks.reading_ms

    def recorded(self, group: Group, tick_ms: int) -> None:
        """The reading of a tick was recorded, and its counts with it."""
        group.ticks.counted_ms = tick_ms

    def end(self, group: Group) -> None:
        """The reading has ended; a tick that it did not record is counted by what comes next."""
        group.ticks.reading_ms = None

    def judge(self, group: Group, status: Status, time_ms: int) -> None:
        """Open and end gaps of single tags, by the status column of the group at a time."""
        if group.model.mode == "subscribe":
            group.ticks.failing_tags = int(np.count_nonzero(status >= FIRST_BAD))
        self._counter.send(self._gaps.update(group.name, status, time_ms))

    def back(self, time_ms: int) -> None:
        """The device gives values again from ``time_ms`` on."""
        self._counter.send(self._gaps.back(time_ms))

    # -- what nobody reads ----------------------------------------------------------------

    @property
    def is_current(self) -> bool:
        """Whether nothing is due but what its readings will count: then no need to catch up.

        So it is mostly: the device is up and polled, and no gap waits for its end.
        """
        return self._cause is None and not self._has_subscriptions and not self._gaps.has_skips

    def catch_up(self, now_ms: int) -> None:
        """Bring the books up to now; called before every commit unless they are current."""
        if not self._is_attempted:
            return
        missed = [self._catch_up(group, now_ms) for group in self._groups]
        first_ms = min((tick for tick in missed if tick is not None), default=None)
        if self._cause is not None and first_ms is not None:
            self._counter.send(self._gaps.lost(self._cause, first_ms))
        self._counter.send(self._gaps.end_old_skips(now_ms))

    def _catch_up(self, group: Group, now_ms: int) -> int | None:
        """Count what a group owes; the first tick that was missed because the device is down."""
        reading_ms = group.ticks.reading_ms
        upto_ms = now_ms if reading_ms is None else min(now_ms, reading_ms - 1)
        missed = group.next_tick()
        if missed > upto_ms:
            return None
        if self._cause is Reason.STOPPED:
            self._counter.catch_up(group, upto_ms, skipped=group.size)
            return missed
        if self._cause is not None:
            self._counter.catch_up(group, upto_ms, failed=group.size)
            return missed
        if group.model.mode == "subscribe":
            self._counter.catch_up(group, upto_ms, failed=group.ticks.failing_tags)
        return None
