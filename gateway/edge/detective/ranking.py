"""Readings of a range, the likeliest first. Pure.

Without a panel the plausibility of the numbers decides, and how many neighbours of one form are
plausible: 32 random bits are a usual float one time in eight, so several in a row are no chance.
With a panel only what shows the same counts, after a scaling that instruments use; several looks
at it must all agree, each with its own reading of the range.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from gateway.core.values.plausible import Doubt, Value, doubt, plausibility
from gateway.drivers.search import CandidateValue
from gateway.edge.detective.shown import Shown

SCALES = (1.0, 0.1, 0.01, 0.001, 0.0001, 10.0, 100.0, 1000.0)
"""Factors from registers to panels: decimals that were left out, and k in front of a unit."""

_SCALE_COST = 0.03
"""Off the score for each place of the list above: no scaling is likelier than any."""
_NEAR = ((1.0, 0.95), (2.0, 0.85))
"""Half steps of the last digit → how well it agrees: a panel may round, or cut off."""
_DRIFT = ((0.01, 0.6), (0.05, 0.35))
"""Share of the number → how well it agrees: it moves between a look and a reading."""
_COMMON_ROW = 3
_DATE = re.compile(r"([0-9]{4})-[0-9]{2}-[0-9]{2}")
_YEARS = range(2015, 2041)
"""In which clocks of devices are read."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One reading of a range.

    Attributes:
        address: as a tag would have it.
        values: what it said at each look, as the driver reads it.
        scale: factor to what the panel shows; 1 without a panel.
        score: 0 to 1; only the order of scores means something.
        doubt: what is odd about its newest value.
    """

    address: Any
    values: tuple[Value, ...]
    scale: float
    score: float
    doubt: Doubt | None

    @property
    def scaled(self) -> Value:
        """The newest value as a panel would show it."""
        value = self.values[-1]
        if isinstance(value, bool | str) or self.scale == 1:
            return value
        return float(f"{value * self.scale:.12g}")


def rank(looks: Sequence[Sequence[CandidateValue]], shown: Sequence[Shown]) -> list[Candidate]:
    """All readings that are possible, the likeliest first.

    Args:
        looks: what each reading of one range gave; at least one.
        shown: what the panel showed at each look; empty: nobody looked, and one look counts.
    """
    series = _series(looks)
    if not shown:
        found = [_by_itself(one, values, rows) for one, values, rows in _with_rows(series)]
    else:
        matched = (_by_panel(one, values, shown) for one, values in series)
        found = [one for one in matched if one is not None]
    return sorted(found, key=lambda one: one.score, reverse=True)


def _series(
    looks: Sequence[Sequence[CandidateValue]],
) -> list[tuple[CandidateValue, tuple[Value, ...]]]:
    """Each reading with its values at all looks, of those that had one each time."""
    found = []
    for at_looks in zip(*looks, strict=True):
        values = tuple(one.value for one in at_looks if one.value is not None)
        if len(values) == len(looks):
            found.append((at_looks[-1], values))
    return found


def _with_rows(
    series: Iterable[tuple[CandidateValue, tuple[Value, ...]]],
) -> list[tuple[CandidateValue, tuple[Value, ...], float]]:
    """Each with how plausible its row is: those of its form, side by side."""
    listed = list(series)
    rows: dict[tuple[str, int], list[float]] = defaultdict(list)
    keys = _row_keys([one for one, _ in listed])
    for (_, values), key in zip(listed, keys, strict=True):
        rows[key].append(plausibility(values[-1]))
    share = {key: _typical(scores) for key, scores in rows.items()}
    return [(*one, share[key]) for one, key in zip(listed, keys, strict=True)]


def _row_keys(readings: Sequence[CandidateValue]) -> list[tuple[str, int]]:
    """Form, and offset modulo the cells of one value: neighbours that touch have one key."""
    seen: dict[str, int] = defaultdict(int)
    keys = []
    for one in readings:
        keys.append((one.group, seen[one.group] % max(1, one.span)))
        seen[one.group] += 1
    return keys


def _typical(scores: Sequence[float]) -> float:
    return sum(scores) / len(scores) if len(scores) >= _COMMON_ROW else 0.0


def _by_itself(one: CandidateValue, values: tuple[Value, ...], row: float) -> Candidate:
    value = values[-1]
    return Candidate(one.address, values, 1.0, _alone_score(value, row, one.span), doubt(value))


def _alone_score(value: Value, row: float, span: int) -> float:
    """Any bits are some whole number, or a float of one register: a wide one says more."""
    looks = 0.6 * plausibility(value)
    if isinstance(value, bool):
        return 0.5 * looks
    if isinstance(value, str) and (date := _DATE.match(value)):
        return 0.6 if int(date[1]) in _YEARS else 0.1  # many numbers are some date
    if isinstance(value, str):
        # Most bytes are some Chinese text, few are this much English.
        return looks + 0.3 if value.isascii() else 0.5 * looks
    if isinstance(value, float) and span > 1:
        return looks + (0.1 + 0.3 * row) * (looks > 0)
    return looks + 0.1 * row * (span > 1)


def _by_panel(
    one: CandidateValue, values: tuple[Value, ...], shown: Sequence[Shown]
) -> Candidate | None:
    best = max(
        (
            (_agreement(values, shown, scale) - _SCALE_COST * place, scale)
            for place, scale in enumerate(SCALES)
        ),
    )
    score, scale = best
    if score <= 0:
        return None
    is_float = isinstance(values[-1], float) and one.span > 1
    likely = 0.88 * score + 0.1 * plausibility(values[-1]) + 0.02 * is_float
    return Candidate(one.address, values, scale, likely, doubt(values[-1]))


def _agreement(values: Sequence[Value], shown: Sequence[Shown], scale: float) -> float:
    """How well all looks agree: as the worst of them; 0: one does not."""
    if not _follows(values, shown):
        return 0.0
    return min(_agrees(value, look, scale) for value, look in zip(values, shown, strict=True))


def _follows(values: Sequence[Value], shown: Sequence[Shown]) -> bool:
    """Whether the number goes up and down as the panel does."""
    for (before, was), (after, now) in pairwise(zip(values, shown, strict=True)):
        if isinstance(before, str) or isinstance(after, str):
            continue
        if was.number is None or now.number is None or was.number == now.number:
            continue
        if after == before or (after > before) != (now.number > was.number):
            return False
    return True


def _agrees(value: Value, look: Shown, scale: float) -> float:
    if isinstance(value, str):
        return 1.0 if scale == 1 and look.word and look.word in value else 0.0
    if look.number is None:
        return 1.0 if scale == 1 and isinstance(value, bool) and value is look.truth else 0.0
    if isinstance(value, bool):
        return 0.0
    distance = abs(value * scale - look.number)
    half_step = 0.5 * 10.0**-look.decimals
    for steps, score in ((1e-6, 1.0), *_NEAR):
        if distance <= steps * half_step * (1 + 1e-9):
            return score
    size = abs(look.number)
    return next((score for share, score in _DRIFT if distance <= share * size), 0.0)
