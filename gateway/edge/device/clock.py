"""The one place of the edge that knows what time it is."""

import time


class Clock:
    """Two clocks: one that people set, and one that only runs.

    Whether the first may be believed is to be asked here too, so that no caller has an opinion
    of its own: :meth:`offset_ms` changes when, and only when, somebody set the clock.
    """

    def now_ms(self) -> int:
        """The system's clock, UTC milliseconds; it may step in either direction."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> float:
        """Milliseconds since some moment; never steps."""
        return time.monotonic() * 1000

    def offset_ms(self, now_ms: int) -> float:
        """How far the system's clock is ahead of the one that never steps, milliseconds.

        Args:
            now_ms: what :meth:`now_ms` just said.
        """
        return now_ms - self.monotonic_ms()
