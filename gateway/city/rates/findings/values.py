"""Values of machines, compared by what they are and not by when they came. Pure.

Of a tag's day every run of successive values that differ is hashed, and the smallest hashes are
kept: a *sketch*. It does not depend on how values were framed, on what was sent again, nor on a
shift of time, and two sketches tell which share of the runs both have (bottom-k, Broder, "On the
resemblance and containment of documents", 1997). Runs that a counter, a ramp or a switch makes
anyway are left out: their steps are too few different ones.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from gateway.city.rates.findings.model import Finding, Kind, Rules

Sketch = tuple[int, ...]
"""Smallest hashes, in order; at most :data:`KEPT`."""
KEPT = 64
_ASKED = 8
"""Hashes by which machine days that may be alike are found: of two halves alike all differ once
in 256, of one tag."""
_WHOLE = 100
_MULTIPLIER, _SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(29)


@dataclass(frozen=True, slots=True)
class ValuesDay:
    """What one machine's values of a day are like.

    Attributes:
        uscc: of the enterprise.
        number: site and asset number, ``1/BR-001``.
        place: gateway and device that sent them.
        day: number of the day, in any order.
        sketches: by tag; none of tags whose values say too little.
    """

    uscc: str
    number: str
    place: str
    day: int
    sketches: Mapping[str, Sketch]


def sketch(values: NDArray[np.float64], rules: Rules) -> Sketch:
    """The sketch of a tag's day.

    Args:
        values: in order of time; the same value again says nothing.
        rules: how long runs are, and how many of them there must be.

    Returns:
        Empty if there are too few runs that say something.
    """
    finite = values[np.isfinite(values)]
    changed = finite[np.append(True, finite[1:] != finite[:-1])] if len(finite) else finite
    if len(changed) < rules.run_values:
        return ()
    steps = np.sort(sliding_window_view(np.diff(changed).round(9), rules.run_values - 1), axis=1)
    different = 1 + (np.diff(steps, axis=1) != 0).sum(axis=1)
    runs = sliding_window_view(changed, rules.run_values)[different >= rules.least_steps]
    hashes = np.unique(_hashed(runs))
    return tuple(hashes[:KEPT].tolist()) if len(hashes) >= rules.least_runs else ()


def _hashed(runs: NDArray[np.float64]) -> NDArray[np.uint64]:
    bits = np.ascontiguousarray(runs + 0.0).view(np.uint64)  # -0.0 is 0.0
    found = np.zeros(len(bits), np.uint64)
    for column in bits.T:
        found = (found ^ column) * _MULTIPLIER
        found ^= found >> _SHIFT
    return found


def resemblance(one: Sketch, other: Sketch) -> Fraction:
    """Share of the runs of both that both have, as the sketches tell it."""
    union = sorted({*one, *other})[:KEPT]
    both = set(one) & set(other)
    return Fraction(sum(number in both for number in union), len(union)) if union else Fraction(0)


def repeated_values(days: Iterable[ValuesDay], rules: Rules) -> list[Finding]:
    """Machines that have another one's values, and machines that have those of another day.

    Args:
        days: of all enterprises that are compared; a machine has one a day.
        rules: the thresholds.

    Returns:
        A finding for each pair of machines, and for each machine with a day again; machines of one
        device are read by one poll and not compared.
    """
    known = list(days)
    copies: dict[tuple[int, int], None] = {}
    for one, other in _candidates(known):
        first, second = known[one], known[other]
        same_machine = (first.uscc, first.number) == (second.uscc, second.number)
        if (same_machine or first.place != second.place) and _alike(first, second, rules):
            copies[one, other] = None
    pairs: dict[tuple[tuple[str, str], ...], set[int]] = defaultdict(set)
    for one, other in copies:
        whose = sorted({(known[at].uscc, known[at].number) for at in (one, other)})
        pairs[tuple(whose)] |= {known[one].day, known[other].day}
    return [_finding(whose, len(found)) for whose, found in sorted(pairs.items())]


def _candidates(known: list[ValuesDay]) -> Iterator[tuple[int, int]]:
    """Machine days that may have a run in common: all others need not be compared."""
    having: dict[int, list[int]] = defaultdict(list)
    for at, one in enumerate(known):
        for number in {number for own in one.sketches.values() for number in own[:_ASKED]}:
            having[number].append(at)
    yield from sorted({pair for those in having.values() for pair in combinations(those, 2)})


def _alike(one: ValuesDay, other: ValuesDay, rules: Rules) -> bool:
    """Whether most tags of the one with fewer are found again at the other, by whatever name."""
    fewer, more = sorted((one.sketches, other.sketches), key=len)
    found = sum(
        any(
            resemblance(own, theirs) * _WHOLE >= rules.resembling_percent
            for theirs in more.values()
        )
        for own in fewer.values()
    )
    return found * 2 >= len(fewer) > 0


def _finding(whose: tuple[tuple[str, str], ...], days: int) -> Finding:
    uscc, numbers = whose[0][0], {"days": days}
    if len(whose) == 1:
        return Finding(Kind.SAME_DAYS, uscc, (whose[0][1],), numbers)
    foreign = {one for one, _ in whose} != {uscc}
    machines = tuple(f"{one}/{number}" if foreign else number for one, number in whose)
    return Finding(Kind.SAME_VALUES, uscc, machines, numbers)
