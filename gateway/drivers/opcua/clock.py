"""Whether a server's own clock goes on, and how far it is from ours. Pure.

A clock that stands still means that what the server gives is a replay: a server that has died
inside, or a recording of one, may give values for ever. Its CurrentTime
(``Server_ServerStatus_CurrentTime``, Part 5, 12.10) gives it away. Source times are no help: the
value of a machine that stands still keeps its own for good reasons.
"""

from typing import Literal

Rule = Literal["learn", "demand", "ignore"]

_MOVES = 3
"""From so many moves on we know how often a clock moves; some servers set theirs once a minute."""
_PAUSES = 3
"""A clock stands still after so many of its usual pauses without a move."""


class ServerClock:
    """What is known of a server's clock; outlives sessions. Times are seconds that never step.

    Attributes:
        ahead_ms: how far the server's clock was ahead of ours when it was last seen; None: never.

    Args:
        rule: ``learn``: a clock may be judged once it has moved three times, as some servers have
            none; ``demand``: always; ``ignore``: never.
        look_every_s: how often it is looked at; no pause counts as shorter.
    """

    def __init__(self, rule: Rule, look_every_s: float) -> None:
        self.is_watched = rule != "ignore"
        self._look_every_s = look_every_s
        self._pause_s = look_every_s
        self._moves = _MOVES if rule == "demand" else 0
        self._ticks: int | None = None
        self._moved_s = self._looked_s = 0.0
        self.ahead_ms: int | None = None

    def connected(self, now: float) -> None:
        """A session begins: the time before it is no pause of the clock."""
        self._moved_s = now
        self._looked_s = now - self._look_every_s

    def forgive(self, seconds: float) -> None:
        """Nobody listened for a time: if long, that is no pause of the clock either."""
        if seconds > self._look_every_s:
            self._moved_s += seconds

    def look(self, now: float) -> bool:
        """Whether it is time to look at the clock again; to be followed by a look."""
        if not self.is_watched or now - self._looked_s < self._look_every_s:
            return False
        self._looked_s = now
        return True

    def shows(self, ticks: int, now: float) -> None:
        """What the clock shows.

        Args:
            ticks: CurrentTime, in 100 ns since 1601.
            now: when it came.
        """
        self._looked_s = now
        if ticks == self._ticks:
            return
        if self._ticks is not None:
            if not self.stands_still(now):  # the end of a stand-still is no usual pause
                self._pause_s = max(self._pause_s, now - self._moved_s)
            self._moves += 1
        self._ticks, self._moved_s = ticks, now

    def compare(self, server_ms: int, now_ms: int) -> None:
        """Note how far the server's clock is from ours, both in UTC milliseconds."""
        self.ahead_ms = server_ms - now_ms

    def differs(self, tolerance_ms: int) -> bool:
        """Whether the server's clock is known to differ from ours by more than this."""
        return self.ahead_ms is not None and abs(self.ahead_ms) > tolerance_ms

    def stands_still(self, now: float) -> bool:
        """Whether the clock has been seen and stands still, so that values are a replay."""
        if not self.is_watched or self._ticks is None or self._moves < _MOVES:
            return False
        return now - self._moved_s > _PAUSES * self._pause_s
