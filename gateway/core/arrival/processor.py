"""The rules of a group whose values come one by one. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from gateway.core.arrival.delivery import Arrival, lasting, occurrences, pass_on_loss
from gateway.core.batch import NEVER, Mask, Status, Times
from gateway.core.books import tally_by_day
from gateway.core.days import MAX_AHEAD_MS
from gateway.core.machines import count_arrivals, tags_by_machine
from gateway.core.outcome import Outcome
from gateway.core.process import SENDABLE, Processor
from gateway.core.schema import Column, Equipment, empty_columns
from gateway.core.status import FIRST_BAD, Reason, uncertain


class GroupProcessor(Processor):
    """The rules of one group, whether its values are polled or come one by one."""

    # What only a subscription needs is made at its first use; polled groups do without.

    @cached_property
    def _last_ms(self) -> Times:
        return np.full(len(self._silence), self._floor_ms, np.int64)

    @cached_property
    def _status(self) -> Status:
        return np.zeros(len(self._silence), np.uint8)

    @cached_property
    def _seen(self) -> list[Column]:
        return list(empty_columns(self.schema.runs))

    @cached_property
    def _heard(self) -> Mask:
        """Which tags have reported since the session began."""
        return np.zeros(len(self._silence), np.bool_)

    @cached_property
    def _seen_ms(self) -> Times:
        return np.zeros(len(self._silence), np.int64)

    @cached_property
    def _future(self) -> list[tuple[int, int]]:
        """Spans ahead of the clock in which values are stored: it had been set too far."""
        return []

    def leap(self, since_ms: int, now_ms: int) -> None:
        """The clock goes on elsewhere; values that it dated too far ahead are not overwritten.

        Args:
            since_ms: when, by the clock as it was, it had begun to run, UTC milliseconds.
            now_ms: what it shows now.
        """
        self.lost()
        newest_ms, believed_ms = self.newest_ms, now_ms + MAX_AHEAD_MS
        if newest_ms <= believed_ms:
            return
        self._future.append((min(since_ms, newest_ms), newest_ms))
        self._floor_ms = min(self._floor_ms, now_ms)
        if "_last_ms" in self.__dict__:
            self._last_ms = np.where(self._last_ms > believed_ms, now_ms, self._last_ms)

    def _reach_future(self, now_ms: int) -> None:
        """Where the clock comes to values that are stored, times go on behind them."""
        for span in [one for one in self._future if one[0] <= now_ms]:
            self._future.remove(span)
            self._last_ms = np.maximum(self._last_ms, span[1])

    def tags_by_machine(self, *, only_bad: bool = False) -> Mapping[Equipment, int]:
        """How many tags each machine has; of a subscription also: how many that are BAD now."""
        return tags_by_machine(self.schema, self._status >= FIRST_BAD if only_bad else None)

    @property
    def newest_ms(self) -> int:
        """Newest time of a value that came through a subscription."""
        if "_last_ms" not in self.__dict__:
            return self._floor_ms
        return int(self._last_ms.max(initial=self._floor_ms))

    def judge_items(self, given: Status) -> Outcome:
        """Take the device's answer to a subscription: which tags it refuses.

        A tag that is BAD here stays so until a value of it arrives; of the others nothing is known
        before. Nothing is counted.
        """
        refused = given >= FIRST_BAD
        self._status = np.where(refused, given, _UNKNOWN).astype(np.uint8)
        self._send_at[refused] = NEVER
        self._silent_ms = NEVER
        self._heard[:] = False
        return Outcome(None, {}, self._status.copy(), tuple(self._seen), self._seen_ms.copy())

    def send_again(self, now_ms: int) -> Outcome | None:
        """What stands still since it was sent, and was lost on its way; None if nothing was.

        A server does not report again what has not changed. The value goes with the time at which
        it came, or the next free millisecond: it is not measured anew.

        Args:
            now_ms: the gateway's clock, UTC milliseconds.
        """
        owed = (self._send_at == NEVER) & self._heard & (self._status < FIRST_BAD)
        index = np.flatnonzero(owed).astype(np.uint32)
        if not len(index):
            return None
        bounds, columns = [], []
        for rule, seen in zip(self._columns, self._seen, strict=True):
            low, high = np.searchsorted(index, (rule.span.start, rule.span.stop)).tolist()
            bounds.append((low, high))
            columns.append(seen[index[low:high] - rule.span.start])
        arrival = Arrival(self._columns, index, self._status[index], bounds, columns)
        outcome = self._process_any(arrival, self._seen_ms[index], now_ms)
        return replace(outcome, machines=())  # what they gave was counted when it came

    def process_arrivals(
        self,
        index: npt.NDArray[np.uint32],
        time_ms: Times,
        columns: Sequence[Column],
        given: Status,
        now_ms: int,
    ) -> Outcome:
        """Apply the rules to values that a subscription delivered.

        The time of a tag only moves forward: a value of the same millisecond as the last one
        buffered gets the next millisecond; an older one, or one more than ``MAX_AHEAD_MS``
        ahead of the gateway, gets the gateway's time and is UNCERTAIN (clock) – but not the first
        one after a restart, which may well be as old as its last change. Of values of one
        tag and millisecond in the same delivery only the newest goes on, the others count as
        suppressed.

        Args:
            index: ascending positions of the tags.
            time_ms: source time of each value, UTC milliseconds.
            columns: one array a run of the raw kinds of ``index``.
            given: status byte of each value.
            now_ms: the gateway's clock, UTC milliseconds.
        """
        if self._future:
            self._reach_future(now_ms)
        with np.errstate(all="ignore"):
            if self._is_sweep(index, time_ms, now_ms):
                return self._process_sweep(index, time_ms, columns, given)
            rules = self._columns, self._raw_kinds, self._no_values
            arrival = Arrival.of(*rules, index, columns, SENDABLE[given])
            return self._process_any(arrival, time_ms.copy(), now_ms)

    def _is_sweep(self, index: npt.NDArray[np.uint32], times: Times, now_ms: int) -> bool:
        """Whether each tag came once, at a time that is later than before and is believed."""
        return bool(
            0 < len(index) == len(self._silence)
            and (index[1:] > index[:-1]).all()
            and times.max() <= now_ms + MAX_AHEAD_MS
            and (times > self._last_ms).all()
        )

    def _process_sweep(
        self, index: npt.NDArray[np.uint32], times: Times, raw: Sequence[Column], given: Status
    ) -> Outcome:
        """What a quick server sends has the shape of a poll: no value of it is picked out."""
        whole = self._whole(raw, given, times, int(times.min()), int(times.max()))
        self._last_ms = np.where(whole.present, times, self._last_ms)
        self._seen, self._seen_ms = list(whole.columns), times.copy()
        self._heard[:] = True
        self._status = whole.status.copy()
        bounds = [(rule.span.start, rule.span.stop) for rule in self._columns]
        arrival = Arrival(self._columns, index, whole.status, bounds, list(whole.columns))
        return self._outcome(arrival, times, whole.present)

    def _process_any(self, arrival: Arrival, times: Times, now_ms: int) -> Outcome:
        index = arrival.index
        present = np.zeros(len(index), np.bool_)
        stays = lasting(index, times, arrival.status)
        pass_on_loss(arrival.status, stays)
        for positions in occurrences(index, stays):
            self._process_once(arrival, positions, times, present, now_ms)
        if len(stays) < len(index):  # what is superseded counts on the day of what replaced it
            times = times[stays[np.searchsorted(stays, np.arange(len(index)))]]
        self._silent_ms = NEVER
        self._status[index] = arrival.status
        self._seen_ms[index] = times
        self._heard[index] = True
        return self._outcome(arrival, times, present)

    def _process_once(
        self,
        arrival: Arrival,
        positions: npt.NDArray[np.intp],
        times: Times,
        present: Mask,
        now_ms: int,
    ) -> None:
        """Values of which no two are of one tag."""
        tags = arrival.index[positions]
        given, last = times[positions], self._last_ms[tags]
        back, ahead = given < last, given > now_ms + MAX_AHEAD_MS
        # Never a millisecond twice: a value is known by its tag and time, and would be overwritten.
        times[positions] = stamped = np.maximum(np.where(back | ahead, now_ms, given), last + 1)
        judged = arrival.status[positions]
        # Not the first value after a start: it may well be as old as its last change.
        odd = ahead | (back & (self._seen_ms[tags] > 0))
        judged[odd & (judged < FIRST_BAD)] = _CLOCK
        arrival.status[positions] = judged
        wrong = judged >= FIRST_BAD
        if self._sent_status is None:
            self._sent_status = np.zeros(len(self._silence), np.uint8)
        changed = arrival.moved(self._last, positions) | (judged != self._sent_status[tags])
        sent = (changed | (self._send_at[tags] <= stamped)) & ~wrong
        present[positions] = sent
        self._send_at[tags] = np.where(
            wrong, NEVER, np.where(sent, stamped + self._silence[tags], self._send_at[tags])
        )
        self._last_ms[tags[sent]] = stamped[sent]
        self._sent_status[tags[sent]] = judged[sent]
        arrival.store(self._last, positions[sent])
        arrival.store(self._seen, positions)

    def _outcome(self, arrival: Arrival, times: Times, present: Mask) -> Outcome:
        changes = arrival.changes(self.schema, times, present)
        daily = tally_by_day(times, arrival.status, present)
        machines = count_arrivals(self.schema, arrival.index, times, arrival.status)
        status, times = self._status.copy(), self._seen_ms.copy()
        return Outcome(changes, daily, status, tuple(self._seen), times, machines)


_CLOCK = uncertain(Reason.CLOCK)
_UNKNOWN = uncertain(Reason.NONE)
"""Of what has given no value since the session began: an old one must not look like a good one."""
