"""How much of a rate rests on days that are on neither side. Pure; exact fractions."""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple


class Excused(NamedTuple):
    """Days in service of the machines that count, and of those that only excused days keep out.

    Attributes:
        days: machine days, those on neither side among them.
        rest: of these, days of rest, by schedules or the official calendar.
        stopped: days of planned stops.
        late: days of which a stop or schedule was said when they were over.
    """

    days: int
    rest: int
    stopped: int
    late: int

    @property
    def share(self) -> Fraction | None:
        """Days on neither side, per cent of all; None: there are no days."""
        return self.part(self.rest + self.stopped)

    def part(self, days: int) -> Fraction | None:
        """Some of the days, per cent of all; None: there are none."""
        return Fraction(100 * days, self.days) if self.days else None


def together(parts: Iterable[Excused | None]) -> Excused | None:
    """The days of several enterprises; None: of none it is told."""
    known = [one for one in parts if one is not None]
    return Excused(*map(sum, zip(*known, strict=True))) if known else None
