"""What is told of a cell beside its rate. Pure; exact fractions."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple, Self

from gateway.city.rates.cells.excused import Excused
from gateway.city.rates.cells.spread import Spread


class Bounds(NamedTuple):
    """Between what a pooled rate lies.

    Attributes:
        lower: per cent, exact: nothing that is not known is networked.
        upper: per cent, exact: all of it is.
        equipment: N that both are of: machines that count and those that are assumed.
    """

    lower: Fraction
    upper: Fraction
    equipment: Fraction


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is told of the enterprises of a cell.

    Attributes:
        spread: of the rates of those with machines; None: there is none, or they are unknown.
        in_scope: enterprises in the definition's scope.
        verified: of these, those whose ledger a person has verified.
        missing: of these, those of which nothing is known; they are no zeros.
        assumed: machines that the missing ones are taken to have; None: nothing tells.
        undetermined: machines that count, and only a missing date keeps out of the numerator.
        excused: days of the machines, and those on neither side; None: all days count, or it was
            not kept.
    """

    spread: Spread | None
    in_scope: int
    verified: int
    missing: int
    assumed: Fraction | None
    undetermined: int
    excused: Excused | None = None

    @property
    def coverage(self) -> Fraction | None:
        """Verified ledgers of all in scope, per cent; None: nobody is in scope."""
        return Fraction(100 * self.verified, self.in_scope) if self.in_scope else None

    def without_rates(self) -> Self:
        """The same where no rate is known: neither is how they are spread, nor any bound."""
        return replace(self, spread=None, assumed=None)
