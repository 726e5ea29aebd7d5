"""What is counted of one enterprise. Pure."""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from gateway.city.rates.cells.excused import Excused


class Place(NamedTuple):
    """Where an enterprise belongs.

    County (GB/T 2260), class of industry (GB/T 4754), functional area and size class; each of the
    last two is empty where it has none.
    """

    county: str
    industry: str
    area: str = ""
    size: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """Numerator and denominator of one enterprise in scope.

    Attributes:
        uscc: of the enterprise.
        county: GB/T 2260 code.
        industry: GB/T 4754 class.
        networked: K.
        equipment: N; 0 where it has no machine that counts, or is missing.
        area: functional area; empty: none.
        size: size class; empty: unknown.
        verified: a person has verified its ledger.
        undetermined: of N, machines that only a missing date keeps out of K.
        missing: nothing is known of it: its machines are in no figure.
        assumed: machines that a missing one is taken to have; None: it is not missing, or
            nothing tells.
        excused: days of its machines, and those on neither side; None: all days count.
    """

    uscc: str
    county: str
    industry: str
    networked: int
    equipment: int
    area: str = ""
    size: str = ""
    verified: bool = True
    undetermined: int = 0
    missing: bool = False
    assumed: Fraction | None = None
    excused: Excused | None = None
