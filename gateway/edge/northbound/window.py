"""Which frames are on their way to the city, and what it has acknowledged. Pure."""

Span = tuple[int, int]
Ranges = tuple[Span, ...]


class Window:
    """Messages sent and not yet acknowledged, each of one frame or of several neighbours.

    Args:
        size: how many messages may be on their way.
        timeout_ms: without any progress for this long, sending begins anew; also if a message is
            missing for this long while a later one is acknowledged.

    Attributes:
        sent: newest frame of this turn that went out.
        turn: counts how often sending began anew.
        upto: all frames up to and including this one are acknowledged.
        ranges: inclusive ranges above it that are acknowledged too.
    """

    def __init__(self, size: int, timeout_ms: int) -> None:
        self._size = size
        self._timeout_s = timeout_ms / 1000
        self._flying: dict[Span, float] = {}
        self._highest = self._sent_before = 0
        self._deadline_s = 0.0
        self.turn = 0
        self.sent = 0
        self.upto = 0
        self.ranges: Ranges = ()

    @property
    def full(self) -> bool:
        """Whether no more may be sent now."""
        return len(self._flying) >= self._size

    def overdue(self, now_s: float) -> bool:
        """Whether an acknowledgement should have come by now."""
        return bool(self._flying) and now_s >= self._due_s()

    def patience(self, now_s: float) -> float | None:
        """Seconds until sending begins anew; None if nothing is on its way."""
        return max(self._due_s() - now_s, 0.0) if self._flying else None

    def _due_s(self) -> float:
        oldest = min(self._flying)
        if oldest[1] < self.newest:  # what goes on behind it is no progress for it
            return min(self._deadline_s, self._flying[oldest] + self._timeout_s)
        return self._deadline_s

    @property
    def newest(self) -> int:
        """The newest frame that is acknowledged."""
        return max((high for _, high in self.ranges), default=self.upto)

    def acknowledged(self, seq: int) -> bool:
        """Whether the city holds this frame."""
        return self._holds((seq, seq))

    def _holds(self, span: Span) -> bool:
        """Whether the city holds all frames of a message; its ranges do not touch each other."""
        first, last = max(span[0], self.upto + 1), span[1]
        return first > last or any(low <= first and last <= high for low, high in self.ranges)

    def skip(self, seq: int) -> None:
        """Step over a frame that the city holds, or that will not be sent."""
        self.sent = seq

    def send(self, first: int, last: int, now_s: float) -> bool:
        """Note that a message goes out; True if its frames went out before.

        Args:
            first: number of the oldest frame in it.
            last: number of the newest.
            now_s: a clock that never steps, seconds.
        """
        if not self._flying:
            self._deadline_s = now_s + self._timeout_s
        self._flying[first, last] = now_s
        self.sent = last
        again = last <= self._highest
        self._highest = max(self._highest, last)
        return again

    def acknowledge(self, upto: int, ranges: Ranges, now_s: float) -> float | None:
        """Note what is acknowledged.

        The newest word counts, also if it says less than the one before: a city whose database was
        restored from a backup does not know any more what it had.

        Returns:
            When the newest of what is acknowledged now went out; None if that may be older than
            it seems, because it went out before.
        """
        self.upto, self.ranges = upto, ranges
        arrived = {span: sent for span, sent in self._flying.items() if self._holds(span)}
        for span in arrived:
            del self._flying[span]
        if arrived:
            self._deadline_s = now_s + self._timeout_s
        # An acknowledgement of an earlier session may be ahead of what this one has sent.
        self.sent = max(self.sent, self.upto)
        times = (sent for span, sent in arrived.items() if span[0] > self._sent_before)
        return max(times, default=None)

    def restart(self) -> None:
        """Send again from the oldest frame that is not acknowledged."""
        self._flying.clear()
        self._sent_before = self._highest
        self.sent = self.upto
        self.turn += 1
