"""Values of one delivery of a subscription, as processed columns. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from gateway.core.batch import NEVER, Changes, Mask, Status, Times
from gateway.core.books import tally_by_day
from gateway.core.days import MAX_AHEAD_MS
from gateway.core.machines import count_arrivals, tags_by_machine
from gateway.core.outcome import Outcome
from gateway.core.process import SENDABLE, Processor
from gateway.core.rules import ColumnRule
from gateway.core.schema import Column, Equipment, Kind, Schema, empty_columns, shorten
from gateway.core.status import FIRST_BAD, GOOD, Reason, bad, uncertain


def occurrences(
    index: npt.NDArray[np.uint32], positions: npt.NDArray[np.intp]
) -> list[npt.NDArray[np.intp]]:
    """Of some positions those of the first value of every tag, of the second, and so on."""
    tags = index[positions]
    if (tags[1:] > tags[:-1]).all():  # no tag twice, as in most deliveries
        return [positions]
    occurrence = np.arange(len(tags)) - np.searchsorted(tags, tags, side="left")
    last = int(occurrence.max(initial=0))
    return [positions[occurrence == turn] for turn in range(last + 1)]


def lasting(index: npt.NDArray[np.uint32], times: Times, judged: Status) -> npt.NDArray[np.intp]:
    """Positions of the values that are not superseded within their millisecond.

    A value is superseded by the next one of its tag if both have the same time and neither is
    BAD; what is BAD is never taken together, so that its reason and its end are seen.
    """
    sound = judged < FIRST_BAD
    stays = np.ones(len(index), np.bool_)
    # The last value of a tag has none behind it and always stays.
    stays[:-1] = (index[1:] != index[:-1]) | (times[1:] != times[:-1]) | ~(sound[1:] & sound[:-1])
    return np.flatnonzero(stays)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Processed values of one delivery, one column a run of the schema (some empty)."""

    rules: tuple[ColumnRule, ...]
    index: npt.NDArray[np.uint32]
    status: Status
    bounds: list[tuple[int, int]]
    columns: list[Column]

    @classmethod
    def of(
        cls,
        rules: tuple[ColumnRule, ...],
        raw_kinds: Status,
        index: npt.NDArray[np.uint32],
        raw: Sequence[Column],
        judged: Status,
    ) -> "Arrival":
        """Process raw values; faults found are noted in ``judged``.

        Raises:
            ValueError: the columns do not fit the tags (a driver's mistake).
        """
        kinds = raw_kinds[index]
        starts = [0, *(np.flatnonzero(kinds[1:] != kinds[:-1]) + 1).tolist()] if len(index) else []
        if [len(column) for column in raw] != np.diff([*starts, len(index)]).tolist():
            raise ValueError("the columns of the arrivals do not fit their tags")
        bounds, columns = [], []
        for rule in rules:
            low, high = np.searchsorted(index, (rule.span.start, rule.span.stop)).tolist()
            tags = index[low:high].astype(np.intp) - rule.span.start
            column = rule.gather_at(tags, starts, raw, low)
            column = _judged(rule, column, tags, judged[low:high])
            bounds.append((low, high))
            columns.append(column)
        return cls(rules, index, judged, bounds, columns)

    def _parts(
        self, positions: npt.NDArray[np.intp]
    ) -> list[tuple[int, npt.NDArray[np.intp], Column]]:
        """(run, tags within the run, their values) for some positions, run by run."""
        parts = []
        for at, (low, high) in enumerate(self.bounds):
            start, stop = np.searchsorted(positions, (low, high))
            chosen = positions[start:stop]
            tags = self.index[chosen].astype(np.intp) - self.rules[at].span.start
            parts.append((at, tags, self.columns[at][chosen - low]))
        return parts

    def moved(self, last: Sequence[Column], positions: npt.NDArray[np.intp]) -> Mask:
        """Which of some values differ from the last ones sent by more than their deadband."""
        return np.concatenate(
            [
                self.rules[at].moved(values, last[at][tags], tags)
                for at, tags, values in self._parts(positions)
            ]
        )

    def store(self, columns: list[Column], positions: npt.NDArray[np.intp]) -> None:
        """Put some values at the places of their tags."""
        for at, tags, values in self._parts(positions):
            if len(tags):
                columns[at] = columns[at].copy()
                columns[at][tags] = values

    def changes(self, schema: Schema, times: Times, present: Mask) -> Changes | None:
        """The values that travel; None if none does."""
        if present.all():
            columns = tuple(column for column in self.columns if len(column))
            return Changes(schema, self.index, times, columns, _doubt(self.status))
        if not present.any():
            return None
        columns = tuple(
            column[present[low:high]]
            for (low, high), column in zip(self.bounds, self.columns, strict=True)
            if present[low:high].any()
        )
        status = _doubt(self.status[present])
        return Changes(schema, self.index[present], times[present], columns, status)


def _judged(rule: ColumnRule, column: Column, tags: npt.NDArray[np.intp], status: Status) -> Column:
    """The column as it goes on; what is wrong with its values is noted in ``status``."""
    for wrong, reason in rule.faults(column, tags):
        status[wrong & (status < FIRST_BAD)] = bad(reason)
    if rule.kind is not Kind.STRING:
        return column
    texts, cut = shorten(column)
    if cut is not None:
        status[cut & (status == GOOD)] = uncertain(Reason.TRUNCATED)
    return texts


def _doubt(status: Status) -> Status | None:
    return status if status.any() else None


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
    def _seen_ms(self) -> Times:
        return np.zeros(len(self._silence), np.int64)

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

    def judge_items(self, given: Status) -> Outcome:
        """Take the device's answer to a subscription: which tags it refuses.

        A tag that is BAD here stays so until a value of it arrives; nothing is counted.
        """
        refused = given >= FIRST_BAD
        self._status = np.where(refused, given, 0).astype(np.uint8)
        self._send_at[refused] = NEVER
        self._silent_ms = NEVER
        return Outcome(None, {}, self._status.copy(), tuple(self._seen), self._seen_ms.copy())

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
            if self._is_sweep(index, time_ms, now_ms):
                return self._process_sweep(index, time_ms, columns, given)
            arrival = Arrival.of(self._columns, self._raw_kinds, index, columns, SENDABLE[given])
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
        self._status = whole.status.copy()
        bounds = [(rule.span.start, rule.span.stop) for rule in self._columns]
        arrival = Arrival(self._columns, index, whole.status, bounds, list(whole.columns))
        return self._outcome(arrival, times, whole.present)

    def _process_any(self, arrival: Arrival, times: Times, now_ms: int) -> Outcome:
        index = arrival.index
        present = np.zeros(len(index), np.bool_)
        stays = lasting(index, times, arrival.status)
        for positions in occurrences(index, stays):
            self._process_once(arrival, positions, times, present, now_ms)
        if len(stays) < len(index):  # what is superseded counts on the day of what replaced it
            times = times[stays[np.searchsorted(stays, np.arange(len(index)))]]
        self._silent_ms = NEVER
        self._status[index] = arrival.status
        self._seen_ms[index] = times
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
        daily = tally_by_day(times, arrival.status >= FIRST_BAD, present)
        machines = count_arrivals(self.schema, arrival.index, times, arrival.status)
        status, times = self._status.copy(), self._seen_ms.copy()
        return Outcome(changes, daily, status, tuple(self._seen), times, machines)


_CLOCK = uncertain(Reason.CLOCK)
