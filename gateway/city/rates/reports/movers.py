"""Which parts explain the change of a rate from one month to another. Pure; exact fractions.

With the pooled rate ``R = ΣK / ΣN`` of the months 0 and 1, a part ``i`` moved it by::

    100 × ((K1_i − R0·N1_i) / N1 − (K0_i − R0·N0_i) / N0)

percentage points: how far it lifts the rate above ``R0`` now, less how far it did before. The
second terms add up to nothing, so the parts add up to ``100 × (R1 − R0)`` exactly. A part that
comes or goes with just the old rate moves nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from gateway.city.ledger.codes import Name
from gateway.city.rates.cells.dimensions import Dimension
from gateway.city.rates.reports.drilldown import MachineVerdict
from gateway.city.rates.reports.table import PublishedMonth, RateCell


@dataclass(frozen=True, slots=True)
class Mover:
    """What a part did to the rate of the whole.

    Attributes:
        before: the part in the month before; None: it was none.
        now: the part now; None: it is none any more.
        points: by how many percentage points it moved the whole, exact.
    """

    before: RateCell | None
    now: RateCell | None
    points: Fraction

    @property
    def key(self) -> str:
        """Of its cell."""
        return self._cell.key

    @property
    def name(self) -> Name:
        """As it is called now."""
        return self._cell.name

    @property
    def own(self) -> Fraction | None:
        """The change of its own rate, percentage points; None without a rate in either month."""
        return change(self.before, self.now)

    @property
    def _cell(self) -> RateCell:
        cell = self.now or self.before
        assert cell is not None  # noqa: S101 - of neither month there is no part
        return cell


def change(before: RateCell | None, now: RateCell | None) -> Fraction | None:
    """By how many percentage points a pooled rate changed; None: one of them is not known."""
    if before is None or now is None or before.pooled is None or now.pooled is None:
        return None
    return now.pooled - before.pooled


def movers(before: PublishedMonth, now: PublishedMonth, by: Dimension) -> list[Mover]:
    """The parts, those that moved the whole most first; none where its change is not known."""
    if change(before.city, now.city) is None:
        return []
    old, new = _cells(before, by), _cells(now, by)
    found = [
        Mover(
            old.get(key), new.get(key), _points(before.city, now.city, old.get(key), new.get(key))
        )
        for key in old.keys() | new.keys()
    ]
    return sorted(found, key=lambda one: (-abs(one.points), one.key))


def _cells(month: PublishedMonth, by: Dimension) -> Mapping[str, RateCell]:
    return {cell.key: cell for cell in month.table(by).cells}


def _points(
    old: RateCell, new: RateCell, before: RateCell | None, now: RateCell | None
) -> Fraction:
    rate = Fraction(old.networked, old.equipment)
    return 100 * (_lift(now, rate, new.equipment) - _lift(before, rate, old.equipment))


def _lift(part: RateCell | None, rate: Fraction, equipment: int) -> Fraction:
    """By how much a part holds the whole above a rate."""
    if part is None:
        return Fraction(0)
    return (part.networked - rate * part.equipment) / equipment


@dataclass(frozen=True, slots=True)
class MovedMachine:
    """A machine that is counted otherwise than a month before; None: it was not in the ledger."""

    before: MachineVerdict | None
    now: MachineVerdict | None

    @property
    def machine(self) -> MachineVerdict:
        """As it is called now."""
        machine = self.now or self.before
        assert machine is not None  # noqa: S101 - of neither month there is no machine
        return machine

    @property
    def kind(self) -> str:
        """``gained`` or ``lost`` for the numerator; else ``entered`` or ``left``: N alone."""
        was, is_now = _sides(self.before), _sides(self.now)
        if was[0] != is_now[0]:
            return "gained" if is_now[0] else "lost"
        return "entered" if is_now[1] else "left"


def moved_machines(
    before: Iterable[MachineVerdict], now: Sequence[MachineVerdict]
) -> list[MovedMachine]:
    """Machines that are on other sides of the rate than a month before: lost ones first."""
    old = {one.equipment_id: one for one in before}
    new = {one.equipment_id: one for one in now}
    pairs = (MovedMachine(old.get(key), new.get(key)) for key in sorted(old.keys() | new.keys()))
    moved = [one for one in pairs if _sides(one.before) != _sides(one.now)]
    order = ("lost", "left", "gained", "entered")
    return sorted(moved, key=lambda one: order.index(one.kind))


def _sides(verdict: MachineVerdict | None) -> tuple[bool, bool]:
    """Whether a machine is in the numerator, and in the denominator."""
    if verdict is None:
        return False, False
    return verdict.reason.networked, verdict.reason.counted
