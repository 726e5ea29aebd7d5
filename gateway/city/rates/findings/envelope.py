"""Stored values that no machine of that type can give. Pure.

Gateways refuse values outside the range of their tag; what the store holds outside the range that
comes with the product was let through by a gateway with another one, or by none. A tag whose range
nobody knows is not judged, and is counted as that.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from gateway.city.rates.findings.model import Finding, Kind, Rules

Bounds = tuple[float | None, float | None]
"""Least and greatest value; None: there is no limit on that side."""
Machine = tuple[str, str]
"""USCC, and site and asset number."""
_WHOLE = 100


class Envelopes:
    """Judges the values of tags, a day at a time.

    Args:
        bounds_of: what values a profile's tags can have, by tag; a tag that is not in it is not
            judged.
        rules: the thresholds.

    Attributes:
        judged: tags of machines that were compared with a range.
        unknown: those that were not, since nobody knows one.
    """

    def __init__(self, bounds_of: Callable[[str], Mapping[str, Bounds]], rules: Rules) -> None:
        self._bounds_of, self._rules = bounds_of, rules
        self._days: defaultdict[Machine, set[int]] = defaultdict(set)
        self._tags: defaultdict[Machine, set[str]] = defaultdict(set)
        self.judged: set[tuple[str, str, str]] = set()
        self.unknown: set[tuple[str, str, str]] = set()

    def look(
        self, machine: Machine, profile: str, tag: str, day: int, values: NDArray[np.float64]
    ) -> None:
        """Judge the values of a tag on a day.

        Args:
            machine: whose.
            profile: of it.
            tag: name of the tag.
            day: number of the day, in any order.
            values: float64[n]; what is no number is left out.
        """
        bounds = self._bounds_of(profile).get(tag)
        (self.unknown if bounds is None else self.judged).add((*machine, tag))
        finite = values[np.isfinite(values)]
        if bounds is None or not len(finite):
            return
        low, high = bounds
        outside = np.zeros(len(finite), np.bool_)
        if low is not None:
            outside |= finite < low
        if high is not None:
            outside |= finite > high
        if outside.sum() * _WHOLE >= len(finite) * self._rules.outside_percent:
            self._days[machine].add(day)
            self._tags[machine].add(tag)

    def findings(self) -> list[Finding]:
        """One of each machine with such values on some day."""
        return [
            Finding(
                Kind.OUTSIDE_RANGE,
                machine[0],
                (machine[1],),
                {
                    "count": len(self._tags[machine]),
                    "days": len(days),
                    "percent": self._rules.outside_percent,
                },
            )
            for machine, days in sorted(self._days.items())
        ]
