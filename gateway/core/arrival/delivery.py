"""Values of one delivery of a subscription, as processed columns. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gateway.core.batch import Changes, Mask, Status, Times
from gateway.core.rules import ColumnRule
from gateway.core.schema import Column, Kind, Schema
from gateway.core.status import FIRST_BAD, GOOD, Reason, bad, uncertain
from gateway.core.values.no_value import NoValues
from gateway.core.values.plain import shorten


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


def pass_on_loss(judged: Status, stays: npt.NDArray[np.intp]) -> None:
    """Let the mark of a loss go from a value that is superseded to the one that stays for it.

    Args:
        judged: status byte of each value; changed in place.
        stays: positions of those that are not superseded, ascending.
    """
    lost = np.flatnonzero(judged == _OVERFLOWN)
    heirs = stays[np.searchsorted(stays, lost)]
    judged[heirs[judged[heirs] == GOOD]] = _OVERFLOWN


_OVERFLOWN = uncertain(Reason.OVERFLOW)


def _mark_no_values(
    no_values: Sequence[tuple[int, NoValues]],
    index: npt.NDArray[np.uint32],
    raw: Sequence[Column],
    judged: Status,
) -> None:
    """Make values BAD whose raw numbers stand for none."""
    ends = np.cumsum([len(column) for column in raw])
    for _, codes in no_values:
        low, high = np.searchsorted(index, (codes.span.start, codes.span.stop)).tolist()
        if low == high:
            continue
        at = int(np.searchsorted(ends, low, side="right"))
        begin = low - int(ends[at]) + len(raw[at])
        values = raw[at][begin : begin + high - low]
        found = codes.among(values, index[low:high].astype(np.intp) - codes.span.start)
        part = judged[low:high]
        part[found & (part < FIRST_BAD)] = bad(Reason.NO_VALUE)


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
        no_values: Sequence[tuple[int, NoValues]],
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
        _mark_no_values(no_values, index, raw, judged)
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
