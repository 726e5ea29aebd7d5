"""How many commands a gateway takes from a city, so that no flood fills its record and its log."""

import time
from collections import Counter
from collections.abc import Callable

MOST_AT_ONCE = 60
"""So many new commands are taken one after the other; more than people and plants need."""
REFILL_S = 1.0
"""After so long one more is."""
SAID_S = 60.0
"""What is dropped is said so often at most."""


class Intake:
    """Counts what is taken, and says seldom what is dropped.

    Args:
        seconds: a clock that never steps.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._left, self._counted_s = float(MOST_AT_ONCE), seconds()
        self._said_s: dict[str, float] = {}
        self._unsaid: Counter[str] = Counter()

    def takes(self) -> bool:
        """Whether one more may come in now; it counts as taken."""
        now_s = self._seconds()
        left = self._left + (now_s - self._counted_s) / REFILL_S
        self._left, self._counted_s = min(left, float(MOST_AT_ONCE)), now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def dropped(self, why: str) -> int:
        """Count one that was dropped.

        Args:
            why: one of a few words.

        Returns:
            How many were for that since it was said last, if it is to be said now; else 0.
        """
        now_s = self._seconds()
        self._unsaid[why] += 1
        if now_s - self._said_s.get(why, now_s - SAID_S) < SAID_S:
            return 0
        self._said_s[why] = now_s
        return self._unsaid.pop(why)
