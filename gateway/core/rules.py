"""The rules of a group's tags as arrays, one set a run of equal kind. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, floor
from typing import Any

import numpy as np
import numpy.typing as npt

from gateway.core.batch import Mask
from gateway.core.schema import Column, Kind, Run, runs_of
from gateway.core.status import Reason
from gateway.core.values.no_value import Codes, NoValues, compile_codes
from gateway.core.values.plain import is_text
from gateway.core.values.scaling import Positions, Scaling, Shift, scaling_of, shift_of

_FLOATS = (Kind.FLOAT64, Kind.FLOAT32)
_INTEGERS = (Kind.INT64, Kind.UINT64)


@dataclass(frozen=True, slots=True)
class TagRule:
    """How the raw value of one tag becomes what is sent.

    Attributes:
        raw: kind of the driver's value.
        scale: ``value = raw × scale + offset``; a scaled value is a float. None: as it is read.
        offset: see ``scale``.
        minimum: a processed value below it is BAD (range).
        maximum: a processed value above it is BAD (range).
        deadband: a value is sent when it moved by more than this from the last one sent;
            0: on any change. Strings and booleans: on any change.
        max_silence_ms: a good value is sent at least this often.
        no_value: raw numbers that stand for no value, as whole numbers where ``raw`` is one.
    """

    raw: Kind
    scale: float | None = None
    offset: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    deadband: float = 0.0
    max_silence_ms: int = 60_000
    no_value: Codes = ()

    @property
    def scaled(self) -> bool:
        """Whether the value is computed; only numbers and booleans can be."""
        return self.raw is not Kind.STRING and (self.scale is not None or self.offset != 0)

    @property
    def kind(self) -> Kind:
        """Kind after processing: scaled values are floats, others keep their kind.

        A float32 that is only multiplied stays one: as float64 it would show digits that were
        never measured. An offset may be much larger than the value, which then needs float64.
        """
        is_wide = self.raw is not Kind.FLOAT32 or self.offset != 0
        return Kind.FLOAT64 if self.scaled and is_wide else self.raw


def order_of(rules: Sequence[TagRule]) -> tuple[int, ...]:
    """The column order of a group: positions sorted by (kind after processing, raw kind)."""

    def place(at: int) -> tuple[Kind, tuple[Kind, bool, bool]]:
        return rules[at].kind, _alike(rules[at])

    return tuple(sorted(range(len(rules)), key=place))


def _alike(rule: TagRule) -> tuple[Kind, bool, bool]:
    """What neighbouring tags must share to be computed as one."""
    return rule.raw, rule.scaled, rule.raw in _FLOATS and rule.offset != 0


@dataclass(frozen=True, slots=True)
class _Part:
    """Neighbouring tags of a run that come from one raw column."""

    column: int
    source: slice
    target: slice
    scaling: Scaling | Shift | None


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """The rules of one run: tags ``span`` of the group, all of one kind after processing."""

    kind: Kind
    span: slice
    parts: tuple[_Part, ...]
    minimum: Column | None
    maximum: Column | None
    deadband: Column | None

    @property
    def computes(self) -> bool:
        """Whether any rule is more than a comparison of values for equality."""
        limits = (self.minimum, self.maximum, self.deadband)
        return any(part.scaling is not None for part in self.parts) or any(
            limit is not None for limit in limits
        )

    def gather(self, raw: Sequence[Column]) -> Column:
        """Take the run's values of one poll from the raw columns, scaled."""
        count = self.span.stop - self.span.start
        first = self.parts[0]
        # Nothing to compute: the driver's array goes on as it is.
        if len(self.parts) == 1 and first.scaling is None and len(raw[first.column]) == count:
            return raw[first.column]
        out = np.empty(count, self.kind.dtype)
        for part in self.parts:
            values = raw[part.column][part.source]
            out[part.target] = values if part.scaling is None else part.scaling.of(values)
        return out

    def gather_at(
        self, tags: Positions, starts: Sequence[int], raw: Sequence[Column], first: int
    ) -> Column:
        """Take the values of some tags of the run, scaled.

        Args:
            tags: ascending positions within the run.
            starts: position at which each raw column of the delivery begins.
            raw: the raw columns of the delivery.
            first: position of the first of these values in the delivery.
        """
        out = np.empty(len(tags), self.kind.dtype)
        for part in self.parts:
            low, high = np.searchsorted(tags, (part.target.start, part.target.stop)).tolist()
            if low == high:
                continue
            column = int(np.searchsorted(starts, first + low, side="right")) - 1
            begin = first + low - starts[column]
            values = raw[column][begin : begin + high - low]
            within = tags[low:high] - part.target.start
            out[low:high] = values if part.scaling is None else part.scaling.at(within).of(values)
        return out

    def faults(
        self, column: Column, tags: Positions | None = None
    ) -> Iterator[tuple[Mask, Reason]]:
        """Which values of a processed column cannot be: not finite, out of range, no text."""
        if self.kind is Kind.STRING:
            odd = np.fromiter((not is_text(value) for value in column), np.bool_, len(column))
            if odd.any():
                yield odd, Reason.TYPE
        if self.kind in _FLOATS:
            finite = np.isfinite(column)
            if np.count_nonzero(finite) < len(finite):
                yield ~finite, Reason.NOT_A_NUMBER
        if self.minimum is not None and (low := column < _at(self.minimum, tags)).any():
            yield low, Reason.RANGE
        if self.maximum is not None and (high := column > _at(self.maximum, tags)).any():
            yield high, Reason.RANGE

    def moved(self, column: Column, last: Column, tags: Positions | None = None) -> Mask:
        """Which values differ from the last ones sent by more than their deadband."""
        if self.deadband is None:
            return np.asarray(column != last, np.bool_)
        if self.kind in _INTEGERS:
            return np.asarray(_distance(column, last) > _at(self.deadband, tags), np.bool_)
        return np.asarray(np.abs(column - last) > _at(self.deadband, tags), np.bool_)


