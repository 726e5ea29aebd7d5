"""How many requests a device takes at once, where nobody has written it. Pure.

It is tried with 2, 4, 8 … while that is faster, over connections that have answered. Whatever
looks like confusion – an answer that is missing, wrong, repeated or out of order, a device that
says it is busy, a connection that ends – ends the trial for an hour, then for two, four … a day.
"""

from collections.abc import Sequence

from gateway.drivers.modbus.codec import ACKNOWLEDGED, BUSY, GATEWAY_PATH, GATEWAY_TARGET, Answer
from gateway.drivers.modbus.config import Connection, Transport, is_line
from gateway.drivers.modbus.pauses import Pauses

MOST = 16
"""As many may be written, too."""

_PATIENCE = 0.25
_LEAST_PATIENCE_S = 0.1

_ROUNDS = 3
"""Series that are timed before another width is tried."""

_LONGEST_ROUNDS = 12
"""As many before a width that is not faster is left: other work may have slowed down each."""

_GAIN = 0.9
"""Of the time of a request alone. A serial bus behind a gateway is no faster by queueing."""

_AGAIN_S = 3_600.0
_MOST_DOUBLINGS = 5  # to a good day

CONFUSED = (
    "several requests at once do not go well, so they are sent one by one, whatever is missing is "
    "asked again; window: 1 stops further trials"
)

UNREADY = (ACKNOWLEDGED, BUSY, GATEWAY_PATH, GATEWAY_TARGET)


def may_find(connections: Sequence[Connection]) -> bool:
    """Whether the units of one endpoint are one device in Modbus TCP, and no window is written."""
    first = connections[0]
    return (
        len({one.unit for one in connections}) == 1
        and first.transport in {Transport.TCP, Transport.TLS}
        and not any(
            one.window or one.quirks or one.unit_pause_ms or is_line(one) for one in connections
        )
    )


def is_unready(answers: Sequence[Answer]) -> bool:
    """Whether a device says that it is busy, or a gateway that it does not reach it."""
    return any(code in answers for code in UNREADY)


def patience_s(timeout_s: float) -> float:
    """How long an answer among several is waited for.

    What that leaves of the time-out is for asking again, one by one, within the same reading.
    """
    return max(_PATIENCE * timeout_s, min(timeout_s, _LEAST_PATIENCE_S))


class Window:
    """The window of one link, and what has shown it.

    Args:
        pauses: of the link; where it needs some, requests are sent one by one.

    Attributes:
        is_open: whether it is to be found out.
        found: requests under way that were seen to go well.
        refusals: how often it was given up.
    """

    def __init__(self, pauses: Pauses) -> None:
        self._pauses = pauses
        self._least_s: dict[int, float] = {}  # time of a request, by how many were under way
        self._tried, self._rounds, self._rests_until = 1, 0, 0.0
        self._is_settled = False
        self._interrupted_s = 0.0
        self.is_open = False
        self.found = 1
        self.refusals = 0

    def width(self, now_s: float) -> int:
        """How many requests may be under way; 0: it is not looked at now."""
        if not self.is_open or self._pauses.between_s:
            return 0
        if self._rests_until:
            if now_s < self._rests_until:
                return 0
            self._rests_until = 0.0
            self._begin()
        return self._tried

    def words(self) -> dict[str, str]:
        """What stands, for people, by what it is about."""
        return {"window": CONFUSED} if self.refusals and self.found == 1 else {}

    def held(self, many: int, widest: int, passed_s: float, now_s: float) -> None:
        """A series went well.

        Args:
            many: its requests, two or more.
            widest: how many of them were under way at once.
            passed_s: what it took.
            now_s: by the clock of the loop.
        """
        if self._is_settled or (self._tried > 1 and widest == 1):
            return
        each_s = passed_s / many
        self._least_s[self._tried] = min(self._least_s.get(self._tried, each_s), each_s)
        self._rounds += 1
        if self._rounds >= _ROUNDS:
            self._conclude(widest, now_s)

    def _conclude(self, widest: int, now_s: float) -> None:
        if self._tried == 1:
            self._try(2)
        elif self._least_s[self._tried] <= _GAIN * self._least_s[1]:
            self.found = self._tried
            is_full = widest == self._tried < MOST
            self._try(2 * self._tried) if is_full else self._settle(now_s)
        elif self._rounds >= _LONGEST_ROUNDS:
            self._settle(now_s)

    def _try(self, width: int) -> None:
        self._tried, self._rounds = width, 0

    def _settle(self, now_s: float) -> None:
        """Stay with what was found; where that is nothing, look again much later."""
        self._try(self.found)
        self._is_settled = True
        if self.found == 1:
            self._rests_until = now_s + _AGAIN_S

    def _begin(self) -> None:
        self._least_s.clear()
        self._try(1)
        self._is_settled = False

    def confused(self, why: str, now_s: float) -> None:
        """A series did not go well: ask one by one for long."""
        if self._rests_until:
            return
        self.refusals = min(self.refusals + 1, _MOST_DOUBLINGS)
        self._rest(now_s)
        self._pauses.tell(f"{CONFUSED}: {why}")

    def interrupted(self, why: str, now_s: float) -> None:
        """A series ended early; the device may have gone, or has been confused if it is twice."""
        if self._interrupted_s and now_s < self._interrupted_s + _AGAIN_S:
            self.confused(why, now_s)
        self._interrupted_s = now_s

    def _rest(self, now_s: float) -> None:
        self.found = 1
        self._begin()
        self._rests_until = now_s + _AGAIN_S * 2 ** (self.refusals - 1)

    def recall(self, found: int, refusals: int, now_s: float) -> None:
        """Go on with what was known before a restart."""
        self.refusals = refusals
        if found > 1:
            self.found = self._tried = found
            self._is_settled, self._rests_until = True, 0.0
        elif refusals:
            self._rest(now_s)
