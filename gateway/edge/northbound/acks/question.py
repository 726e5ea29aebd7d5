"""Whether the city must be asked what it has before anything (more) is sent. Pure.

It is asked when a session begins and when acknowledgements stay away. The question goes the way of
the frames, so the answer comes after all that was sent before it is stored, and says what of it
came. Until then nothing is sent: a city that is away would not get it, and a buffer that is an
older copy of itself must not use a number twice.
"""

PATIENCE_S = 20.0
"""A city that is at work answers within a second or two; after so long it is said that it does not.
Nobody knows why then: a broker of MQTT 3.1.1 confirms even what its access rules throw away."""

_LEAST_S = 0.001


class Question:
    """The question to the city that is open, if one is.

    Args:
        repeat_ms: it is asked again when no answer came for this long.

    Attributes:
        is_open: nothing may be sent until the city has answered.
        number: names the question that was asked last; 0: none was.
    """

    def __init__(self, repeat_ms: int) -> None:
        self._repeat_s = repeat_ms / 1000
        self._asked_s: float | None = None
        self._since_s: float | None = None
        self.is_open = False
        self.number = 0

    def open(self) -> None:
        """Ask at once; an answer to what was asked before does not count."""
        self.is_open, self.number, self._asked_s = True, 0, None

    def is_due(self, now_s: float) -> bool:
        """Whether the question is to be asked now (again)."""
        late = self._asked_s is None or now_s >= self._asked_s + self._repeat_s
        return self.is_open and late

    def asked(self, number: int, now_s: float) -> None:
        """It goes out under this number, which the answer will repeat."""
        self.number, self._asked_s = number, now_s
        if self._since_s is None:
            self._since_s = now_s

    def is_answered_by(self, number: int) -> bool:
        """Whether an acknowledgement is the answer: it repeats the question's number."""
        return self.is_open and number != 0 and number == self.number

    def close(self) -> None:
        """The city has answered."""
        self.is_open, self.number, self._asked_s, self._since_s = False, 0, None, None

    def wait_s(self, now_s: float) -> float | None:
        """Seconds until it is asked again, or has waited too long; None if it is not open."""
        if not self.is_open or self._asked_s is None or self._since_s is None:
            return None
        late = self._since_s + PATIENCE_S
        ends = [self._asked_s + self._repeat_s, *([late] if late > now_s else [])]
        return max(min(ends) - now_s, _LEAST_S)

    def is_late(self, now_s: float) -> bool:
        """Whether the answer has been waited for too long."""
        return self._since_s is not None and now_s >= self._since_s + PATIENCE_S
