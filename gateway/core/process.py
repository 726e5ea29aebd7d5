"""From raw readings to what travels: scale, range, report-by-exception. Pure, column-wise.

The tags of a group are ordered by (kind after processing, raw kind), so that both the driver's
columns and the columns of the batch are few and each rule is one array operation.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import NamedTuple

import numpy as np

from gateway.core.batch import NEVER, Batch, Mask, Reading, Status, Times
from gateway.core.books import count_uncertain, tally
from gateway.core.days import day_of
from gateway.core.machines import count_poll
from gateway.core.outcome import Outcome
from gateway.core.rules import GroupRules
from gateway.core.schema import Column, Kind, Schema, empty_columns
from gateway.core.status import FIRST_BAD, GOOD, Reason, bad, sendable, uncertain
from gateway.core.values.plain import shorten


class Whole(NamedTuple):
    """One value of each tag after processing; see ``Batch`` and ``tally`` for the fields."""

    columns: tuple[Column, ...]
    status: Status
    present: Mask
    is_good: bool
    failed: int
    sent: int
    doubt: Status | None


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
        self._no_values = rules.no_values
        self._all_good = bytes(len(self._silence))
        self._last = list(empty_columns(schema.runs))
        self._send_at = np.full(len(self._silence), NEVER, np.int64)
        self._silent_ms = NEVER  # before it, no tag is due for having been silent
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
        with np.errstate(all="ignore") if self._computes else nullcontext():
            whole = self._whole(reading.columns, reading.status, tick_ms, tick_ms, tick_ms)
        batch = None
        if whole.sent:
            batch = Batch(self.schema, tick_ms, whole.present, whole.columns, whole.doubt)
        uncertain = None if whole.is_good else count_uncertain(whole.status)
        counts = tally(len(whole.status), whole.failed, whole.sent, uncertain)
        machines = count_poll(self.schema, whole.status, whole.is_good, tick_ms)
        day = day_of(tick_ms)
        return Outcome(batch, {day: counts}, whole.status, whole.columns, tick_ms, machines)

    def _whole(
        self,
        raw: Sequence[Column],
        given: Status,
        times: int | Times,
        oldest_ms: int,
        newest_ms: int,
    ) -> Whole:
        """Apply the rules to one value of each tag, and remember what is sent.

        Args:
            raw: one array a run of the raw kinds of the tags.
            given: status byte of each.
            times: when they were read; one number if all were at one time.
            oldest_ms: the first of the times.
            newest_ms: the last of the times.
        """
        columns, judged = self._ruled(raw, given)
        is_good = self._is_good(judged)  # mostly so: then nothing below looks at the status again
        present = self._changed(columns)
        if newest_ms >= self._silent_ms:
            present |= self._send_at <= times
        if not is_good or self._sent_status is not None:
            present |= self._status_moved(judged)
        failed = 0 if is_good else self._leave_out(judged >= FIRST_BAD, present)
        sent = int(np.count_nonzero(present))
        self._remember(columns, present, sent, times)
        if sent == len(present):
            self._silent_ms = oldest_ms + self._shortest_silence
        elif newest_ms >= self._silent_ms:  # only then: the minimum of all tags has its price
            self._silent_ms = int(self._send_at.min())
        doubt = None if is_good or not judged[present].any() else judged
        if doubt is not None or self._sent_status is not None:
            self._remember_status(judged, present)
        return Whole(columns, judged, present, is_good, failed, sent, doubt)

    def _ruled(self, raw: Sequence[Column], given: Status) -> tuple[tuple[Column, ...], Status]:
        """The columns as they go on, and the status of each value."""
        if tuple(map(len, raw)) != self._raw_sizes:
            raise ValueError(f"columns of other lengths than {self._raw_sizes} for the tags")
        columns = tuple([rule.gather(raw) for rule in self._columns])
        given = self._marked(raw, given) if self._no_values else given
        judged = self._judge(given, columns)
        return self._shorten(columns, judged) if self._has_text else (columns, judged)

    def _marked(self, raw: Sequence[Column], given: Status) -> Status:
        """The status with all raw numbers BAD that stand for no value; a copy if there are any."""
        marked = given
        for at, codes in self._no_values:
            found = codes.among(raw[at])
            if found.any():
                marked = given.copy() if marked is given else marked
                part = marked[codes.span]
                part[found & (part < FIRST_BAD)] = _NO_VALUE
        return marked

    def _is_good(self, status: Status) -> bool:
        return status.tobytes() == self._all_good  # a twentieth of the time that any() takes

    def lost(self) -> None:
        """The device is lost: the next good value of every tag is sent, changed or not."""
        self._send_at[:] = NEVER
        self._silent_ms = NEVER

    def forget_sent(self, upto_ms: int) -> None:
        """What was sent up to a time is lost on its way: send the next good value of these tags.

        Args:
            upto_ms: newest time of what is lost, UTC milliseconds; what was sent later is not.
        """
        self._send_at[self._send_at <= upto_ms + self._silence] = NEVER
        self._silent_ms = NEVER

    def _judge(self, given: Status, columns: Sequence[Column]) -> Status:
        if len(given) != len(self._silence):
            raise ValueError(f"{len(given)} status bytes for {len(self._silence)} tags")
        judged = given if self._is_good(given) else SENDABLE[given]
        for rule, column in zip(self._columns, columns, strict=True):
            for wrong, reason in rule.faults(column):
                # The column is the driver's until the first change of it.
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

    def _remember(
        self, columns: Sequence[Column], present: Mask, sent: int, times: int | Times
    ) -> None:
        if sent == len(present):
            # Kept, not copied: a driver hands over fresh columns each time.
            self._last[:] = columns
            self._send_at = times + self._silence
        elif sent:
            for at, rule in enumerate(self._columns):
                self._last[at] = np.where(present[rule.span], columns[at], self._last[at])
            self._send_at = np.where(present, times + self._silence, self._send_at)

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


_NO_VALUE = bad(Reason.NO_VALUE)
_TRUNCATED = uncertain(Reason.TRUNCATED)

SENDABLE = np.array([sendable(code) for code in range(256)], np.uint8)
"""By a driver's status byte: the one that the value goes on with."""
