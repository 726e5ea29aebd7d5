"""The rate of some enterprises. Pure; exact fractions throughout.

``K`` machines of ``N`` are networked. For a cell of enterprises ``e``::

    pooled = 100 × ΣK / ΣN
    mean   = 1/n × Σ (100 × K_e / N_e)      over the n enterprises with N_e > 0

Nothing is rounded here; for display :mod:`gateway.city.rates.reports.shown` does it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from gateway.city.rates.cells.excused import together
from gateway.city.rates.cells.spread import Spread, spread
from gateway.city.rates.cells.statistics import Bounds, Statistics
from gateway.city.rates.cells.tally import Tally


@dataclass(frozen=True, slots=True)
class Cell:
    """A rate with the integers it comes from; ``None`` where nothing can be divided.

    Attributes:
        networked: numerator ΣK.
        equipment: denominator ΣN.
        enterprises: n, those with ``N_e > 0``.
        pooled: per cent, exact.
        mean: per cent, exact.
        statistics: what else is told of the enterprises; None: it was not kept, or is not told.
    """

    networked: int
    equipment: int
    enterprises: int
    pooled: Fraction | None
    mean: Fraction | None
    statistics: Statistics | None = None

    @property
    def bounds(self) -> Bounds | None:
        """Between what the pooled rate lies whatever is not known; None: that cannot be told.

        Missing enterprises have the machines that are assumed of them, none of which is networked
        or all; machines that lack a date are not networked, or are.
        """
        told = self.statistics
        if told is None or told.assumed is None:
            return None
        if self.pooled is not None and not (told.assumed or told.undetermined):
            # Nothing is unknown of most of ten thousand enterprises, and fractions are slow.
            return Bounds(self.pooled, self.pooled, Fraction(self.equipment))
        equipment = self.equipment + told.assumed
        if not equipment:
            return None
        most = self.networked + told.undetermined + told.assumed
        return Bounds(100 * self.networked / equipment, 100 * most / equipment, equipment)


_NOTHING = Fraction(0)


def cell(tallies: Iterable[Tally]) -> Cell:
    """The rate of a set of enterprises, without its statistics."""
    # An enterprise without machines has no rate of its own that a mean could take in.
    counted = [one for one in tallies if one.equipment > 0]
    networked = sum(one.networked for one in counted)
    equipment = sum(one.equipment for one in counted)
    if not counted:
        return Cell(0, 0, 0, None, None)
    pooled = percent(networked, equipment)
    mean = pooled if len(counted) == 1 else _mean(counted)
    return Cell(networked, equipment, len(counted), pooled, mean)


def full_cell(tallies: Sequence[Tally]) -> Cell:
    """The rate of a set of enterprises with its statistics, for who may see enterprises."""
    if len(tallies) == 1:  # a city has ten thousand of these, and sums of one are slow
        return _alone(tallies[0])
    missing = [one for one in tallies if one.missing]
    told = Statistics(
        spread=spread((one.networked, one.equipment) for one in tallies),
        in_scope=len(tallies),
        verified=sum(one.verified for one in tallies),
        missing=len(missing),
        assumed=_total([one.assumed for one in missing]),
        undetermined=sum(one.undetermined for one in tallies),
        excused=together(one.excused for one in tallies),
    )
    return replace(cell(tallies), statistics=told)


def _alone(one: Tally) -> Cell:
    """What :func:`full_cell` says of one enterprise."""
    rate = percent(one.networked, one.equipment)
    told = Statistics(
        spread=None if rate is None else Spread(rate, rate, rate),
        in_scope=1,
        verified=int(one.verified),
        missing=int(one.missing),
        assumed=one.assumed if one.missing else _NOTHING,
        undetermined=one.undetermined,
        excused=one.excused,
    )
    if rate is None:
        return Cell(0, 0, 0, None, None, told)
    return Cell(one.networked, one.equipment, 1, rate, rate, told)


def _total(assumed: Sequence[Fraction | None]) -> Fraction | None:
    """Machines of all missing enterprises; None if nothing tells of one."""
    if not assumed:
        return _NOTHING
    known = [one for one in assumed if one is not None]
    return sum(known, _NOTHING) if len(known) == len(assumed) else None


def _mean(tallies: list[Tally]) -> Fraction:
    """Mean of the enterprises' rates; equal denominators are added first, which keeps it fast."""
    by_size: dict[int, int] = defaultdict(int)
    for one in tallies:
        by_size[one.equipment] += one.networked
    total = sum((Fraction(k, n) for n, k in sorted(by_size.items())), Fraction(0))
    return 100 * total / len(tallies)


def percent(networked: int, equipment: int) -> Fraction | None:
    """``100 × K / N``; None for ``N = 0``, which is neither 0 nor 100 %."""
    return Fraction(100 * networked, equipment) if equipment else None
