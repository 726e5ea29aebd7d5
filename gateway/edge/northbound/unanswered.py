"""Messages that the broker says it has taken and the city does not have. Pure.

A broker of MQTT 3.1.1 may confirm what it throws away for its size. That is told from a city that
is away, and from a loss, by what went out later: if the city has that, and the same message is
missing after it was sent several times, it is its size.
"""

from collections.abc import Callable

from gateway.edge.northbound.limit import LEAST_BYTES, STRIKES


class Unanswered:
    """What the broker has confirmed since the connection was made and the city has not.

    Attributes:
        in_doubt: something was missing when its time was over. Little is merged then, so that
            no small frame shares the fate of a large one.
    """

    def __init__(self) -> None:
        self._sizes: dict[int, int] = {}
        self._newest = 0
        self._strikes = (0, 0)
        self._doubtful = 0
        self.in_doubt = False

    def connected(self) -> None:
        """A session begins."""
        self._sizes.clear()

    def confirmed(self, seq: int, size: int) -> None:
        """The broker has confirmed a message that the city has not acknowledged.

        Args:
            seq: number of its newest frame.
            size: bytes.
        """
        self._sizes[seq] = size

    def acknowledged(self, newest: int, holds: Callable[[int], bool]) -> None:
        """The city has acknowledged frames.

        Args:
            newest: the newest that it holds.
            holds: whether it holds one.
        """
        self._newest = newest
        self._sizes = {seq: size for seq, size in self._sizes.items() if not holds(seq)}
        # Not sooner: sent again together with it, a small frame would be thrown away too.
        if holds(self._doubtful):
            self.in_doubt = False

    def overdue(self) -> int:
        """The time of what is missing is over; the size to be blamed for it, 0 if none is."""
        if self._sizes and not self.in_doubt:
            self.in_doubt, self._doubtful = True, min(self._sizes)
        seq = self._missing()
        if seq is None:
            return 0
        size = self._sizes[seq]
        before, strikes = self._strikes
        self._strikes = (seq, strikes + 1 if seq == before else 1)
        self._sizes.clear()  # all of it goes out again
        return size if self._strikes[1] >= STRIKES and size > LEAST_BYTES else 0

    def _missing(self) -> int | None:
        """The oldest message that is missing while the city holds a later one."""
        oldest = min(self._sizes, default=None)
        return oldest if oldest is not None and oldest < self._newest else None
