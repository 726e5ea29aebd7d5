"""How long a unit that fell silent is waited for: as long as it used to take, with room. Pure.

A unit that answers is always given its whole time-out. One that has not answered costs its line
that time at each try, while others wait; so it is tried with what its answers used to take, and
each fourth time with all of it, lest one that has only become slow is never heard again.
"""

from collections.abc import Sequence

_ROOM = 4.0
"""Times the slowest answer."""
_LEAST_S = 0.1
_FEWEST = 8
"""Answers from which something is learnt."""
_WHOLE_EACH = 4
"""Of so many tries one has the whole time-out."""


class Patience:
    """Of one unit.

    Args:
        timeout_s: its whole time-out.
    """

    __slots__ = ("_slowest_s", "_timeout_s", "_tries")

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._slowest_s = 0.0
        self._tries = 0

    @property
    def is_tried(self) -> bool:
        """Whether it was not heard at the last reading."""
        return self._tries > 0

    def heard(self) -> None:
        """It has answered."""
        self._tries = 0

    def silent(self, took_s: Sequence[float]) -> float:
        """It has not answered; how long it is waited for at the next try, seconds; 0: in full.

        Args:
            took_s: what its last answers took; looked at when it falls silent.
        """
        if not self._tries and len(took_s) >= _FEWEST:
            self._slowest_s = max(took_s)
        self._tries += 1
        if not self._slowest_s or self._tries % _WHOLE_EACH == 0:
            return 0.0
        wait_s = max(_LEAST_S, _ROOM * self._slowest_s)
        return wait_s if wait_s < self._timeout_s else 0.0