def _at(values: Column, tags: Positions | None) -> Column:
    return values if tags is None else values[tags]


def _distance(column: Column, last: Column) -> Column:
    """Exact distance of integers as uint64; the plain difference could overflow."""
    higher, lower = np.maximum(column, last), np.minimum(column, last)
    return higher.view(np.uint64) - lower.view(np.uint64)


@dataclass(frozen=True, slots=True)
class GroupRules:
    """The rules of a group as arrays; nothing in it changes, so groups may share it.

    Attributes:
        columns: one set of rules a run.
        silence_ms: int64[n]: maximum silence of each tag.
        raw_kinds: uint8[n]: raw kind of each tag.
        raw_sizes: length of each raw column of a poll.
        computes: whether any rule computes with values, which what is not finite would warn of.
        no_values: codes of the raw columns that have some, with the position of the column.
    """

    columns: tuple[ColumnRule, ...]
    silence_ms: npt.NDArray[np.int64]
    raw_kinds: npt.NDArray[np.uint8]
    raw_sizes: tuple[int, ...]
    computes: bool
    no_values: tuple[tuple[int, NoValues], ...]


def compile_rules(rules: Sequence[TagRule]) -> GroupRules:
    """Turn the rules of a group into arrays.

    Args:
        rules: in column order, see :func:`order_of`.
    """
    raw_runs = runs_of(rule.raw for rule in rules)
    runs = runs_of(rule.kind for rule in rules)
    columns = tuple(_compile(run, rules[run.span], raw_runs) for run in runs)
    return GroupRules(
        columns,
        np.array([rule.max_silence_ms for rule in rules], np.int64),
        np.array([rule.raw for rule in rules], np.uint8),
        tuple(map(len, raw_runs)),
        any(column.computes for column in columns),
        tuple(_no_values(raw_runs, rules)),
    )


def _no_values(raw_runs: Sequence[Run], rules: Sequence[TagRule]) -> Iterator[tuple[int, NoValues]]:
    for at, run in enumerate(raw_runs):
        codes = compile_codes(run.span, run.kind, [rule.no_value for rule in rules[run.span]])
        if codes is not None:
            yield at, codes


def _compile(run: Run, rules: Sequence[TagRule], raw_runs: Sequence[Run]) -> ColumnRule:
    dtype = run.kind.dtype if run.kind in _FLOATS else np.dtype(np.float64)
    numeric = run.kind in (*_FLOATS, *_INTEGERS)
    minimum, maximum = _ranges(run.kind, rules)
    return ColumnRule(
        run.kind,
        run.span,
        tuple(_parts(run, rules, raw_runs)),
        minimum,
        maximum,
        # A deadband of 0 is none: any change is sent, which is quicker to see.
        _limits([rule.deadband or None for rule in rules], 0, dtype) if numeric else None,
    )


def _ranges(kind: Kind, rules: Sequence[TagRule]) -> tuple[Column | None, Column | None]:
    """Minimum and maximum of each tag in the type of its values; None: no tag has one."""
    if kind in _FLOATS:
        low = _limits([rule.minimum for rule in rules], -np.inf, kind.dtype)
        return low, _limits([rule.maximum for rule in rules], np.inf, kind.dtype)
    if kind not in _INTEGERS:
        return None, None
    limits = np.iinfo(kind.dtype)
    least, most = int(limits.min), int(limits.max)
    pairs = [_whole_range(rule, least, most) for rule in rules]
    lows, highs = zip(*pairs, strict=True)
    has_low, has_high = any(low != least for low in lows), any(high != most for high in highs)
    return (
        np.array(lows, kind.dtype) if has_low else None,
        np.array(highs, kind.dtype) if has_high else None,
    )


def _whole_range(rule: TagRule, least: int, most: int) -> tuple[int, int]:
    """The whole numbers that a tag may have; floats would round limits beyond 2^53."""
    low = least if rule.minimum is None else max(least, ceil(rule.minimum))
    high = most if rule.maximum is None else min(most, floor(rule.maximum))
    return (low, high) if low <= high else (least + 1, least)  # no number is in it


def _limits(values: Sequence[float | None], absent: float, dtype: np.dtype[Any]) -> Column | None:
    if all(value is None for value in values):
        return None
    return np.array([absent if value is None else value for value in values], dtype)


def _parts(run: Run, rules: Sequence[TagRule], raw_runs: Sequence[Run]) -> Iterator[_Part]:
    start = 0
    for (_, scaled, shifted), members in groupby(rules, key=_alike):
        part = list(members)
        first = run.start + start
        column = next(at for at, raw in enumerate(raw_runs) if raw.start <= first < raw.stop)
        begin = first - raw_runs[column].start
        yield _Part(
            column,
            slice(begin, begin + len(part)),
            slice(start, start + len(part)),
            (shift_of if shifted else scaling_of)(_terms(part)) if scaled else None,
        )
        start += len(part)


def _terms(rules: Sequence[TagRule]) -> list[tuple[float, float]]:
    return [(1.0 if rule.scale is None else rule.scale, rule.offset) for rule in rules]
