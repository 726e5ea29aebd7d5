"""How often one visitor may ask. Pure: the clock comes in."""

from collections import OrderedDict
from collections.abc import Callable

MOST_WATCHED = 10_000
"""Visitors that are remembered; of more, those who have not asked for longest are forgotten."""
_MINUTE_S = 60.0


class Visitors:
    """Lets each visitor ask so often a minute, or for so much, all at once if they come so.

    Args:
        per_minute: requests, or what else they are counted in.
    """

    def __init__(self, per_minute: int) -> None:
        self._most, self._per_s = float(per_minute), per_minute / _MINUTE_S
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def may_ask(self, who: str, now_s: float, cost: int = 1) -> bool:
        """Count a request; False: it is one too many, and costs nothing.

        Args:
            who: as :func:`gateway.throttle.site_of` names it.
            now_s: a clock that only runs, seconds.
            cost: of the request.
        """
        left, since_s = self._left.pop(who, (self._most, now_s))
        left = min(self._most, left + (now_s - since_s) * self._per_s)
        may = left >= cost
        self._left[who] = (left - cost if may else left, now_s)
        if len(self._left) > MOST_WATCHED:
            self._left.popitem(last=False)
        return may


def limit(per_minute: int, clock_s: Callable[[], float]) -> Callable[[str], bool]:
    """Whether a visitor may ask now; each call counts a request.

    Args:
        per_minute: requests of one visitor.
        clock_s: a clock that only runs, seconds.
    """
    visitors = Visitors(per_minute)
    return lambda who: visitors.may_ask(who, clock_s())
