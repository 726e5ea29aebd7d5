"""From raw readings to what travels: scale, range, report-by-exception. Pure, column-wise.

The tags of a group are ordered by (kind after processing, raw kind), so that both the driver's
columns and the columns of the batch are few and each rule is one array operation.
"""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt

from gateway.core.arrival import Arrival, lasting, rounds_of
from gateway.core.batch import NEVER, Batch, Changes, Mask, Reading, Status, Times
from gateway.core.books import Counts, tally, tally_by_day
from gateway.core.days import MAX_AHEAD_MS, day_of
from gateway.core.machines import MachineDay, count_arrivals, count_poll, tags_by_machine
from gateway.core.outcome import Outcome
from gateway.core.rules import GroupRules, shorten
from gateway.core.schema import Column, Equipment, Kind, Schema, empty_columns
from gateway.core.status import FIRST_BAD, GOOD, Reason, bad, sendable, uncertain


class Processor:
    """The rules of one group, compiled once; holds what was sent last.

    Args:
        schema: tags in column order, see :func:`gateway.core.rules.order_of`.
        rules: the compiled rules of the tags in the same order; several groups may share them.
        floor_ms: no value gets a time at or before it (the newest time of an earlier run).
    """

    def __init__(self, schema: Schema, rules: GroupRules, floor_ms: int = NEVER) -> None:
        self.schema = schema
        self._columns = rules.columns
        self._silence = rules.silence_ms
        self._shortest_silence = int(self._silence.min(initial=0))
        self._raw_kinds = rules.raw_kinds
        self._raw_sizes = rules.raw_sizes
        self._has_text = any(rule.kind is Kind.STRING for rule in self._columns)
        self._computes = rules.computes
        self._all_good = bytes(len(self._silence))
        self._last = list(empty_columns(schema.runs))
        self._send_at = np.full(len(self._silence), NEVER, np.int64)
        self._silent_ms = NEVER  # before it, no tag of a poll is due for having been silent
        self._sent_status: Status | None = None  # of the values sent last; None: all GOOD
        self._floor_ms = floor_ms

    def process(self, reading: Reading, tick_ms: int) -> Outcome:
        """Apply the rules to one poll.

        Args:
            reading: fresh columns of the driver; they are kept, so a driver must not reuse them.
            tick_ms: nominal tick, UTC milliseconds; later than the one before.

        Raises:
            ValueError: the reading's columns do not fit the tags (a driver's mistake).
        """
        if tuple(map(len, reading.columns)) != self._raw_sizes:
            raise ValueError(f"columns of other lengths than {self._raw_sizes} for the tags")
        with np.errstate(all="ignore") if self._computes else nullcontext():
            return self._process(reading, tick_ms)

    def _process(self, reading: Reading, tick_ms: int) -> Outcome:
        columns = tuple([rule.gather(reading.columns) for rule in self._columns])
        judged = self._judge(reading.status, columns)
        if self._has_text:
            columns, judged = self._shorten(columns, judged)
        is_good = self._is_good(judged)  # mostly so: then nothing below looks at the status again
        present = self._changed(columns)
        if tick_ms >= self._silent_ms:
            present |= self._send_at <= tick_ms
        if not is_good or self._sent_status is not None:
            present |= self._status_moved(judged)
        failed = 0 if is_good else self._leave_out(judged >= FIRST_BAD, present)
        sent = int(np.count_nonzero(present))
        self._remember(columns, present, sent, tick_ms)
        doubt = None if is_good or not judged[present].any() else judged
        if doubt is not None or self._sent_status is not None:
            self._remember_status(judged, present)
        batch = Batch(self.schema, tick_ms, present, columns, doubt) if sent else None
        counts = tally(len(judged), failed, sent)
        machines = count_poll(self.schema, judged, is_good, tick_ms)
        return Outcome(batch, {day_of(tick_ms): counts}, judged, columns, tick_ms, machines)

    def _is_good(self, status: Status) -> bool:
        return status.tobytes() == self._all_good  # a twentieth of the time that any() takes

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
    def _seen_ms(self) -> Times:
        return np.zeros(len(self._silence), np.int64)

    def lost(self) -> None:
        """The device is lost: the next good value of every tag is sent, changed or not."""
        self._send_at[:] = NEVER
        self._silent_ms = NEVER

    def rewind(self, floor_ms: int) -> None:
        """Let times begin anew after ``floor_ms``, because the clock had been far ahead."""
        self._floor_ms = floor_ms
        self.__dict__.pop("_last_ms", None)
        self.lost()

    def tags_by_machine(self, *, only_bad: bool = False) -> Mapping[Equipment, int]:
        """How many tags each machine has; of a subscription also: how many that are BAD now."""
        return tags_by_machine(self.schema, self._status >= FIRST_BAD if only_bad else None)

    @property
    def newest_ms(self) -> int:
        """Newest time of a value that came through a subscription."""
        if "_last_ms" not in self.__dict__:
            return self._floor_ms
        return int(self._last_ms.max(initial=self._floor_ms))

    def _judge(self, given: Status, columns: Sequence[Column]) -> Status:
        if len(given) != len(self._silence):
            raise ValueError(f"{len(given)} status bytes for {len(self._silence)} tags")
        judged = given if self._is_good(given) else _SENDABLE[given]
        for rule, column in zip(self._columns, columns, strict=True):
            for wrong, reason in rule.faults(column):
                judged = judged.copy() if judged is given else judged
                part = judged[rule.span]
                part[wrong & (part < FIRST_BAD)] = bad(reason)
        return judged

    def _shorten(
        self, columns: tuple[Column, ...], judged: Status
    ) -> tuple[tuple[Column, ...], Status]:
        """Cut texts, which are the last run, if too long; they are UNCERTAIN if they were GOOD."""
        texts, cut = shorten(columns[-1])
        if cut is None:
            return columns, judged
        judged = judged.copy()
        part = judged[self._columns[-1].span]
        part[cut & (part == GOOD)] = _TRUNCATED
        return (*columns[:-1], texts), judged

    def _changed(self, columns: Sequence[Column]) -> Mask:
        masks = [
            rule.moved(column, last)
            for rule, column, last in zip(self._columns, columns, self._last, strict=True)
        ]
        return masks[0] if len(masks) == 1 else np.concatenate(masks)

    def _remember(self, columns: Sequence[Column], present: Mask, sent: int, tick_ms: int) -> None:
        if sent == len(present):
            self._last[:] = columns
            self._send_at = tick_ms + self._silence
            self._silent_ms = tick_ms + self._shortest_silence
        elif sent:
            for at, rule in enumerate(self._columns):
                self._last[at] = np.where(present[rule.span], columns[at], self._last[at])
            self._send_at = np.where(present, tick_ms + self._silence, self._send_at)
            if tick_ms >= self._silent_ms:
                self._silent_ms = int(self._send_at.min())

    def _status_moved(self, judged: Status) -> Mask:
        """Which values have another status than when they were sent last.

        They are sent though they did not move: else nobody learned that a value is in doubt, or
        to be trusted again.
        """
        before = GOOD if self._sent_status is None else self._sent_status
        return np.asarray(judged != before, np.bool_)

    def _leave_out(self, wrong: Mask, present: Mask) -> int:
        """Keep BAD values from travelling, and send the next good one whatever it is; how many."""
        np.logical_and(present, ~wrong, out=present)
        self._send_at = np.where(wrong, NEVER, self._send_at)
        self._silent_ms = NEVER
        return int(np.count_nonzero(wrong))

    def _remember_status(self, judged: Status, present: Mask) -> None:
        before = np.zeros_like(judged) if self._sent_status is None else self._sent_status
        sent = np.where(present, judged, before)
        self._sent_status = sent if sent.any() else None

    # -- values that come one by one ------------------------------------------------------

    def judge_items(self, given: Status) -> Outcome:
        """Take the device's answer to a subscription: which tags it refuses.

        A tag that is BAD here stays so until a value of it arrives; nothing is counted.
        """
        refused = given >= FIRST_BAD
        self._status = np.where(refused, given, 0).astype(np.uint8)
        self._send_at[refused] = NEVER
        return self._arrived(None, {}, ())

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
        with np.errstate(all="ignore"):
            return self._process_arrivals(index, time_ms, columns, _SENDABLE[given], now_ms)

    def _process_arrivals(
        self,
        index: npt.NDArray[np.uint32],
        time_ms: Times,
        raw: Sequence[Column],
        judged: Status,
        now_ms: int,
    ) -> Outcome:
        arrival = Arrival.of(self._columns, self._raw_kinds, index, raw, judged)
        times = time_ms.astype(np.int64)
        present = np.zeros(len(index), np.bool_)
        stays = lasting(index, times, judged)
        for positions in rounds_of(index, stays):
            self._take(arrival, positions, times, present, now_ms)
        if len(stays) < len(index):  # what is superseded counts on the day of what replaced it
            times = times[stays[np.searchsorted(stays, np.arange(len(index)))]]
        self._status[index] = judged
        self._seen_ms[index] = times
        changes = arrival.changes(self.schema, times, present)
        daily = tally_by_day(times, judged >= FIRST_BAD, present)
        return self._arrived(changes, daily, count_arrivals(self.schema, index, times, judged))

    def _take(
        self,
        arrival: Arrival,
        positions: npt.NDArray[np.intp],
        times: Times,
        present: Mask,
        now_ms: int,
    ) -> None:
        """One round: at most one value a tag."""
        tags = arrival.index[positions]
        given, last = times[positions], self._last_ms[tags]
        back, ahead = given < last, given > now_ms + MAX_AHEAD_MS
        times[positions] = stamped = np.maximum(np.where(back | ahead, now_ms, given), last + 1)
        judged = arrival.status[positions]
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

    def _arrived(
        self,
        changes: Changes | None,
        counts: dict[date, Counts],
        machines: Sequence[MachineDay],
    ) -> Outcome:
        status, times = self._status.copy(), self._seen_ms.copy()
        return Outcome(changes, counts, status, tuple(self._seen), times, machines)


_CLOCK = uncertain(Reason.CLOCK)
_TRUNCATED = uncertain(Reason.TRUNCATED)

_SENDABLE = np.array([sendable(code) for code in range(256)], np.uint8)
"""By a driver's status byte: the one that the value goes on with."""
