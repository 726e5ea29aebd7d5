"""The books and gaps of one device: every nominal tick is counted once, whatever happens.

Polled groups count a tick when it is read, skipped, or – while the device is down – when its
time has come. Subscribed groups count what arrives, and a tick for every tag that is down.
Nothing is counted before the first attempt to reach the device has ended: in a fresh buffer the
books begin there, after a restart the ticks until then are skipped with the cause gateway_down.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import date

from gateway.core.batch import Gap, Status
from gateway.core.books import Counts
from gateway.core.process import NEVER
from gateway.core.schedule import next_tick_ms, ticks_by_day
from gateway.core.status import Reason
from gateway.edge.buffer.recorder import Recorder
from gateway.edge.device.gaps import GapTracker
from gateway.edge.device.model import Device, Group
from gateway.edge.device.restart import Restart

_log = logging.getLogger(__name__)

LONGEST_STEP_MS = 24 * 3_600_000
"""A clock that steps further had been wrong before: times begin anew from now."""

STEP_MS = 1_000
"""Clock and steps of the monotonic clock may differ by this before it is a step."""


class Account:
    """Keeps the books of one device.

    Args:
        device: its groups.
        gaps: its open gaps.
        recorder: takes counts and gaps.
        monotonic_ms: a clock that never steps, milliseconds.
        restart: told when the first attempt to reach the device has ended.
    """

    def __init__(
        self,
        device: Device,
        gaps: GapTracker,
        recorder: Recorder,
        monotonic_ms: Callable[[], float],
        restart: Restart,
    ) -> None:
        self._device = device
        self._gaps = gaps
        self._recorder = recorder
        self._monotonic_ms = monotonic_ms
        self._restart = restart
        self._fresh = {group.name for group in device.groups if group.last_tick_ms == NEVER}
        self._is_tried = False
        self._cause: Reason | None = None
        self._offset_ms = 0.0

    @property
    def device(self) -> str:
        """Id of the device."""
        return self._device.id

    def start(self, now_ms: int) -> int | None:
        """Look what was due while the gateway did not run; it is counted by :meth:`tried`.

        Returns:
            The first tick missed so, UTC milliseconds; None if none was.
        """
        self._offset_ms = now_ms - self._monotonic_ms()
        for group in self._device.groups:
            if group.name in self._fresh:
                group.last_tick_ms = group.tick_at(now_ms)
            self._gaps.resume(group.name, group.last_tick_ms + 1)
            self._believe(group, now_ms)
        self._send(self._gaps.end_orphans(now_ms))
        missed = [group.next_tick() for group in self._device.groups]
        return min((tick for tick in missed if tick <= now_ms), default=None)

    def tried(self, now_ms: int) -> None:
        """The first attempt to reach the device has ended; from now on its ticks are due.

        Later calls change nothing.
        """
        if self._is_tried:
            return
        self._is_tried = True
        self._watch(now_ms)
        missed: int | None = None
        for group in self._device.groups:
            self._believe(group, now_ms)
            is_fresh = group.name in self._fresh
            if group.next_tick() <= now_ms:
                self._pass(group, now_ms, skipped=0 if is_fresh else group.size)
                missed = missed if is_fresh else max(group.last_tick_ms, missed or 0)
        self._restart.tried(self._device.id, missed, now_ms)

    def connected(self, now_ms: int) -> None:
        """A session stands: ticks from now on are not the fault of the loss before it.

        Its gap lasts until the first of them, see :meth:`back`.
        """
        self.tried(now_ms)
        self.settle(now_ms)
        self._cause = None
        for group in self._device.groups:
            group.offset_ms = now_ms - self._monotonic_ms()

    def settle(self, now_ms: int) -> None:
        """Bring the books up to now; called before every commit."""
        if not self._is_tried:
            return
        self._watch(now_ms)
        failed = [self._settle(group, now_ms) for group in self._device.groups]
        first_ms = min((tick for tick in failed if tick is not None), default=None)
        if self._cause is not None and first_ms is not None:
            self._send(self._gaps.lost(self._cause, first_ms))
        self._send(self._gaps.settle(now_ms))

    def _settle(self, group: Group, now_ms: int) -> int | None:
        """Count what a group owes; the first tick that failed because the device is down."""
        self._believe(group, now_ms)
        if self._repeats(group, now_ms):
            return None
        upto_ms = now_ms if group.reading_ms is None else min(now_ms, group.reading_ms - 1)
        missed = group.next_tick()
        if missed > upto_ms:
            return None
        if self._cause is not None:
            self._pass(group, upto_ms, failed=group.size)
            return missed
        if group.mode == "subscribe":
            self._pass(group, upto_ms, failed=group.bad_items)
        return None

    def begin(self, group: Group, now_ms: int) -> int:
        """Choose the tick to read now: the newest that has come.

        Ticks before it were missed: failed if the device was down, else skipped as late – or
        as the clock's fault, if it stepped.
        """
        self._watch(now_ms)
        group.reading_ms = tick_ms = group.tick_at(now_ms)
        stepped = self._stepped(group, now_ms)
        self._settle(group, now_ms)
        missed = group.next_tick()
        if missed < tick_ms:
            cause = Reason.CLOCK if stepped else Reason.LATE
            self._send(self._gaps.back(missed))  # what was lost before is not their cause
            self._send(self._gaps.skipped(group.name, cause, missed, tick_ms))
            self._pass(group, tick_ms - 1, skipped=group.size)
        return tick_ms

    def judge(self, group: Group, status: Status, time_ms: int) -> None:
        """Open and end gaps of single tags."""
        self._send(self._gaps.update(group.name, status, time_ms))

    def lost(self, cause: Reason, now_ms: int) -> None:
        """The device is lost: from the next uncounted tick on, all its ticks fail."""
        self.tried(now_ms)
        self.settle(now_ms)
        self._cause = cause
        for group in self._device.groups:
            group.bad_items, group.reading_ms = 0, None
            group.processor.lost()
        self.settle(now_ms)

    def back(self, time_ms: int) -> None:
        """The device gives values again from ``time_ms`` on."""
        self._send(self._gaps.back(time_ms))

    # -- clocks ---------------------------------------------------------------------------

    def _stepped(self, group: Group, now_ms: int) -> bool:
        """Whether the clock has, since the group was read last."""
        before, group.offset_ms = group.offset_ms, now_ms - self._monotonic_ms()
        return abs(group.offset_ms - before) > STEP_MS

    def _watch(self, now_ms: int) -> None:
        """Notice a leap ahead of a clock that was far behind, as after a start without battery.

        No time has passed in it, so nothing was due – but for what was before this run and is
        not in the books because the clock hid it.
        """
        before, self._offset_ms = self._offset_ms, now_ms - self._monotonic_ms()
        leap_ms = int(self._offset_ms - before)
        if leap_ms <= LONGEST_STEP_MS:
            return
        for group in self._device.groups:
            if group.left_ms is not None and group.left_ms <= now_ms:
                self._move(group, group.left_ms, now_ms - leap_ms)
            elif group.name in self._fresh:
                self._move(group, group.tick_at(now_ms), now_ms - leap_ms)

    def _believe(self, group: Group, now_ms: int) -> None:
        if group.last_tick_ms - now_ms > LONGEST_STEP_MS:
            left_ms = group.last_tick_ms
            self._move(group, group.tick_at(now_ms), left_ms + 1)
            group.left_ms = left_ms
            group.processor.rewind(group.last_tick_ms)

    def _move(self, group: Group, tick_ms: int, until_ms: int) -> None:
        """Let times go on from another tick, after a clock that had been wrong until then."""
        _log.warning(
            "device %s group %s: the clock was %d s %s; times begin anew from now",
            self._device.id,
            group.name,
            abs(tick_ms - until_ms) // 1000,
            "behind" if tick_ms > until_ms else "ahead",
        )
        self._send(self._gaps.interrupt(until_ms))
        group.last_tick_ms, group.left_ms, group.repeat_ms = tick_ms, None, None

    def _repeats(self, group: Group, now_ms: int) -> bool:
        """Count ticks that a clock set back repeats; they are skipped, not read again."""
        last = group.last_tick_ms
        if now_ms < last - group.interval_ms and group.repeat_ms is None:
            _log.warning(
                "device %s group %s: the clock went back %d s; ticks are skipped until it is past",
                self._device.id,
                group.name,
                (last - now_ms) // 1000,
            )
            group.repeat_ms = group.tick_at(now_ms)
        if group.repeat_ms is None:
            return now_ms < last
        self._repeat(group, min(now_ms, last))
        if now_ms < last:
            return True
        group.repeat_ms = None
        return False

    def _repeat(self, group: Group, upto_ms: int) -> None:
        begin = group.repeat_ms if group.repeat_ms is not None else upto_ms
        if upto_ms < begin:
            group.repeat_ms = group.tick_at(upto_ms)
            return
        due = group.size if group.mode == "poll" or self._cause else group.bad_items
        days = list(ticks_by_day(begin, upto_ms, group.interval_ms, group.phase_ms))
        if not days or not due:
            return
        self._count(days, skipped=due)
        first = next_tick_ms(begin, group.interval_ms, group.phase_ms)
        group.repeat_ms = group.tick_at(upto_ms)
        self._send(self._gaps.skipped(group.name, Reason.CLOCK, first, group.repeat_ms + 1))

    # -- counting -------------------------------------------------------------------------

    def _pass(self, group: Group, upto_ms: int, *, failed: int = 0, skipped: int = 0) -> None:
        """Count all ticks up to a time that are not in the books yet."""
        days = ticks_by_day(group.last_tick_ms, upto_ms, group.interval_ms, group.phase_ms)
        self._count(days, failed=failed, skipped=skipped)
        group.last_tick_ms = group.tick_at(upto_ms)
        self._recorder.progress(self._device.id, group.name, group.progress(group.last_tick_ms))

    def _count(
        self, days: Iterable[tuple[date, int]], *, failed: int = 0, skipped: int = 0
    ) -> None:
        if not failed and not skipped:
            return
        for day, ticks in days:
            counts = Counts(
                due=ticks * (failed + skipped), failed=ticks * failed, skipped=ticks * skipped
            )
            self._recorder.count(self._device.id, day, counts)

    def _send(self, gaps: Iterable[Gap]) -> None:
        for gap in gaps:
            self._recorder.gap(gap)
