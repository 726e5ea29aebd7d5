"""Why a declared value is not the collected one. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from gateway.city.rates.cells.cell import percent
from gateway.city.rates.declared.sheet import Declaration
from gateway.city.rates.reasons import Reason


@dataclass(frozen=True, slots=True)
class Gap:
    """A declared value beside the collected one, and what may explain the difference.

    Attributes:
        value: what was declared.
        networked: K that was collected.
        equipment: N that was collected.
        lacking: machines in N that are not in K, by reason.
        excluded: machines of the ledger that are not in N, by reason.
    """

    value: Declaration
    networked: int
    equipment: int
    lacking: Mapping[Reason, int]
    excluded: Mapping[Reason, int]

    @property
    def declared_rate(self) -> Fraction | None:
        """Per cent, exact; None for N = 0."""
        return percent(self.value.networked, self.value.equipment)

    @property
    def collected_rate(self) -> Fraction | None:
        """Per cent, exact; None for N = 0."""
        return percent(self.networked, self.equipment)

    @property
    def points(self) -> Fraction | None:
        """Declared less collected rate, percentage points, exact."""
        declared, collected = self.declared_rate, self.collected_rate
        return None if declared is None or collected is None else declared - collected

    @property
    def unlisted(self) -> int:
        """Machines that are declared, and more than the whole ledger has."""
        listed = self.equipment + sum(self.excluded.values())
        return max(0, self.value.equipment - listed)

    @property
    def unexplained(self) -> int:
        """Machines declared as networked beyond all that the ledger has, in N or not."""
        all_of_it = self.equipment + sum(self.excluded.values())
        return max(0, self.value.networked - all_of_it)


def gap(value: Declaration, reasons: Iterable[Reason]) -> Gap:
    """Compare what was declared with how each machine of the enterprise counts."""
    found = Counter(reasons)
    return Gap(
        value,
        networked=sum(number for one, number in found.items() if one.networked),
        equipment=sum(number for one, number in found.items() if one.counted),
        lacking={one: n for one, n in sorted(found.items()) if one.counted and not one.networked},
        excluded={one: n for one, n in sorted(found.items()) if not one.counted},
    )
