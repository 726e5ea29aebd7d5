"""Which machines are looked at, and what the look says of the rate. Pure.

Two stages: enterprises systematically with probability proportional to their machines (PPS), then
as many machines of each draw. The seed is the digest of the month's evidence, so that a sample can
be drawn again by anybody and chosen by nobody. Estimator: ratio of Hansen–Hurwitz means over the
draws, its variance by linearisation between draws (Cochran, Sampling Techniques, 3rd ed. 1977,
sections 6.3, 9A.3 and 11.9). As the draws are systematic, that variance is on the safe side.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

ALPHA = 0.05
_BITS = 256
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""97.5 % quantiles of Student's t by degrees of freedom, from 1; for more the last, which is wider.
"""


class SampleError(Exception):
    """A sample that cannot be drawn, or does not fit; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of one draw.

    Attributes:
        machines: that were looked for.
        found: of those, that stand there.
        connected: of those, that were connected when somebody looked.
    """

    machines: int
    found: int
    connected: int


@dataclass(frozen=True, slots=True)
class Verified:
    """The rate that a look on site verifies.

    Attributes:
        draws: how many there were.
        found: share of the machines that were found; exact.
        rate: connected machines ÷ machines found; None: none was found.
        low: lower end of the 95 % interval, 0 to 1; None: it cannot be told.
        high: upper end.
    """

    draws: int
    found: Fraction
    rate: Fraction | None
    low: float | None
    high: float | None


def enterprises_drawn(sizes: Mapping[str, int], draws: int, seed: str) -> list[str]:
    """Draw enterprises systematically, with probability proportional to size.

    Args:
        sizes: machines by USCC; enterprises without any are never drawn.
        draws: how many; a large enterprise may be drawn several times.
        seed: text that nobody chooses.

    Raises:
        SampleError: there are no machines, or fewer than draws.
    """
    total = sum(sizes.values())
    if not 0 < draws <= total:
        raise SampleError(f"{draws} draws of {total} machines are not possible; draw fewer")
    step = Fraction(total, draws)
    at, upto = step * Fraction(_number(seed, "start"), 1 << _BITS), 0
    found: list[str] = []
    for uscc in sorted(sizes):
        upto += sizes[uscc]
        while at < upto and len(found) < draws:
            found.append(uscc)
            at += step
    return found


def machines_drawn(machines: Sequence[int], count: int, seed: str, draw: int) -> list[int]:
    """Draw machines of one enterprise, each as likely; all of them if there are no more.

    Args:
        machines: their ids.
        count: how many.
        seed: as for the enterprises.
        draw: number of the draw, so that an enterprise that is drawn twice is looked at anew.
    """
    return sorted(machines, key=lambda one: _number(seed, f"{draw} {one}"))[:count]


def _number(seed: str, what: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {what}".encode()).digest())


def verified(looked: Sequence[Looked]) -> Verified:
    """The verified rate with a 95 % interval.

    Args:
        looked: of every draw, at least one; each with at least one machine.
    """
    draws = len(looked)
    connected = [Fraction(one.connected, one.machines) for one in looked]
    found = [Fraction(one.found, one.machines) for one in looked]
    mean = sum(found, Fraction(0)) / draws
    if not mean:
        return Verified(draws, mean, None, None, None)
    rate = sum(connected, Fraction(0)) / draws / mean
    return Verified(draws, mean, rate, *_interval(rate, connected, found, mean))


def _interval(
    rate: Fraction, connected: Sequence[Fraction], found: Sequence[Fraction], mean: Fraction
) -> tuple[float | None, float | None]:
    draws = len(connected)
    if draws == 1:
        return None, None
    spread = sum(
        ((one - rate * other) ** 2 for one, other in zip(connected, found, strict=True)),
        Fraction(0),
    )
    if spread:
        error = sqrt(spread / (draws * (draws - 1) * mean**2))
        half = _T[min(draws - 1, len(_T)) - 1] * error
        return max(0.0, float(rate) - half), min(1.0, float(rate) + half)
    # all draws say the same: no spread is no certainty (exact binomial bound of the draws)
    edge = (ALPHA / 2) ** (1 / draws)
    if rate == 1:
        return edge, 1.0
    return (0.0, 1 - edge) if rate == 0 else (None, None)
